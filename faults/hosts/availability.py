"""Availability and recovery, from the history of a run alone.

A record is complete when its last window is acknowledged. It is late from `IN_TIME_S` after that
until its answers are there. A second is available if windows were acknowledged in it and every
record that was completed in it was answered in time.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from faults.history import Event

# Twice the time that a bridge needs to take over, and beyond any latency of an undisturbed run.
IN_TIME_S = 5.0
# Up to this after the last acknowledgement no sender runs: it is starting or has ended.
EDGE_S = 1.0


@dataclass(frozen=True, slots=True)
class Availability:
    """Shares of the time of sending; None: nothing was sent.

    `recovery_s` is the time from the end of each disturbance, in their order, until no record is
    late any longer, before the next disturbance begins.
    """

    available: float | None
    in_time: float | None
    recovery_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A record of one fault: when it was complete, and when it was answered."""

    complete: float
    answered: float


def answers(events: Iterable[Event]) -> tuple[list[float], list[Answer], list[tuple[float, float]]]:
    """Return times of acknowledgement, answers, and disturbances with begin and end."""
    acks: dict[tuple[str, str, int], float] = {}
    results, begun, calm = [], {}, {}
    first_t: dict[str, float] = {}
    for e in events:
        match e["event"]:
            case "ack":
                acks.setdefault((e["machine"], e["run"], e["seq"]), e["t"])
            case "timeline":  # all is read again; a result that is gone is no answer
                results.clear()
            case "result":
                seen_t = first_t.setdefault(e["id"], e["t"]) if "id" in e else e["t"]
                results.append(e | {"t": seen_t})
            case "disturb":
                begun[e["n"]] = e["t"]
            case "calm":
                calm[e["n"]] = e["t"]
    found = [
        Answer(complete, e["t"])
        for e in results
        if (complete := acks.get((e["machine"], e["run"], e["last"]))) is not None
    ]
    return sorted(acks.values()), found, sorted((t, calm.get(n, t)) for n, t in begun.items())


def availability(events: Iterable[Event]) -> Availability:
    """Return the availability of a run."""
    acks, found, disturbances = answers(events)
    if not acks:
        return Availability(None, None, ())
    first, last = int(acks[0] + EDGE_S), int(acks[-1] - EDGE_S)
    accepting = {int(t) for t in acks}
    late = [a for a in found if a.answered > a.complete + IN_TIME_S]
    bad = {int(a.complete) for a in late}
    seconds = range(first, last)
    good = sum(s in accepting and s not in bad for s in seconds)
    ends = [*(begin for begin, _ in disturbances[1:]), float("inf")][: len(disturbances)]
    return Availability(
        round(good / len(seconds), 4) if seconds else None,
        round(1 - len(late) / len(found), 4) if found else None,
        tuple(
            round(_recovery_s(late, end, until), 1)
            for (_, end), until in zip(disturbances, ends, strict=True)
        ),
    )


def _recovery_s(late: list[Answer], end: float, until: float) -> float:
    """Return how long after `end` a record is late last; before `until`."""
    times = [
        min(a.answered, until) for a in late if a.answered > end and a.complete + IN_TIME_S < until
    ]
    return max(times, default=end) - end
