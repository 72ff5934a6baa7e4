"""Availability and recovery of a simulated run, as `faults/hosts/availability.py` defines them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.many_hosts.layout import Delays
from benchmarks.many_hosts.simulation import Disturbance, Task
from faults.hosts.availability import IN_TIME_S
from faults.observer import BLOCK_MS, RETRY_S

# The reader of `make hosts` asks for answers so often.
READ_EVERY_S = BLOCK_MS / 1000
OF_THE_SERVER = ("all", "primary", "silent")


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of the time and of the records; recovery of each disturbance, s."""

    available: float
    in_time: float
    recovery_s: tuple[float, ...]


def figures(
    tasks: Sequence[Task], seconds: float, disturbances: Sequence[Disturbance], delays: Delays
) -> Figures:
    """Return the figures of `seconds` of sending."""
    of_the_server = [d for d in disturbances if d.kind in OF_THE_SERVER]
    outages = [(d.begin_s, d.begin_s + delays.away_s(d.kind, d.seconds)) for d in of_the_server]
    # Of a silent server the reader is back sooner than the bridge: it has nothing to build up.
    sooner_s = delays.reconnect_s - RETRY_S
    unread = [
        (begin, back - sooner_s if d.kind == "silent" else back)
        for d, (begin, back) in zip(of_the_server, outages, strict=True)
    ]
    read_t = {t: _read_t(t.answered_t, unread) for t in tasks if t.answered_t is not None}
    end = max(read_t.values(), default=seconds)
    late = {t: read_t.get(t, end) for t in tasks if read_t.get(t, end) > t.complete_t + IN_TIME_S}
    bad = {int(t.complete_t) for t in late}
    # Without a server no window is acknowledged; as much is sent later, when there is one.
    bad |= {s for begin, back in outages for s in range(int(begin) + 1, int(back))}
    records = sum(t.records for t in tasks)
    untils = [*(d.begin_s for d in disturbances[1:]), float("inf")]
    return Figures(
        available=1 - sum(s < seconds for s in bad) / seconds,
        in_time=1 - sum(t.records for t in late) / records,
        recovery_s=tuple(
            _recovery_s(late, d, until) for d, until in zip(disturbances, untils, strict=False)
        ),
    )


def _read_t(answered_t: float, outages: Sequence[tuple[float, float]]) -> float:
    """Return when an answer is read: what was not before an outage is after it."""
    for begin, back in outages:
        if begin // READ_EVERY_S * READ_EVERY_S < answered_t <= back:
            return back
    return answered_t


def _recovery_s(late: Mapping[Task, float], d: Disturbance, until: float) -> float:
    times = [
        min(read_t, until)
        for task, read_t in late.items()
        if read_t > d.end_s and task.complete_t + IN_TIME_S < until
    ]
    return max(times, default=d.end_s) - d.end_s
