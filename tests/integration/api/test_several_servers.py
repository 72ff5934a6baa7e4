"""One API over two servers that share the machines: together, each named, and with one away."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from api import backend as backend_module
from tests.integration.api.test_machines import commit_health
from tests.integration.conftest import serving
from tests.integration.history.entries import add_alert, add_metrics
from tests.waiting import eventually
from vtox import keys
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.domain import reason
from vtox.history.recorder import Recorder
from vtox.partitions import Place, server_number
from vtox.settings import Settings, load
from vtox.store import apikeys
from vtox.store.client import Client, connect, server_time
from vtox.store.flags import set_flag
from vtox.store.partition_table import require_place
from vtox.store.system_alarms import Condition, keep

SERVERS = 2
MACHINES = [f"V{i:03d}" for i in range(1, 9)]
PATHS = (
    "/api/v1/cluster/status",
    "/api/v1/cluster/history",
    "/api/v1/machines",
    "/api/v1/fleet",
    "/api/v1/coverage",
    "/api/v1/alerts",
    "/api/v1/alerts/open",
    "/api/v1/alarms",
    "/api/v1/alarms/suspensions",
    "/api/v1/alarms/figures",
    "/api/v1/diagnoses",
    "/api/v1/dead-letters",
    "/metrics",
    "/",
)
LETTER = {"stream_id": "5-0", "seq": "9", "code": "bad_length", "reason": "", "t": "1764000000"}


def machine_on(server: int) -> str:
    return next(m for m in MACHINES if server_number(m, SERVERS) == server)


@pytest.fixture
def machines(clients: list[Client]) -> None:
    for m in MACHINES:
        commit_health(clients[server_number(m, SERVERS)], m, "normal", bearing="normal")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[EmbeddedServer]]:
    """Servers that a test may stop, with the machines on them."""
    with ExitStack() as stack:
        folders = [tmp_path / f"server-{i}" for i in range(SERVERS)]
        started = [stack.enter_context(EmbeddedServer(load(data_dir=f))) for f in folders]
        for i, s in enumerate(started):
            with connect(s.url, "test") as client:
                require_place(client, Place(i, SERVERS))
                for m in (m for m in MACHINES if server_number(m, SERVERS) == i):
                    commit_health(client, m, "normal", bearing="normal")
        yield started


def sharing(servers: list[EmbeddedServer], data_dir: Path) -> Settings:
    return load(redis_urls=",".join(s.url for s in servers), data_dir=data_dir / "api")


def get(http: httpx.Client, path: str, **query: Any) -> Any:
    return http.get(path, params=query).raise_for_status().json()


def follow(http: httpx.Client, path: str) -> list[Any]:
    """Return the items of all pages of a list, one item a page."""
    items, following = [], f"{path}{'&' if '?' in path else '?'}limit=1"
    while following:
        page = http.get(following).raise_for_status().json()
        items += page["data"]
        following = page["next"] or ""
    return items


@pytest.mark.usefixtures("machines")
def test_lists_are_of_all_servers(shared: Settings, clients: list[Client]) -> None:
    for i, client in enumerate(clients):  # the same ids on both
        m = machine_on(i)
        for seq in (1, 2):
            client.xadd(keys.DEAD_LETTERS, LETTER | {"machine_id": m}, id=f"{seq}-0")
            alert = {"id": f"{m}:bearing:{seq}", "machine_id": m, "fault": "bearing", "t": "1"}
            client.xadd(keys.ALERTS, alert | {"event": "raised", "level": "fault"}, id=f"{seq}-0")
    with serving(shared) as http:
        assert [m["machine_id"] for m in follow(http, "/api/v1/machines")] == MACHINES
        fleet = get(http, "/api/v1/fleet", sort="name")
        assert [r["machine_id"] for r in fleet["data"]["rows"]] == MACHINES
        assert (fleet["data"]["machines"], fleet["away"]) == (8, [])
        letters = follow(http, "/api/v1/dead-letters")
        assert [d["id"] for d in letters] == ["2-0@1", "2-0@2", "1-0@1", "1-0@2"]
        of = [machine_on(i) for i in (0, 1, 0, 1)]
        assert [d["machine_id"] for d in letters] == of
        events = follow(http, "/api/v1/alerts")
        assert [(a["machine_id"], a["server"]) for a in events] == list(
            zip(of, (1, 2, 1, 2), strict=True)
        )
        assert len(follow(http, f"/api/v1/alerts?machine_id={machine_on(1)}")) == 2
        assert get(http, "/api/v1/coverage")["data"]["machines"] == 8
        tag = {"If-None-Match": http.get("/api/v1/fleet").headers["ETag"]}
        assert http.get("/api/v1/fleet", headers=tag).status_code == 304


@pytest.mark.usefixtures("machines")
def test_a_machine_is_asked_of_its_own_server(shared: Settings, clients: list[Client]) -> None:
    window = {"t0": 1764000000.0, "fs_hz": 1000, "channels": {"ia": [0.0, 0.1] * 100}}
    with serving(shared) as http:
        for m in MACHINES:
            sent = http.post(f"/api/v1/machines/{m}/windows", json=window | {"seq": 1})
            assert sent.status_code == 202
            put = http.put(f"/api/v1/machines/{m}", json={"pole_pairs": 2, "site": "North"})
            assert put.json()["data"]["nameplate"]["pole_pairs"] == 2
            for part in ("", "/diagnoses", "/coverage", "/sensitivity", "/evidence", "/history"):
                http.get(f"/api/v1/machines/{m}{part}").raise_for_status()
        for i, client in enumerate(clients):
            raws = [keys.RAW]
            sent_there = {f[b"machine_id"].decode() for r in raws for _, f in client.xrange(r)}
            assert sent_there == {m for m in MACHINES if server_number(m, SERVERS) == i}
        assert http.delete(f"/api/v1/machines/{MACHINES[0]}").status_code == 204
        assert get(http, "/api/v1/fleet")["data"]["machines"] == 7


@pytest.mark.usefixtures("machines")
def test_alarms_of_both_are_one_list(shared: Settings, clients: list[Client]) -> None:
    for i, client in enumerate(clients):
        set_flag(client, machine_on(i), "silent", True, reason("machine_silent"))
    why = reason("queue_without_worker", queue="bearing", windows=7)
    keep(clients[1], Condition(name="workers:bearing", holds=True, why=why, level="fault"), 30)
    with serving(shared) as http:
        alarms = get(http, "/api/v1/alarms")
        assert (alarms["open"], len(alarms["data"])) == (3, 3)
        ids = {a["machine_id"]: a["id"] for a in alarms["data"]}
        for machine_id in ("", machine_on(1)):
            seen = http.post(f"/api/v1/alarms/{ids[machine_id]}/acknowledge", json={"by": "me"})
            assert seen.status_code == 200, seen.text
            assert seen.json()["data"]["acknowledged_by"] == "me"
            assert len(get(http, f"/api/v1/alarms/{ids[machine_id]}")["data"]["actions"]) == 1
        bulk = {"filter": {"fault": "silent"}, "action": "close", "outcome": "other_cause"}
        bulk |= {"by": "me", "expected_count": 1}
        url = "/api/v1/alarms/actions"
        assert http.post(url, json=bulk).json()["code"] == "count_changed"
        done = http.post(url, json=bulk | {"expected_count": 2}).json()["data"]
        assert (done["count"], done["done"]) == (2, True)
        assert get(http, "/api/v1/alarms")["open"] == 1
        (system,) = get(http, "/api/v1/cluster/status")["data"]["alarms"]
        assert (system["fault"], system["server"]) == ("workers:bearing", 2)
        assert len(get(http, "/api/v1/alerts/open")["data"]) == 3


@pytest.mark.usefixtures("machines")
def test_status_adds_up_and_names_each(shared: Settings, clients: list[Client]) -> None:
    for i, client in enumerate(clients):
        client.hset(keys.COUNTERS, mapping={"windows_done": 10 * (i + 1)})
    with serving(shared) as http:
        status = get(http, "/api/v1/cluster/status")["data"]
        assert status["performance_metrics"]["windows_done"] == 30
        assert status["machines"] == 8
        assert [s["performance_metrics"]["windows_done"] for s in status["servers"]] == [10, 20]
        assert [p["server"] for p in status["partitions"]] == [1, 2]
        assert {c["server"] for c in status["checks"]} == {1, 2}
        metrics = http.get("/metrics").text
        assert 'vtox_windows_done_total{server="1"} 10.0' in metrics
        assert 'vtox_windows_done_total{server="2"} 20.0' in metrics
        assert http.get("/health/ready").status_code == 503  # no bridge on either


@pytest.mark.usefixtures("machines")
def test_the_history_has_both(shared: Settings, clients: list[Client]) -> None:
    for i, client in enumerate(clients):
        now = server_time(client)
        add_alert(client, now, machine_id=machine_on(i))
        add_metrics(client, now, throughput=5.0 + i)
        recorder = Recorder(client, shared, Place(i, SERVERS))
        assert recorder.record(Event()) > 0
        recorder.close()
        client.xtrim(keys.ALERTS, maxlen=0)
    with serving(shared) as http:
        assert {a["server"] for a in follow(http, "/api/v1/alerts")} == {1, 2}
        series = get(http, "/api/v1/cluster/history")["data"]["series"]
        assert [v for v in series["throughput"]["mean"] if v is not None] == [11.0]


def test_without_one_the_answers_of_the_other_come(
    servers: list[EmbeddedServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "READING_EVERY_S", 0.05)
    with serving(sharing(servers, tmp_path)) as http:
        assert get(http, "/api/v1/fleet")["data"]["states"]["normal"] == 8
        servers[1].stop()
        eventually(lambda: len(get(http, "/api/v1/fleet")["away"]) == 1)
        for path in PATHS:
            assert http.get(path).status_code == 200, path
        fleet = get(http, "/api/v1/fleet", sort="name")
        assert fleet["away"][0]["server"] == 2
        assert fleet["away"][0]["code"] == "server_is_away"
        of_away = [m for m in MACHINES if server_number(m, SERVERS) == 1]
        unknown = [r for r in fleet["data"]["rows"] if r["state"] == "unknown"]
        assert [r["machine_id"] for r in unknown] == of_away
        assert {r["reasons"][0]["code"] for r in unknown} == {"server_away"}
        assert http.get(f"/api/v1/machines/{of_away[0]}").json()["code"] == "server_unavailable"
        assert http.get(f"/api/v1/machines/{machine_on(0)}").status_code == 200
        status = get(http, "/api/v1/cluster/status")["data"]
        assert status["servers"][1]["away"]["server"] == 2
        assert status["performance_metrics"]["throughput"] is None
        assert 'vtox_server_up{server="2"} 0.0' in http.get("/metrics").text
        checks = http.get("/health/ready").json()["checks"]["server"]
        assert [c["status"] for c in checks] == ["pass", "fail"]


def test_keys_hold_while_the_first_server_is_away(
    servers: list[EmbeddedServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_module, "READING_EVERY_S", 0.05)
    shared = sharing(servers, tmp_path)
    with connect(servers[0].url, "test") as client:
        texts = [apikeys.create(client, ["read"])[0] for _ in range(2)]
    known, unknown = ({"X-API-Key": t} for t in texts)
    with serving(shared) as http:
        assert http.get("/api/v1/fleet").status_code == 401
        assert http.get("/api/v1/fleet", headers=known).status_code == 200
        servers[0].stop()
        eventually(lambda: http.get("/api/v1/fleet", headers=known).json().get("away"))
        assert http.get("/api/v1/fleet").status_code == 401
        assert http.get("/api/v1/fleet", headers=unknown).status_code == 503
    with serving(shared) as http:  # one that never saw the keys lets nobody in
        assert http.get("/api/v1/fleet", headers=known).status_code == 503


def test_servers_in_another_order_are_refused(shared: Settings) -> None:
    urls = ",".join(reversed((shared.redis_urls or "").split(",")))
    with serving(load(redis_urls=urls, data_dir=shared.data_dir)) as http:
        answer = http.get("/api/v1/fleet")
        assert answer.status_code == 503
        assert "has the machines of server 2 of 2" in answer.json()["detail"]
