"""One window from its sender to its result, in the spans that a collector receives."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.cluster import free_ports
from tests.integration.helpers import add_window, bridging
from tests.paths import ROOT
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client

pytest.importorskip("opentelemetry.exporter", reason="no OpenTelemetry: make setup EXTRAS=otel")
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = pytest.mark.long

TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
QUEUE = "turn_short"


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def of_trace(self, trace: str) -> dict[str, list[Any]]:
        """Return name -> spans of one trace."""
        found: dict[str, list[Any]] = defaultdict(list)
        for s in list(self.spans):
            if s.trace_id.hex() == trace:
                found[s.name].append(s)
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        import gzip

        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += scope.spans
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@contextmanager
def worker(settings: Settings, folder: Path, url: str) -> Iterator[None]:
    """Run a worker of one queue, each task in its own pool process."""
    given = {
        "VTOX_REDIS_URL": settings.working_url(),
        "VTOX_TRACES_URL": url,
        "VTOX_WORKER_PORT": str(free_ports(1)[0]),
        "PYTHONPATH": str(ROOT),
    }
    command = ("celery", "-A", "vtox", "worker", "-Q", QUEUE, "--max-tasks-per-child", "1")
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=parent_watch.child_environment(given),
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()


@contextmanager
def system(settings: Settings, folder: Path, url: str, **more: Any) -> Iterator[None]:
    traced = load(redis_url=settings.redis_url, batch_wait_ms=1, traces_url=url, **more)
    queues = TaskQueues()

    def send(family: str, record_ids: list[str]) -> None:
        if family == QUEUE:
            queues.send(family, record_ids)

    with worker(settings, folder, url), bridging(traced, send, queues.waiting_tasks):
        yield


def test_a_window_is_followed_from_its_sender_to_the_commit(
    client: Client,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    collector: Collector,
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    dispatches = {f"dispatch {family}" for family in FAMILIES}
    wanted = {"admit", *dispatches, QUEUE, "fetch", "diagnose", "commit"}
    with system(settings, tmp_path, collector.url):
        for seq, trace in enumerate((TRACE, TRACE[::-1])):
            # The second is diagnosed by a pool process that took the place of the first one's.
            add_window(client, seq=seq, traceparent=f"00-{trace}-{SENDER}-01")
            eventually(lambda n=seq: client.xlen(keys.RESULTS) >= 2 * (n + 1), 60)
        add_window(client, "UNSAMPLED", traceparent=f"00-{TRACE}-{SENDER}-00")
        add_window(client, "DAMAGED", traceparent="what is this")
        eventually(lambda: client.xlen(keys.RESULTS) >= 8, 60)
        for trace in (TRACE, TRACE[::-1]):
            eventually(
                lambda t=trace: collector.of_trace(t).keys() == wanted,
                20,
                lambda t=trace: str(sorted(collector.of_trace(t))),
            )
    spans = {name: one for name, (one,) in collector.of_trace(TRACE).items()}
    assert spans["admit"].parent_span_id.hex() == SENDER
    assert spans[QUEUE].parent_span_id == spans["admit"].span_id
    for part in ("fetch", "diagnose", "commit"):
        assert spans[part].parent_span_id == spans[QUEUE].span_id
        assert spans[part].start_time_unix_nano <= spans[part].end_time_unix_nano
    about = {a.key: a.value for a in spans["admit"].attributes}
    assert about["vtox.machine_id"].string_value == "V001"
    of_worker = {a.key for a in spans[QUEUE].attributes}
    assert {"vtox.record_id", "vtox.worker", "vtox.turn_short"} <= of_worker
    assert len(collector.spans) == 2 * len(wanted)


def test_a_share_of_the_other_windows_begins_a_trace_and_an_absent_collector_delays_none(
    client: Client,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    collector: Collector,
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    away = collector.url
    collector.shutdown()
    collector.server_close()
    with system(settings, tmp_path, away, traces_share=1.0):
        for seq in range(3):
            add_window(client, seq=seq)
        eventually(lambda: client.xlen(keys.RESULTS) >= 6, 60)
    rows = [e for _, e in client.xrange(keys.RESULTS)]
    assert {r[b"machine_id"] for r in rows} == {b"V001"}
