"""The state of the system in the text format of Prometheus.

Counters and the histogram are kept by the scripts on the server for every record; a
figure that is not known is absent.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import floor

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client.registry import Collector

from api.state.fleet_list import FleetRow
from vtox.motor.alarms.life import OPEN_STATES
from vtox.pipeline.monitoring.capacity import THREADS, capacity
from vtox.pipeline.monitoring.throughput import Throughput
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS
from vtox.pipeline.store.ledger.outcomes import BUCKET_BASE
from vtox.pipeline.store.machines.energy import SitePower
from vtox.pipeline.store.system.status import Snapshot, dead_letters

__all__ = ["CONTENT_TYPE", "exposition"]

_QUEUE_GAUGES = {
    "waiting": ("vtox_queue_waiting_tasks", "Tasks that wait at the broker."),
    "in_flight": ("vtox_queue_in_flight_windows", "Windows dispatched and not finished."),
    "in_flight_bytes": ("vtox_queue_in_flight_bytes", "Bytes dispatched and not finished."),
    "workers": ("vtox_queue_workers", "Live workers."),
}
_QUEUE_COUNTERS = {
    "done": ("vtox_queue_windows_done", "Windows diagnosed."),
    "records_done": ("vtox_queue_records_done", "Records diagnosed."),
    "dead": ("vtox_queue_windows_dead", "Windows that could not be diagnosed."),
}
# Field -> name, help, and the base unit as multiple of the field's.
_WORKER_GAUGES = {
    "cpu_percent": ("vtox_worker_cpu_ratio", "CPU time per time; 1 is one core.", 0.01),
    "memory_bytes": ("vtox_worker_memory_bytes", "Memory of the worker and its children.", 1),
    "windows_per_s": (
        "vtox_worker_windows_per_second",
        "Windows diagnosed per second, averaged over 30 s.",
        1,
    ),
    "clock_offset_s": (
        "vtox_worker_clock_offset_seconds",
        "By how much the worker's clock is ahead of the server's.",
        1,
    ),
}
_WORKER_COUNTERS = {
    "tasks_done": ("vtox_worker_tasks", "Tasks finished since the worker started."),
    "windows_done": ("vtox_worker_windows", "Windows diagnosed since the worker started."),
    "diagnosis_s": ("vtox_worker_diagnosis_seconds", "Time spent in diagnosis."),
    "busy_s": ("vtox_worker_busy_seconds", "Time spent in tasks."),
}
_TARGET_GAUGES = {
    "waiting": ("vtox_notify_waiting_messages", "Messages that are due or tried again."),
    "held": (
        "vtox_notify_held_messages",
        "Messages that wait for a digest, or for the end of a suspension.",
    ),
    "dead": ("vtox_notify_dead_messages", "Messages that were given up."),
    "failures": ("vtox_notify_failures", "Failures of the target in a row."),
}
# States of a machine, as 0, 1, 2; a fault that is unknown has no value.
_STATES = ("normal", "warning", "fault")
# Gauges of `SitePower`, by site.
_SITE_GAUGES = {
    "power_kw": ("vtox_power_kilowatts", "Active power of machines whose power is measured now."),
    "machines": ("vtox_power_machines", "Machines whose power is measured now."),
    "loss_kw": ("vtox_loss_kilowatts", "Losses of machines whose losses are estimated now."),
}
_ROOM = "vtox_room_machines"
_ROOM_TEXT = "About how many more machines like those that send there would be room for."
_WINDOWS = {
    "in": "Windows admitted.",
    "done": "Windows that all families have diagnosed.",
    "dead": "Windows that a family could not diagnose.",
    "refused": "Stream entries that are not valid windows.",
    "duplicate": "Windows that were sent before.",
}
# Every seventh edge of the buckets that the commits count, a factor of 1.95: 3 ms to 3 min.
_LATENCY_EDGES = range(14, 133, 7)


def exposition(
    snap: Snapshot,
    rate: Throughput,
    open_alarms: Mapping[tuple[str, str], int] | None = None,
    power: Mapping[str, SitePower] | None = None,
    machines: Sequence[FleetRow] = (),
) -> bytes:
    """Return the metrics of a snapshot, of open alarms by state and level, sites and machines."""
    registry = CollectorRegistry()
    registry.register(_SnapshotCollector(snap, rate, open_alarms or {}, power or {}, machines))
    return generate_latest(registry)


class _SnapshotCollector(Collector):
    def __init__(
        self,
        snap: Snapshot,
        rate: Throughput,
        open_alarms: Mapping[tuple[str, str], int],
        power: Mapping[str, SitePower],
        machines: Sequence[FleetRow],
    ) -> None:
        self.snap = snap
        self.rate = rate
        self.open_alarms = open_alarms
        self.power = power
        self.machines = machines

    def collect(self) -> Iterator[Metric]:
        yield from self._system()
        yield self._latency()
        yield from self._capacity()
        yield from self._streams()
        yield from self._queues()
        yield from self._workers()
        yield from self._notifier()
        yield from self._energy()
        yield from self._machines()

    def _machines(self) -> Iterator[Metric]:
        if not self.machines:
            return
        health = GaugeMetricFamily(
            "vtox_machine_health_percent", "Health of a machine.", labels=["machine_id", "site"]
        )
        state = GaugeMetricFamily(
            "vtox_machine_fault_state",
            "0 normal, 1 warning, 2 fault; absent where unknown.",
            labels=["machine_id", "fault"],
        )
        for row in self.machines:
            if row.health is not None:
                health.add_metric([row.machine_id, row.site], row.health)
            for fault, name in row.faults.items():
                if name in _STATES:
                    state.add_metric([row.machine_id, fault], _STATES.index(name))
        yield from (health, state)

    def _energy(self) -> Iterator[Metric]:
        for field, (name, text) in _SITE_GAUGES.items():
            family = GaugeMetricFamily(name, text, labels=["site"])
            for site, power in self.power.items():
                family.add_metric([site], getattr(power, field))
            yield family

    def _system(self) -> Iterator[Metric]:
        snap, rate = self.snap, self.rate
        source = {"source": rate.source or "none"}
        yield _gauge(
            "vtox_throughput_windows_per_second",
            "Windows finished by all families per second, averaged over 30 s.",
            rate.windows_per_s,
            source,
        )
        yield _gauge("vtox_throughput_age_seconds", "Age of the throughput.", rate.age_s, source)
        yield _gauge(
            "vtox_backlog_windows", "Windows that some family has not finished.", snap.backlog
        )
        yield _gauge("vtox_machines", "Machines registered or sending.", snap.machines)
        yield from self._alarms()
        yield _gauge("vtox_bridge_up", "1 while a bridge owns the stream.", int(snap.bridge_alive))
        for name, text in _WINDOWS.items():
            value = snap.counters.get(f"windows_{name}", 0)
            yield CounterMetricFamily(f"vtox_windows_{name}", text, value=value)
        yield CounterMetricFamily(
            "vtox_tasks_refused",
            "Messages of the task queues that are no task of VTOX.",
            value=snap.counters.get("tasks_refused", 0),
        )
        unreadable = CounterMetricFamily(
            "vtox_entries_unreadable",
            "Entries that a reader of streams could not read and has passed over.",
            labels=["reader"],
        )
        for reader, n in snap.unreadable.items():
            unreadable.add_metric([reader], n)
        yield unreadable
        if server := snap.server:
            yield _gauge(
                "vtox_server_memory_bytes", "Memory of the server in use.", server.used_memory_bytes
            )
            yield _gauge(
                "vtox_server_memory_limit_bytes", "Its memory limit.", server.maxmemory_bytes
            )

    def _alarms(self) -> Iterator[Metric]:
        """Return the alarms that are raised, and the figures by which the monitor decides them."""
        alarms = GaugeMetricFamily(
            "vtox_system_alarm", "1 for an alarm of the system.", labels=["alarm", "level"]
        )
        for a in self.snap.alarms:
            alarms.add_metric([a.fault, a.level], 1)
        yield alarms
        opened = GaugeMetricFamily(
            "vtox_open_alarms",
            "Alarms of machines and of the system that are open, by state.",
            labels=["state", "level"],
        )
        for state, level in product(OPEN_STATES, ("warning", "fault")):
            opened.add_metric([state, level], self.open_alarms.get((state, level), 0))
        yield opened
        if watch := self.snap.watch:
            age_s = max(self.snap.t - watch.t, 0.0)
            yield _gauge("vtox_monitor_age_seconds", "Time since the monitor last looked.", age_s)
            if age_s <= STALE_INTERVALS * watch.interval_s:
                yield _gauge(
                    "vtox_unread_age_seconds",
                    "Age of the oldest window that is unread.",
                    watch.unread_age_s or 0.0,
                )
                yield _gauge(
                    "vtox_unfinished_age_seconds",
                    "Age of the oldest window that some family has not finished.",
                    watch.unfinished_age_s or 0.0,
                )
        letters = CounterMetricFamily("vtox_dead_letters", "Dead letters.", labels=["code"])
        for code, n in dead_letters(self.snap.counters).items():
            letters.add_metric([code], n)
        yield letters

    def _latency(self) -> Metric:
        """Return the latency of every record committed.

        A latency is a whole number of ms, so that those in the buckets below an edge are exactly
        those up to the whole ms below it.
        """
        histogram = HistogramMetricFamily(
            "vtox_latency_seconds",
            "Time from the arrival of a record's last window to its result.",
            labels=["queue"],
        )
        for queue in self.snap.queues:
            records = self.snap.latency.get(queue, {})
            buckets: list[tuple[str, float]] = [
                (
                    f"{floor(BUCKET_BASE**edge) / 1000:g}",
                    sum(n for bucket, n in records.items() if bucket < edge),
                )
                for edge in _LATENCY_EDGES
            ]
            buckets.append(("+Inf", sum(records.values())))
            total_s = self.snap.counters.get(f"latency_ms:{queue}", 0) / 1000
            histogram.add_metric([queue], buckets, total_s)
        return histogram

    def _capacity(self) -> Iterator[Metric]:
        now = capacity(self.snap.metrics, self.snap.t)
        busy = GaugeMetricFamily(
            "vtox_queue_busy_ratio",
            "Share of the time of the queue's workers that tasks took, over a minute.",
            labels=["queue"],
        )
        threads = GaugeMetricFamily(
            "vtox_thread_busy_ratio",
            "CPU time per time of what has one thread: server and bridge; 1 is all it can do.",
            labels=["thread"],
        )
        for name, share in now.used.items():
            if name in THREADS:
                threads.add_metric([name], share)
            elif name in self.snap.queues:
                busy.add_metric([name], share)
        yield from (busy, threads)
        yield _gauge(_ROOM, _ROOM_TEXT, now.room)

    def _streams(self) -> Iterator[Metric]:
        lengths = GaugeMetricFamily(
            "vtox_stream_length", "Entries in the stream.", labels=["stream"]
        )
        for stream, length in self.snap.lengths.items():
            lengths.add_metric([stream], length)
        yield lengths
        if group := self.snap.group:
            yield _gauge("vtox_stream_lag", "Entries of the raw stream not read yet.", group.lag)
            yield _gauge("vtox_stream_pending", "Entries read and not finished.", group.pending)
        lags = GaugeMetricFamily(
            "vtox_partition_lag", "Entries of a partition not read yet.", labels=["partition"]
        )
        owned = GaugeMetricFamily(
            "vtox_partition_up", "1 while a bridge serves the partition.", labels=["partition"]
        )
        for p in self.snap.partitions:
            owned.add_metric([str(p.number)], int(p.owned))
            if p.group and p.group.lag is not None:
                lags.add_metric([str(p.number)], p.group.lag)
        yield from (lags, owned)

    def _queues(self) -> Iterator[Metric]:
        for field, (name, text) in _QUEUE_GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["queue"])
            for queue, q in self.snap.queues.items():
                if (value := getattr(q, field)) is not None:
                    gauge.add_metric([queue], value)
            yield gauge
        for field, (name, text) in _QUEUE_COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["queue"])
            for queue, q in self.snap.queues.items():
                counter.add_metric([queue], getattr(q, field))
            yield counter

    def _workers(self) -> Iterator[Metric]:
        for field, (name, text, factor) in _WORKER_GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["worker"])
            for w in self.snap.workers:
                if (value := getattr(w, field)) is not None:
                    gauge.add_metric([w.name], value * factor)
            yield gauge
        for field, (name, text) in _WORKER_COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["worker"])
            for w in self.snap.workers:
                counter.add_metric([w.name], getattr(w, field))
            yield counter

    def _notifier(self) -> Iterator[Metric]:
        """Return the gauges of the notifier and its targets; nothing if it has not reported."""
        beat = self.snap.notifier
        if beat is None:
            return
        age_s = beat.age_s(self.snap.t)
        yield _gauge("vtox_notifier_age_seconds", "Since the notifier reported.", age_s)
        for field, (name, text) in _TARGET_GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["target"])
            for target, state in beat.targets.items():
                gauge.add_metric([target], getattr(state, field))
            yield gauge
        oldest = GaugeMetricFamily(
            "vtox_notify_oldest_seconds", "Age of the oldest that waits.", labels=["target"]
        )
        delivered = CounterMetricFamily(
            "vtox_notify_delivered", "Messages that the target has taken.", labels=["target"]
        )
        for target, state in beat.targets.items():
            delivered.add_metric([target], state.delivered)
            if state.oldest_t is not None:
                oldest.add_metric([target], max(self.snap.t - state.oldest_t, 0.0))
        yield oldest
        yield delivered


def _gauge(
    name: str, text: str, value: float | None, labels: Mapping[str, str] | None = None
) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=list(labels or {}))
    if value is not None:
        gauge.add_metric(list((labels or {}).values()), value)
    return gauge
