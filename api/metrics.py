"""The snapshot in the text format of Prometheus."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector

from vtox.monitoring.throughput import Throughput
from vtox.store.status import Snapshot

__all__ = ["CONTENT_TYPE", "exposition"]

_QUEUE_GAUGES = {
    "waiting": ("vtox_queue_waiting_tasks", "Tasks that wait at the broker"),
    "in_flight": ("vtox_queue_in_flight_windows", "Windows dispatched and unfinished"),
    "in_flight_bytes": ("vtox_queue_in_flight_bytes", "Bytes dispatched and unfinished"),
    "workers": ("vtox_queue_workers", "Live workers"),
}
_QUEUE_COUNTERS = {
    "done": ("vtox_queue_windows_done", "Windows with a result"),
    "records_done": ("vtox_queue_records_done", "Records with a result"),
    "dead": ("vtox_queue_windows_dead", "Windows given up"),
}
_WORKER_GAUGES = {
    "cpu_percent": ("vtox_worker_cpu_percent", "CPU of the worker and its children"),
    "memory_bytes": ("vtox_worker_memory_bytes", "Memory of worker and children"),
    "windows_per_s": ("vtox_worker_windows_per_second", "Windows of the last 30 s"),
}
_WINDOWS = ("in", "done", "dead", "refused", "duplicate")


def exposition(snap: Snapshot, rate: Throughput) -> bytes:
    """Return the whole exposition; a figure that is not known is absent."""
    registry = CollectorRegistry()
    registry.register(_Snapshot(snap, rate))
    return generate_latest(registry)


class _Snapshot(Collector):
    def __init__(self, snap: Snapshot, rate: Throughput) -> None:
        self.snap = snap
        self.rate = rate

    def collect(self) -> Iterator[Metric]:
        snap, rate = self.snap, self.rate
        source = {"source": rate.source or "none"}
        yield _gauge("vtox_throughput_windows_per_second", "Finished", rate.windows_per_s, source)
        yield _gauge("vtox_throughput_age_seconds", "Age of the throughput", rate.age_s, source)
        latest = snap.metrics[0] if snap.metrics else {}
        for name in ("latency_p50_ms", "latency_p95_ms"):
            yield _gauge(f"vtox_{name}", "Arrival to result, last interval", latest.get(name))
        yield _gauge("vtox_backlog_windows", "Not finished by all families", snap.backlog)
        yield _gauge("vtox_machines", "Known machines", snap.machines)
        yield _gauge("vtox_bridge_up", "A bridge owns the stream", int(snap.bridge_alive))
        for name in _WINDOWS:
            value = snap.counters.get(f"windows_{name}", 0)
            yield CounterMetricFamily(f"vtox_windows_{name}", f"Windows: {name}", value=value)
        lengths = GaugeMetricFamily("vtox_stream_length", "Entries", labels=["stream"])
        for stream, length in snap.lengths.items():
            lengths.add_metric([stream], length)
        yield lengths
        if snap.group:
            yield _gauge("vtox_stream_lag", "Entries not read", snap.group.lag)
            yield _gauge("vtox_stream_pending", "Read and unfinished", snap.group.pending)
        if server := snap.server:
            yield _gauge("vtox_server_memory_bytes", "In use", server.used_memory_bytes)
            yield _gauge("vtox_server_memory_limit_bytes", "Limit", server.maxmemory_bytes)
        yield from self._queues()
        yield from self._workers()

    def _queues(self) -> Iterator[Metric]:
        for field, (name, text) in _QUEUE_GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["queue"])
            for queue, q in self.snap.queues.items():
                gauge.add_metric([queue], getattr(q, field))
            yield gauge
        for field, (name, text) in _QUEUE_COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["queue"])
            for queue, q in self.snap.queues.items():
                counter.add_metric([queue], getattr(q, field))
            yield counter

    def _workers(self) -> Iterator[Metric]:
        for field, (name, text) in _WORKER_GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["worker"])
            for w in self.snap.workers:
                if (value := getattr(w, field)) is not None:
                    gauge.add_metric([w.name], value)
            yield gauge


def _gauge(
    name: str, text: str, value: float | None, labels: Mapping[str, str] | None = None
) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=list(labels or {}))
    if value is not None:
        gauge.add_metric(list((labels or {}).values()), value)
    return gauge
