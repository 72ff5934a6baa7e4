"""Machines of one site that were silent together: which alarms of silence are one. Pure.

A gateway, a network or the power of a site reach all of its senders. An outage begins when most
machines of a site are silent at once, whenever each of them fell silent. It lasts until fewer are
silent than may be a chance. Alarms that began or were active in between are of that outage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from vtox.motor.alarms.life import Alarm

SILENT = "silent"


@dataclass(slots=True)
class _Outage:
    """Alarms of silence that are one, and when most machines of the site were silent (s)."""

    t: float
    alarms: list[Alarm] = field(default_factory=list)


def outages(alarms: Sequence[Alarm], begins_at: int, ends_below: int) -> list[_Outage]:
    """Return the outages of a site, each alarm in one at most.

    Parameters
    ----------
    alarms
        The alarms of silence of the site's machines; each machine has one at a time.
    begins_at
        How many machines are silent when an outage begins.
    ends_below
        With fewer it is over.
    """
    found: list[_Outage] = []
    active: dict[str, Alarm] = {}
    present: _Outage | None = None
    for t, alarm, begins in _changes(alarms):
        if begins:
            active[alarm.id] = alarm
            if present:
                present.alarms.append(alarm)
            elif len(active) >= begins_at:
                present = _Outage(t, _unassigned_alarms(found, active))
                found.append(present)
        else:
            active.pop(alarm.id, None)
            if len(active) < ends_below:
                present = None
    return [o for o in found if len(o.alarms) >= ends_below]


def _changes(alarms: Sequence[Alarm]) -> Iterator[tuple[float, Alarm, bool]]:
    """Yield when each alarm begins and ends, in order of time."""
    ends: list[tuple[float, str, Alarm]] = []
    for alarm in sorted(alarms, key=lambda a: (a.t, a.id)):
        while ends and ends[0][0] <= alarm.t:
            t, _, ended = heappop(ends)
            yield t, ended, False
        yield alarm.t, alarm, True
        if not alarm.active and alarm.cleared_ms is not None:
            heappush(ends, (max(alarm.cleared_ms / 1000, alarm.t), alarm.id, alarm))
    while ends:
        t, _, ended = heappop(ends)
        yield t, ended, False


def _unassigned_alarms(found: Sequence[_Outage], active: dict[str, Alarm]) -> list[Alarm]:
    """Return the active alarms that are of no outage yet."""
    known = {a.id for o in found for a in o.alarms}
    return [a for a in active.values() if a.id not in known]
