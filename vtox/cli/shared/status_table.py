"""The state of the system as text, for `vtox status` and `vtox demo`."""

from rich.table import Table
from rich.text import Text

from vtox.cli.shared.columns import columns
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration import keys
from vtox.pipeline.monitoring.capacity import Capacity, capacity
from vtox.pipeline.monitoring.throughput import Throughput
from vtox.pipeline.store.ledger.heartbeats import HostScaling
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.system.status import Snapshot

UNKNOWN = "?"


def count(n: float | None) -> str:
    """Return a count, `?` if the server does not know it."""
    return UNKNOWN if n is None else str(n)


def rate_line(rate: Throughput) -> Text:
    """Return the throughput with its source and age, or why it is unknown."""
    if rate.windows_per_s is None:
        return Text("unknown: ").append(rate.reason, "dim")
    text = Text(f"{rate.windows_per_s:.1f} windows/s", "bold")
    age = "" if rate.age_s is None else f", {rate.age_s:.0f} s old"
    return text.append(f"  {rate.source}{age}", "not bold dim")


def latency_line(snap: Snapshot) -> str:
    """Return the latencies that the monitor measured last."""
    latest = snap.metrics[0] if snap.metrics else Metrics()
    p50, p95 = latest.latency_p50_ms, latest.latency_p95_ms
    if p50 is None or p95 is None:
        return "not measured"
    return f"{latency(p50)} median, {latency(p95)} 95th percentile"


def latency(ms: float) -> str:
    """Return a latency with its unit: whole seconds from ten on."""
    return f"{ms:.0f} ms" if round(ms) < 10_000 else f"{ms / 1000:.0f} s"


def room_line(c: Capacity) -> str:
    """Return how many more machines there is room for, and the limit."""
    return render(c.why.code, c.why.values)


def raw_line(snap: Snapshot) -> str:
    """Return XINFO GROUPS of the raw stream in one line."""
    entries = f"{snap.lengths[keys.RAW]} entries"
    g = snap.group
    if g is None:
        return f"{entries}, no consumer group yet"
    counts = f"lag {count(g.lag)}, pending {g.pending}, entries-read {count(g.entries_read)}"
    return f"{entries}, group {keys.GROUP}: {counts}"


def partitions(snap: Snapshot) -> Table:
    """Return a table with a row for each partition of the raw stream."""
    numbers = ("entries", "lag", "pending", "bridge")
    table = columns("stream", *numbers, right=numbers)
    for p in snap.partitions:
        lag, pending = (p.group.lag, p.group.pending) if p.group else (None, None)
        bridge = Text("none", "bold red")
        if p.owned:
            bridge = Text(f"{p.bridge.host} {p.bridge.pid}" if p.bridge else "starting")
        table.add_row(p.stream, str(p.length), count(lag), count(pending), bridge)
    return table


def queues(snap: Snapshot) -> Table:
    """Return a table with a row for each queue."""
    numbers = ("waiting", "in flight", "done", "dead", "workers", "busy")
    table = columns("queue", *numbers, right=numbers)
    used = capacity(snap.metrics, snap.t).used
    for name, q in snap.queues.items():
        busy = f"{used[name]:.0%}" if name in used else UNKNOWN
        counts = (q.in_flight, q.done, q.dead)
        workers = Text(str(q.workers), "" if q.workers else "bold red")
        table.add_row(name, count(q.waiting), *map(str, counts), workers, busy)
    return table


def workers(snap: Snapshot) -> Table:
    """Return a table with a row for each worker."""
    numbers = ("pid", "port", "cpu", "memory", "windows/s", "seen")
    table = columns("worker", *numbers, right=numbers)
    for w in snap.workers:
        table.add_row(
            w.name,
            str(w.pid),
            str(w.port or ""),
            UNKNOWN if w.cpu_percent is None else f"{w.cpu_percent:.0f} %",
            UNKNOWN if w.memory_bytes is None else _megabytes(w.memory_bytes),
            UNKNOWN if w.windows_per_s is None else f"{w.windows_per_s:.1f}",
            f"{w.age_s(snap.t):.0f} s ago",
        )
    return table


def server_line(snap: Snapshot) -> str:
    """Return the server's product, version and memory."""
    s = snap.server
    if s is None:
        return "responds, but INFO is denied"
    limit = f" of {_megabytes(s.maxmemory_bytes)}" if s.maxmemory_bytes else ""
    return f"{s.product} {s.version}, {_megabytes(s.used_memory_bytes)}{limit} in use"


def span(seconds: float) -> str:
    """Return a time in one unit: days, hours, minutes or seconds."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def broker_line(snap: Snapshot) -> str:
    """Return the place where tasks wait, and the number refused there."""
    refused = snap.counters.get("tasks_refused", 0)
    where = snap.broker.address if snap.broker else "the server"
    unknown = snap.broker.unknown_reason(snap.t) if snap.broker else ""
    parts = [where, f"lengths of queues unknown: {unknown}" if unknown else ""]
    parts += [f"{refused} messages refused" if refused else ""]
    return ", ".join(p for p in parts if p)


def scaling_line(report: HostScaling, now: float) -> str:
    """Return how many workers a host has, the last change, and the reason for the number."""
    line = f"{report.host}: {report.workers} of {report.least} to {report.most} workers"
    if report.changed_t is not None:
        change = "one more" if report.change > 0 else "one fewer"
        line += f", {change} {span(now - report.changed_t)} ago"
    return f"{line}; {render(report.code, report.values)}"


def _megabytes(n: float) -> str:
    """Return bytes in MB."""
    return f"{n / 1e6:.0f} MB"
