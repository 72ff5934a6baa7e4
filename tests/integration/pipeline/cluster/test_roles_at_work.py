"""The whole path with each process under the user of its role: nothing that it needs is denied."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.cluster import free_ports
from tests.integration.helpers import add_window
from tests.waiting import eventually
from vtox.cli.main import application
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.server_urls import server_url
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system import apikeys

NOBODY = """
[targets.nobody]
kind = "webhook"
url = "http://127.0.0.1:9"
networks = ["127.0.0.1/32"]
secret_env = "SECRET"

[[rules]]
targets = ["nobody"]
machines = ["V001"]
"""
WORKER = ("celery", "-A", "vtox", "worker", "-Q", "turn_short,bearing,broken_bar")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    root = "user root reset on >root ~* &* +@all\n"
    with EmbeddedServer(load(data_dir=tmp_path / "server"), root) as running:
        yield running


@pytest.fixture
def root(own_server: EmbeddedServer) -> Iterator[Client]:
    """A client that may read keys denied to others."""
    with connect(server_url(own_server.address.port, "root", "root"), "root") as opened:
        yield opened


@contextmanager
def started(folder: Path, environment: dict[str, str], *command: str) -> Iterator[None]:
    log = folder / f"{environment['ROLE']}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=os.environ | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)
    assert "permission" not in log.read_text().lower()


@pytest.mark.long
def test_each_process_works_as_the_user_of_its_role(
    own_server: EmbeddedServer, root: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, coordinator, worker, flower = free_ports(4)
    url = own_server.address.role_url

    def environment(role: str, broker: str = "celery") -> dict[str, str]:
        given = {
            "REDIS_URL": url(role),
            "BROKER_URL": url(broker),
            "DATA_DIR": tmp_path / role,
            "COORDINATOR_PORT": coordinator,
            "WORKER_PORT": worker,
            "BATCH_WAIT_MS": 1,
            "BASELINE_S": 10,
        }
        return {"ROLE": role} | {f"VTOX_{name}": str(value) for name, value in given.items()}

    rules = tmp_path / "notify.toml"
    rules.write_text(NOBODY)
    notify = {"VTOX_NOTIFY_FILE": str(rules), "SECRET": f"whsec_{'A' * 32}"}
    with (
        started(tmp_path, environment("bridge"), "vtox", "bridge"),
        started(tmp_path, environment("worker"), *WORKER),
        started(tmp_path, environment("recorder"), "vtox", "recorder"),
        started(tmp_path, environment("notifier") | notify, "vtox", "notify", "run"),
        started(tmp_path, environment("api"), "uvicorn", "api.main:app", "--port", str(api)),
        started(
            tmp_path,
            environment("flower", "flower") | {"VTOX_FLOWER_PORT": str(flower)},
            *("vtox", "flower"),
        ),
        httpx.Client(base_url=f"http://127.0.0.1:{api}", trust_env=False) as http,
        connect(url("ingest"), "sender") as sender,
        connect(url("reader"), "reader") as reader,
    ):
        eventually(lambda: responds(http, "/health/ready"), 60, lambda: report(root, tmp_path))
        nameplate = {"pole_pairs": 2, "supply_hz": 50.0, "rated_speed_rpm": 1450}
        assert http.put("/api/v1/machines/V001", json=nameplate).is_success
        for name, field in (("sensitivity", "faults"), ("channel-map", "channels")):
            setting = {field: {}, "by": "Ada"}
            assert http.put(f"/api/v1/machines/V001/{name}", json=setting).is_success, name
        for seq in range(12):
            add_window(sender, seq=seq, t0=time.time() - 12 + seq)
        add_window(sender, seq=99, fs_hz=-1)
        window = {"seq": 0, "t0": time.time(), "fs_hz": 1000, "channels": {"ia": [0.1, 1.9, 3.5]}}
        assert http.post("/api/v1/machines/V002/windows", json=window).status_code == 202
        eventually(lambda: reader.xlen(keys.RESULTS) >= 20, 60, lambda: report(root, tmp_path))
        eventually(lambda: reader.xlen(keys.DEAD_LETTERS) == 1)
        eventually(lambda: root.xpending(keys.RAW, keys.GROUP)["pending"] == 0)
        eventually(lambda: root.hexists(keys.machine("V001"), "memory"))
        eventually(lambda: root.hget(keys.RECORDER, "problem") == b"")
        eventually(lambda: root.hget(keys.NOTIFIER, "problem") == b"")
        alert = {"id": "V001:silent:1", "machine_id": "V001", "fault": "silent", "event": "raised"}
        root.xadd(keys.ALERTS, alert | {"level": "warning", "t": 1})
        eventually(lambda: b'"waiting":1' in root.hget(keys.NOTIFIER, "targets"))
        for path in ("machines", "machines/V001/diagnoses", "alerts/open", "dead-letters"):
            assert http.get(f"/api/v1/{path}").is_success, path
        assert http.get("/metrics").is_success
        assert http.delete("/api/v1/machines/V001").is_success
        workers = f"http://127.0.0.1:{flower}/workers?json=1"
        eventually(lambda: "worker-heartbeat" in httpx.get(workers, trust_env=False).text)
        key, record = apikeys.create(root, ["read"], "Ada")
        assert http.post("/sign-in", data={"key": key}).status_code == 303
        assert http.get("/version").is_success, "by the session"
        assert http.post("/sign-out").status_code == 303
        assert apikeys.last_uses(root).keys() == {record.id}
        monkeypatch.setenv("VTOX_REDIS_URL", own_server.url)
        assert CliRunner().invoke(application(), ["status"]).exit_code == 0
    assert denied(root) == []


def denied(root: Client) -> list[tuple[str, ...]]:
    return [(e["username"], e["object"], e["context"]) for e in root.acl_log()]


def report(root: Client, folder: Path) -> str:
    logs = (f"{log.name}: {log.read_text()[-2000:]}" for log in folder.glob("*.log"))
    return "\n".join((str(denied(root)), *logs))


def responds(http: httpx.Client, path: str) -> bool:
    try:
        return http.get(path).is_success
    except httpx.HTTPError:
        return False
