"""Availability and recovery of a simulated run, by the definitions of `hosts/availability.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.many_hosts.simulation import Disturbance, Task
from hosts.availability import IN_TIME_S


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of the time and of the records; recovery of each disturbance, s."""

    available: float
    in_time: float
    recovery_s: tuple[float, ...]


def figures(tasks: Sequence[Task], seconds: float, disturbances: Sequence[Disturbance]) -> Figures:
    """Return the figures of `seconds` of sending."""
    end = max((t.answered_t for t in tasks if t.answered_t is not None), default=seconds)
    late = [t for t in tasks if (t.answered_t or end) > t.complete_t + IN_TIME_S]
    bad = {int(t.complete_t) for t in late}
    # Without a server no window is acknowledged; as much is sent later, when there is one.
    bad |= {
        s
        for d in disturbances
        if d.kind in ("all", "primary")
        for s in range(int(d.begin_s) + 1, int(d.end_s))
    }
    records = sum(t.records for t in tasks)
    untils = [*(d.begin_s for d in disturbances[1:]), float("inf")]
    return Figures(
        available=1 - sum(s < seconds for s in bad) / seconds,
        in_time=1 - sum(t.records for t in late) / records,
        recovery_s=tuple(
            _recovery_s(late, d, until) for d, until in zip(disturbances, untils, strict=False)
        ),
    )


def _recovery_s(late: Sequence[Task], d: Disturbance, until: float) -> float:
    times = [
        min(t.answered_t, until)
        for t in late
        if t.answered_t and t.answered_t > d.end_s and t.complete_t + IN_TIME_S < until
    ]
    return max(times, default=d.end_s) - d.end_s
