"""`vtox up` as a person runs it: from any folder, one per data folder, and without orphans."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import psutil
import pytest
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from tests.cluster import Cluster, cluster, free_ports
from tests.waiting import eventually, is_alive
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.cluster.processes import server_responds
from vtox.pipeline.cluster.restart import PAUSE_MAX_S
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.status import snapshot

ROLES = {
    "server": ("vtox.pipeline.cluster.parent_watch", "vtox", "server"),
    # As it serves; each start tries the program before, with another allocator.
    "valkey": ("valkey-server", "127.0.0.1"),
    "bridge": ("vtox.pipeline.cluster.parent_watch", "vtox", "bridge"),
    "worker": ("celery", "worker", "bearing"),
    "recorder": ("vtox.pipeline.cluster.parent_watch", "vtox", "recorder"),
    "api": ("uvicorn", "api.main:app"),
    "flower": ("vtox", "flower"),
    "mcp": ("vtox", "mcp", "--http"),
}


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def find(pid: int, *words: str) -> psutil.Process | None:
    """The process (of a pool: its parent) whose command line has all the words."""
    for p in family(pid):
        try:
            line = p.cmdline()
        except psutil.Error:
            continue
        if all(any(w in part for part in line) for w in words):
            return p
    return None


def api(running: Cluster, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{running.settings.api_port}{path}", timeout=5)
    except httpx.HTTPError:
        return None


def ready(running: Cluster) -> bool:
    reply = api(running, "/health/ready")
    return reply is not None and reply.status_code == 200


# The secret is not set.
RULES = """
[targets.hook]
kind = "webhook"
url = "https://cmms.example/hook"
secret_env = "HOOK_SECRET_THAT_NOBODY_SET"
[[rules]]
targets = ["hook"]
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for this module, started in a folder full of traps."""
    folder = tmp_path_factory.mktemp("foreign")
    for trap in ("api", "workers", "vtox", "celery", "valkey"):
        (folder / trap).mkdir()
        (folder / trap / "__init__.py").write_text("raise SystemExit('foreign')")
    (folder / "celeryconfig.py").write_text("broker_url = 'redis://127.0.0.1:1/0'")
    rules = folder / "notify.toml"
    rules.write_text(RULES)
    given = {"VTOX_NOTIFY_FILE": str(rules), "VTOX_CLUSTER_WORKERS": "3-4"}
    (mcp,) = free_ports(1)
    with cluster(folder, VTOX_MCP_PORT=str(mcp), **given) as started:
        eventually(lambda: ready(started), 120)
        yield started


def test_api_and_flower_respond(running: Cluster) -> None:
    status = api(running, "/api/v1/cluster/status")
    assert status is not None
    data = status.json()["data"]
    assert data["state"] == "running"
    assert len(data["workers"]) == 3
    flower = f"http://127.0.0.1:{running.settings.flower_port}"
    eventually(lambda: _status(flower) == 200)


@pytest.mark.long
def test_a_missing_secret_of_a_webhook_is_an_alarm_and_all_run(running: Cluster) -> None:
    alarm = eventually(lambda: alarms(running).get("notifier"), 90)
    assert (alarm["code"], alarm["values"]) == ("target_unusable", {"target": "hook"})
    checks = (api(running, "/health/ready") or httpx.Response(0)).json()["checks"]
    assert "HOOK_SECRET_THAT_NOBODY_SET" in checks["notifier"][0]["observedValue"]


def alarms(running: Cluster) -> dict[str, dict[str, object]]:
    status = api(running, "/api/v1/cluster/status")
    return {a["fault"]: a for a in status.json()["data"]["alarms"]} if status else {}


def test_the_number_of_workers_follows_the_load_from_the_first_start(running: Cluster) -> None:
    def scaling() -> list[dict[str, object]]:
        status = api(running, "/api/v1/cluster/status")
        found: list[dict[str, object]] = status.json()["data"]["scaling"] if status else []
        return found

    (host,) = eventually(scaling)
    assert (host["workers"], host["most"]) == (3, 4)


def _status(url: str) -> int:
    try:
        return httpx.get(url).status_code
    except httpx.HTTPError:
        return 0


def test_flower_cannot_stop_a_worker(running: Cluster) -> None:
    flower = f"http://127.0.0.1:{running.settings.flower_port}"
    eventually(lambda: _status(flower) == 200)
    (name, *_) = [w["name"] for w in api_workers(running)]
    assert httpx.post(f"{flower}/api/worker/shutdown/{name}").status_code in (401, 403)


def api_workers(running: Cluster) -> list[dict[str, object]]:
    status = api(running, "/api/v1/cluster/status")
    assert status is not None
    workers: list[dict[str, object]] = status.json()["data"]["workers"]
    return workers


def test_each_worker_has_its_port(running: Cluster) -> None:
    first = running.settings.worker_port
    ports = {str(w["queues"]): int(str(w["port"])) for w in api_workers(running)}
    assert ports == {"['turn_short']": first, "['bearing']": first + 1, "['broken_bar']": first + 2}
    for port in ports.values():
        assert _status(f"http://127.0.0.1:{port}/health/live") == 200


@pytest.mark.long
def test_a_worker_that_is_killed_has_its_port_again(running: Cluster) -> None:
    before = find(running.pid, *ROLES["worker"])
    assert before
    before.kill()

    def port_of_another() -> object:
        workers = [w for w in api_workers(running) if w["queues"] == ["bearing"]]
        return next((w["port"] for w in workers if w["pid"] != before.pid), None)

    assert eventually(port_of_another, 60) == running.settings.worker_port + 1
    eventually(lambda: ready(running), 90)


def test_the_log_is_json_lines_of_every_process(running: Cluster) -> None:
    def entries() -> list[dict[str, object]]:
        lines = (running.settings.data_dir / "cluster.log").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    # "VTOX is up" waits for Flower, the last to serve; the cluster is ready for windows before.
    eventually(lambda: {"server", "bridge", "vtox"} <= {e["role"] for e in entries()})
    assert all(e["event"] and e["level"] and e["t"] for e in entries())


def test_the_password_is_not_in_the_list_of_processes(running: Cluster) -> None:
    password = json.loads(running.settings.server_file.read_text())["password"]
    assert not [p for p in family(running.pid) if password in " ".join(p.cmdline())]


def start(running: Cluster, command: str = "up", **settings: str) -> tuple[int, str]:
    """Run a second vtox at the same time; return its exit status and its message."""
    s = running.settings
    given = {
        "VTOX_DATA_DIR": str(s.data_dir),
        "VTOX_API_PORT": str(s.api_port),
        "VTOX_COORDINATOR_PORT": str(s.coordinator_port),
        "VTOX_FLOWER_PORT": str(s.flower_port),
    } | settings
    done = subprocess.run(
        [sys.executable, "-m", "vtox", command],
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_second_vtox_on_the_same_folder_is_refused(running: Cluster) -> None:
    status, message = start(running, "up")
    assert status == 2
    assert "another vtox runs on" in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_second_vtox_on_the_same_port_is_refused(
    running: Cluster, command: str, tmp_path: Path
) -> None:
    status, message = start(running, command, VTOX_DATA_DIR=str(tmp_path))
    assert status == 2
    assert f"port {running.settings.api_port} is in use" in message
    assert "VTOX_API_PORT" in message


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in ROLES if name != "worker"])
def test_each_killed_process_is_restarted(running: Cluster, name: str) -> None:
    # The last ones start after the API is ready.
    before = eventually(lambda: find(running.pid, *ROLES[name]))
    before.kill()

    def back() -> bool:
        now = find(running.pid, *ROLES[name])
        return now is not None and now.pid != before.pid

    eventually(back)
    eventually(lambda: ready(running), 90)


# The end is noticed after 30 s.
@pytest.mark.long
def test_a_stopped_process_is_killed_and_restarted(running: Cluster) -> None:
    def recorder_is_ready() -> bool:
        beat = heartbeats.recorder(running.client())
        process = find(running.pid, *ROLES["recorder"])
        return beat is not None and process is not None and beat.pid == process.pid

    # The last one to start; `vtox up` waits for one that was never ready, and does not kill it.
    eventually(recorder_is_ready, 60)
    before = {name: find(running.pid, *ROLES[name]) for name in ("bridge", "worker", "recorder")}
    for process in before.values():
        assert process
        process.send_signal(signal.SIGSTOP)

    def reported() -> bool:
        status = api(running, "/api/v1/cluster/status")
        checks = status.json()["data"]["checks"] if status else []
        return any("has not reported" in c["observed"] for c in checks if c["name"] == "bridge")

    def back() -> bool:
        now = [find(running.pid, *ROLES[name]) for name in before]
        return None not in now and not set(now) & set(before.values())

    eventually(reported)
    eventually(back, 60)
    eventually(lambda: ready(running), 90)


def test_the_server_keeps_address_and_data(running: Cluster) -> None:
    url = running.settings.working_url()
    with connect(url, "test") as client:
        client.set("kept", "1")
        process = find(running.pid, "valkey-server", "127.0.0.1")
        assert process
        process.kill()
        eventually(lambda: not is_alive(process))
    eventually(lambda: server_responds(running.settings))
    assert running.settings.working_url() == url
    with connect(url, "test") as client:
        assert client.get("kept") == b"1"
        assert snapshot(client).server


@pytest.mark.long
def test_a_server_killed_six_times_in_a_row_serves_seconds_after_the_last(
    running: Cluster,
) -> None:
    log = running.settings.data_dir / "cluster.log"
    before = len(log.read_text())
    for _ in range(6):
        process = eventually(lambda: find(running.pid, "valkey-server", "127.0.0.1"))
        eventually(lambda: server_responds(running.settings))
        time.sleep(0.5)
        process.kill()
        process.wait(30)
    eventually(lambda: server_responds(running.settings))
    pauses = re.findall(r"server [^\n]*, starts again in ([\d.]+) s", log.read_text()[before:])
    assert len(pauses) >= 6
    assert float(pauses[-1]) < PAUSE_MAX_S / 4, "pauses that grew would be longer by now"
    eventually(lambda: ready(running), 90)


def ask(port: int, key: str) -> tuple[bool, str]:
    """Return whether a call is refused over HTTP, and the answer's text."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def inner() -> Any:
        async with httpx2.AsyncClient(headers=headers) as http_client:
            transport = streamable_http_client(
                f"http://127.0.0.1:{port}/mcp", http_client=http_client
            )
            async with McpClient(transport) as opened:
                return await opened.call_tool("fleet", {})

    answer = asyncio.run(inner())
    return answer.is_error, answer.content[0].text


def test_over_http_each_assistant_reads_with_its_own_key(running: Cluster) -> None:
    with running.client() as client:
        keys = [apikeys.create(client, [scope], scope)[0] for scope in ("read", "operate")]
    port = running.settings.mcp_port
    eventually(lambda: accepts_connections("127.0.0.1", port))

    def answers() -> list[tuple[bool, str]]:
        # The API learns within a second that keys exist, and asks for none before.
        found = [ask(port, key) for key in (*keys, "vtox_nobody", "")]
        return found if [refused for refused, _ in found] == [False, True, True, True] else []

    said = eventually(answers)
    assert "may change alarms or machines" in said[1][1]
    assert "unknown, revoked or expired" in said[2][1]
    assert "Bearer" in said[3][1]
