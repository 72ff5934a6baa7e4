"""The status of several servers that share the machines, as one: sums, and each of them.

A rate that one of them does not know, or that lacks one which is away, is not known of all.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from api.explanation import sentence
from api.schemas.common import AwayServer
from api.schemas.system import (
    CapacityStatus,
    ClusterStatus,
    OneServer,
    Performance,
    QueueStatus,
    StreamStatus,
    WorkerStatus,
)

AWAY_CODE = "throughput_of_some"


@dataclass(frozen=True, slots=True)
class Sums:
    """Adds up what the servers say; None where one does not know it, or one is away."""

    parts: Sequence[ClusterStatus]
    complete: bool

    def values(self, get: Callable[[ClusterStatus], float | None]) -> list[float] | None:
        """Return a figure of each server, None where it is not known of all."""
        values = [get(p) for p in self.parts]
        known = [v for v in values if v is not None]
        return known if self.complete and len(known) == len(values) else None

    def total(self, get: Callable[[ClusterStatus], float | None]) -> float | None:
        """Return the sum of a figure."""
        known = self.values(get)
        return None if known is None else round(sum(known), 3)

    def largest(self, get: Callable[[ClusterStatus], float | None]) -> float | None:
        """Return the largest of a figure."""
        known = self.values(get)
        return None if known is None else max(known)


def summed(
    parts: Sequence[tuple[int, ClusterStatus]],
    away: Sequence[AwayServer],
    *,
    state: str,
    capacity: CapacityStatus,
) -> ClusterStatus:
    """Return the status of all servers from that of each, by number from 1.

    Room is that of all together, as they share the workers.
    """
    each = [p for _, p in parts]
    sums = Sums(each, complete=not away)
    first = each[0]
    servers = [_one(n, p) for n, p in parts] + [OneServer(server=a.server, away=a) for a in away]
    return first.model_copy(
        update={
            "state": state,
            "alarms": [a for p in each for a in p.alarms],
            "performance_metrics": _performance(sums),
            "capacity": capacity,
            "queues": {name: _queue([p.queues[name] for p in each]) for name in first.queues},
            "workers": _workers(w for p in each for w in p.workers),
            # A host reports the same to each server.
            "scaling": list({r.host: r for p in each for r in p.scaling}.values()),
            "streams": {name: _stream([p.streams[name] for p in each]) for name in first.streams},
            "partitions": [
                q.model_copy(update={"server": n}) for n, p in parts for q in p.partitions
            ],
            "machines": sum(p.machines for p in each),
            "server": None,
            "servers": sorted(servers, key=attrgetter("server")),
        }
    )


def _one(number: int, p: ClusterStatus) -> OneServer:
    return OneServer(
        server=number,
        state=p.state,
        machines=p.machines,
        performance_metrics=p.performance_metrics,
        queues=p.queues,
        streams=p.streams,
        product=p.server,
    )


def _performance(sums: Sums) -> Performance:
    of = [p.performance_metrics for p in sums.parts]
    rate = sums.total(lambda p: p.performance_metrics.throughput)
    unknown = rate is None
    why = [p.throughput_reason for p in of if p.throughput_reason]
    if unknown:
        why.insert(0, sentence(AWAY_CODE, {}))
    counted = ("in_flight", "tasks_refused", "senders_restarted")
    names = [*counted, *(n for n in Performance.model_fields if n.startswith("windows_"))]
    backlog = sums.total(lambda p: p.performance_metrics.backlog)
    measured = [p.measured_at for p in of]
    return Performance(
        throughput=rate,
        throughput_source=None if unknown else max(p.throughput_source or "" for p in of) or None,
        throughput_age_s=sums.largest(lambda p: p.performance_metrics.throughput_age_s),
        throughput_reason="; ".join(dict.fromkeys(why)),
        ingest_rate=sums.total(lambda p: p.performance_metrics.ingest_rate),
        latency_p50_ms=sums.largest(lambda p: p.performance_metrics.latency_p50_ms),
        latency_p95_ms=sums.largest(lambda p: p.performance_metrics.latency_p95_ms),
        backlog=None if backlog is None else int(backlog),
        measured_at=min((m for m in measured if m), default=None) if all(measured) else None,
        **{n: sum(getattr(p, n) for p in of) for n in names},
    )


def _queue(of: Sequence[QueueStatus]) -> QueueStatus:
    """Return a queue: its tasks wait at one broker for all, its workers serve all."""
    names = ("in_flight", "in_flight_bytes", "done", "records_done", "dead")
    return QueueStatus(
        waiting=next((q.waiting for q in of if q.waiting is not None), None),
        workers=max(q.workers for q in of),
        **{n: sum(getattr(q, n) for q in of) for n in names},
    )


def _workers(reported: Iterable[WorkerStatus]) -> list[WorkerStatus]:
    """Return each worker once, with what it did for all servers."""
    by_name: dict[str, WorkerStatus] = {}
    for w in reported:
        known = by_name.get(w.name)
        by_name[w.name] = w if known is None else _together(known, w)
    return [by_name[name] for name in sorted(by_name)]


def _together(a: WorkerStatus, b: WorkerStatus) -> WorkerStatus:
    latest = min(a, b, key=lambda w: float("inf") if (t := w.last_task_age_s) is None else t)
    seen = min(a, b, key=attrgetter("last_seen_age_s"))
    rates = [w.windows_per_s for w in (a, b)]
    return seen.model_copy(
        update={
            **{n: getattr(a, n) + getattr(b, n) for n in ("tasks_done", "windows_done")},
            **{n: round(getattr(a, n) + getattr(b, n), 6) for n in ("diagnosis_s", "busy_s")},
            **{n: getattr(latest, n) for n in ("last_family", "last_task", "last_task_age_s")},
            "windows_per_s": None if None in rates else round(sum(r or 0.0 for r in rates), 3),
        }
    )


def _stream(of: Sequence[StreamStatus]) -> StreamStatus:
    length = sum(s.length for s in of)
    groups = [s for s in of if s.group is not None]
    if not groups:
        return StreamStatus(length=length)
    lags = [s.lag for s in groups]
    lag = None if None in lags or len(groups) < len(of) else sum(n or 0 for n in lags)
    return StreamStatus(
        length=length,
        group=groups[0].group,
        lag=lag,
        lag_exact=lag is not None,
        pending=sum(s.pending or 0 for s in groups),
    )
