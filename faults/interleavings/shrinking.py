"""The fewest events with which a run still breaks the same rule: the schedule to read."""

from collections.abc import Callable, Mapping

from faults.interleavings.events import Event, Place

Plan = Mapping[Place, Event]


def shrink(plan: Plan, breaks: Callable[[Plan], bool], most_runs: int = 150) -> Plan:
    """Return a part of a plan that still breaks; `breaks` runs it.

    Takes out halves, then quarters and so on, down to single events (Zeller's ddmin).
    """
    kept, parts, runs = dict(plan), 2, 0
    while kept and runs < most_runs:
        places = list(kept)
        size = -(-len(places) // parts)
        for i in range(0, len(places), size):
            out = set(places[i : i + size])
            fewer = {p: e for p, e in kept.items() if p not in out}
            runs += 1
            if breaks(fewer):
                kept, parts = fewer, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(places))
    return kept
