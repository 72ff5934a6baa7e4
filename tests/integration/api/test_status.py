"""Status, health, metrics and pages of the HTTP service."""

import asyncio
import json
import re
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from api.factory import create_app
from tests.integration.api.test_machines import commit_health
from tests.integration.conftest import serving
from tests.paths import ROOT
from tests.waiting import eventually
from vtox.motor.errors import SystemStateError
from vtox.motor.faults import FAMILIES
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.monitoring.monitor import watch_system
from vtox.pipeline.monitoring.throughput import READING_EVERY_S
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import HostScaling
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system.agreement import terms

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def bring_up(client: Client) -> None:
    """Leave the traces of a bridge and one worker for each family."""
    client.xgroup_create(keys.RAW, keys.GROUP, id="0", mkstream=True)
    client.set(keys.LEASE, "token", px=60_000)
    for name in FAMILIES:
        beat = {
            "name": f"{name}@h",
            "host": "h",
            "pid": 42,
            "queues": f'["{name}"]',
            "cpu_percent": 31.5,
            "memory_bytes": 150_000_000,
            "windows_per_s": 9.5,
            "tasks_done": 7,
            "last_seen_t": time.time(),
        }
        client.hset(keys.worker(f"{name}@h"), mapping=beat)
        client.sadd(keys.WORKERS, f"{name}@h")


def test_status_of_an_idle_system(fresh_http: httpx.Client) -> None:
    data = fresh_http.get("/api/v1/cluster/status").raise_for_status().json()["data"]
    assert data["state"] == "degraded"
    assert data["performance_metrics"]["throughput"] is None
    assert "no live worker" in data["performance_metrics"]["throughput_reason"]
    assert data["workers"] == []
    assert set(data["queues"]) == set(FAMILIES)
    assert data["streams"]["motor_raw_data"]["length"] == 0


def test_status_says_how_workers_are_scaled(fresh_http: httpx.Client, client: Client) -> None:
    now = server_time(client)
    values = {"family": "bearing", "age_s": 9.0}
    heartbeats.send(
        client,
        HostScaling(
            host="h",
            pid=1,
            last_seen_t=now,
            workers=3,
            least=1,
            most=6,
            code="records_wait",
            values=values,
            change=1,
            changed_t=now - 60,
        ),
    )
    (told,) = fresh_http.get("/api/v1/cluster/status").json()["data"]["scaling"]
    assert (told["host"], told["workers"], told["least"], told["most"]) == ("h", 3, 1, 6)
    assert (told["code"], told["change"]) == ("records_wait", 1)
    assert told["reason"] == render("records_wait", values) != ""


@pytest.mark.parametrize(("tolerant", "starts"), [(False, False), (True, True)])
def test_beside_bridges_on_other_terms_it_does_not_start_unless_told_so(
    client: Client, settings: Settings, tolerant: bool, starts: bool
) -> None:
    bring_up(client)
    other = terms(settings) | {"VTOX_MAX_WINDOW_BYTES": "1"}
    worker, stop = keys.worker("bearing@h"), Event()
    client.hset(worker, "terms", json.dumps(other))
    app = create_app(settings.model_copy(update={"hosts_may_differ": tolerant}))

    def report_again() -> None:
        while not stop.wait(0.1):
            client.hincrbyfloat(worker, "last_seen_t", 0.1)

    thread = Thread(target=report_again)
    thread.start()
    with ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(stop.set)
        if not starts:
            stack.enter_context(pytest.raises(SystemStateError, match="VTOX_MAX_WINDOW_BYTES"))
        asyncio.run(start_and_stop(app))


async def start_and_stop(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        pass


def test_status_of_a_working_system(fresh_http: httpx.Client, client: Client) -> None:
    bring_up(client)
    entry = {"t": time.time(), "interval_s": 10, "throughput": 49.9, "ingest_rate": 50.1}
    client.xadd(keys.METRICS, entry | {"latency_p50_ms": 80, "latency_p95_ms": ""})
    client.hset(keys.COUNTERS, mapping={"windows_done": 500, "windows:bearing": 510})
    data = fresh_http.get("/api/v1/cluster/status").raise_for_status().json()["data"]
    assert data["state"] == "running"
    figures = data["performance_metrics"]
    assert figures["throughput"] == 49.9
    assert figures["throughput_source"] == "performance_metrics"
    assert 0 <= figures["throughput_age_s"] < 5
    assert (figures["ingest_rate"], figures["latency_p50_ms"]) == (50.1, 80)
    assert figures["latency_p95_ms"] is None
    assert data["queues"]["bearing"]["done"] == 510
    raw = data["streams"]["motor_raw_data"]
    assert (raw["lag"], raw["lag_exact"], raw["pending"]) == (0, True, 0)
    worker = next(w for w in data["workers"] if w["queues"] == ["bearing"])
    assert (worker["host"], worker["pid"], worker["tasks_done"]) == ("h", 42, 7)
    assert worker["memory_bytes"] == 150_000_000
    assert worker["last_seen"].endswith("Z")


def test_workers_are_the_last_source(fresh_http: httpx.Client, client: Client) -> None:
    bring_up(client)
    figures = fresh_http.get("/api/v1/cluster/status").json()["data"]["performance_metrics"]
    assert (figures["throughput"], figures["throughput_source"]) == (9.5, "workers")


def test_a_silent_monitor_has_no_latency(fresh_http: httpx.Client, client: Client) -> None:
    old = {"t": time.time() - 90, "interval_s": 10, "throughput": 1, "latency_p50_ms": 80}
    client.xadd(keys.METRICS, old)
    figures = fresh_http.get("/api/v1/cluster/status").json()["data"]["performance_metrics"]
    assert figures["latency_p50_ms"] is None
    assert figures["throughput"] is None


def test_the_sampler_makes_the_stream_a_source(fresh_http: httpx.Client, client: Client) -> None:
    client.xgroup_create(keys.RAW, keys.GROUP, id="0", mkstream=True)
    sent, began = 0, time.monotonic()
    while time.monotonic() - began < 30:
        sent += 1
        entry_id = client.xadd(keys.RAW, {"a": 1})
        client.xreadgroup(keys.GROUP, "c", {keys.RAW: ">"})
        client.xack(keys.RAW, keys.GROUP, entry_id)
        figures = fresh_http.get("/api/v1/cluster/status").json()["data"]["performance_metrics"]
        if figures["throughput"]:
            break
        time.sleep(0.1)
    assert figures["throughput_source"] == "stream_activity"
    # The rates come from two readings this far apart, between any two sendings, with at most one
    # entry under way.
    assert 0 < figures["throughput"] <= sent / READING_EVERY_S
    assert abs(figures["ingest_rate"] - figures["throughput"]) <= 1 / READING_EVERY_S + 0.01


def test_root_is_json_for_programs(http: httpx.Client) -> None:
    answer = http.get("/").raise_for_status()
    data = answer.json()["data"]
    assert data["name"] == "VTOX"
    assert all(http.get(link).status_code in (200, 503) for link in data["links"].values())
    assert answer.headers["vary"] == "Accept, Accept-Language"


def test_root_is_a_page_for_browsers(http: httpx.Client) -> None:
    page = http.get("/", headers=BROWSER).raise_for_status()
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/machines/V001", "/docs"])
def test_pages_load_nothing_from_elsewhere(http: httpx.Client, path: str) -> None:
    page = http.get(path, headers=BROWSER).raise_for_status().text
    assert "http://" not in page
    assert "https://" not in page
    for part in page.split('"'):
        if part.startswith("/static/"):
            http.get(part).raise_for_status()


@pytest.mark.parametrize("name", ["index.html", "nothing.js", "..%2fmain.py", "%2e%2e"])
def test_only_assets_are_served(http: httpx.Client, name: str) -> None:
    assert http.get(f"/static/{name}").status_code == 404


def test_every_asset_is_served_with_its_type(http: httpx.Client) -> None:
    static = ROOT / "api/static"
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for file in static.iterdir():
        if kind := types.get(file.suffix):
            assert http.get(f"/static/{file.name}").headers["content-type"].startswith(kind)


def test_version(http: httpx.Client) -> None:
    assert http.get("/version").json()["data"]["api"] == "v1"


def test_metrics_parse(fresh_http: httpx.Client, client: Client) -> None:
    bring_up(client)
    answer = fresh_http.get("/metrics").raise_for_status()
    samples = {
        (s.name, s.labels.get("queue")): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }
    assert samples["vtox_queue_workers", "bearing"] == 1
    assert samples["vtox_bridge_up", None] == 1
    assert samples["vtox_worker_cpu_ratio", None] == pytest.approx(0.315)


def test_metrics_tell_so_many_machines_as_are_asked_for(settings: Settings, client: Client) -> None:
    for name in ("M10", "M2", "M3"):
        commit_health(client, name, bearing="fault", broken_bar="unknown")
    asked = settings.model_copy(update={"metrics_machines": 2})
    with serving(asked) as http:
        text = http.get("/metrics").raise_for_status().text
    assert 'vtox_machine_fault_state{fault="bearing",machine_id="M2"} 2.0' in text
    assert "broken_bar" not in "".join(x for x in text.splitlines() if "fault_state" in x)
    told = re.findall(r'vtox_machine_health_percent\{machine_id="(\w+)"', text)
    assert told == ["M2", "M3"]


def test_the_rules_for_prometheus_name_metrics_that_are_there(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    bring_up(client)
    watch_system(client, settings)
    text = fresh_http.get("/metrics").raise_for_status().text
    rules = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    names = set(re.findall(r"\bvtox_\w+", rules))
    assert len(names) >= 3
    there = {f.name for f in text_string_to_metric_families(text)}
    assert names <= there


def test_latency_is_a_histogram_of_every_record(fresh_http: httpx.Client, client: Client) -> None:
    # Counted by commits: 1.1**48 is 97.02 ms, so a record of 97 ms is in bucket 47, of 98 ms in 48.
    client.hset(keys.LATENCY, mapping={"bearing:0": 2, "bearing:48": 3, "bearing:49": 1})
    client.hset(keys.COUNTERS, "latency_ms:bearing", 400)
    text = fresh_http.get("/metrics").raise_for_status().text
    (family,) = (
        f for f in text_string_to_metric_families(text) if f.name == "vtox_latency_seconds"
    )
    assert family.type == "histogram"
    samples = {
        (s.name.removeprefix("vtox_latency_seconds_"), s.labels.get("le")): s.value
        for s in family.samples
        if s.labels["queue"] == "bearing"
    }
    assert samples["sum", None] == 0.4
    assert samples["count", None] == samples["bucket", "+Inf"] == 6
    # 1.1**49 is 106.7 ms.
    assert samples["bucket", "0.106"] == 5
    assert samples["bucket", "0.054"] == samples["bucket", "0.003"] == 2


@pytest.mark.parametrize("state", ["idle", "working"])
def test_promtool_has_nothing_to_say_of_the_metrics(
    fresh_http: httpx.Client, client: Client, state: str
) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: on Debian and Ubuntu, apt-get install prometheus")
    if state == "working":
        bring_up(client)
    text = fresh_http.get("/metrics").raise_for_status().content
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_ready_says_what_is_missing(fresh_http: httpx.Client, client: Client) -> None:
    answer = fresh_http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/health+json"
    assert "vtox up" in answer.json()["checks"]["bridge"][0]["output"]
    bring_up(client)
    ready = eventually(lambda: (a := fresh_http.get("/health/ready")).is_success and a)
    assert ready.json()["status"] == "pass"


def test_without_a_server_only_liveness_and_pages_remain(tmp_path: Path) -> None:
    with serving(load(redis_url="redis://127.0.0.1:1/0", data_dir=tmp_path)) as http:
        assert http.get("/health/live").json() == {"status": "pass"}
        ready = http.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["server"][0]["status"] == "fail"
        assert http.get("/", headers=BROWSER).status_code == 200
        for path in ("/", "/api/v1/cluster/status", "/api/v1/machines", "/metrics"):
            answer = http.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"]
            assert answer.json()["code"] == "server_unavailable"


def test_before_the_embedded_server_exists_the_answer_says_how(tmp_path: Path) -> None:
    with serving(load(data_dir=tmp_path, cluster_enabled=False)) as http:
        detail = http.get("/api/v1/cluster/status").json()["detail"]
        assert "vtox up" in detail
        assert "VTOX_CLUSTER_ENABLED is false" in detail
        ready = http.get("/health/ready")
        assert ready.status_code == 503
        assert "VTOX_CLUSTER_ENABLED" in ready.json()["checks"]["server"][0]["output"]
