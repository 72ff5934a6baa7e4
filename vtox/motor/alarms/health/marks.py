"""Marks of a diagnosis for the alarm of its fault: a letter for each slot of its record. Pure."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, NamedTuple

from vtox.motor.alarms.health.strong_evidence import is_strong
from vtox.motor.faults import OF_SLIP, Persistence
from vtox.motor.values.domain import QUIET, Answer, Diagnosis, Reason, Record

# How a slot is remembered. `h`: normal, but so near the limit that it neither raises nor clears.
# `q`: undecided, but nothing found where the method could look (`QUIET`), which clears.
MARKS = {"normal": "n", "warning": "w", "fault": "f", "unknown": "q"}
NEAR_LIMIT = "h"
# Found, but with less severity or confidence than alerts on this machine: clears.
BELOW_SENSITIVITY = "b"
CLEARING = {"n", "q", BELOW_SENSITIVITY}
# Found, but a cause that passes is not excluded: a `warning`, a `fault`.
PASSING = {"w": "v", "f": "g"}
MAY_PASS = frozenset(PASSING.values())
# Undecided: the finding is too weak for one record (`weak_sign` in its evidence). Or impacts of
# another part were found, or a finding that raises no alert (`NOTICE_CAUSES`): these neither raise
# nor clear. A weak sign that has risen above the baseline (`rise_db`) counts as one that is not
# weak.
WEAK, RISEN, OF_ANOTHER_PART = "s", "r", "o"
# Undecided although the line of a slip was searched: only days count it.
SEARCHED = "u"
UNDECIDED = MARKS["unknown"] + WEAK + RISEN + OF_ANOTHER_PART
# Found so strongly and without any doubt that no days need to confirm it: a `warning`, a `fault`.
STRONG = {"w": "x", "f": "y"}
STRONG_MARKS = frozenset(STRONG.values())
CLEARLY_FOUND = {*PASSING, *STRONG_MARKS, RISEN}
FOUND = {*CLEARLY_FOUND, *MAY_PASS, WEAK}
CLEAR_FAULTS = {"f", STRONG["f"]}
FAULTS = {*CLEAR_FAULTS, PASSING["f"]}
# A mark in upper case: impacts found, but at none of the orders of those before (`impact_orders`).
# Earlier findings no longer count: they cannot be of the same part.
NO_LONGER_COUNTS = str.maketrans(dict.fromkeys(FOUND, NEAR_LIMIT))
# The doubts that say so. Then so many times as many slots raise an alert, of which no more may be
# without the fault than else. docs/calibration/alerts.md#causes-that-pass
PASSING_CAUSES = {"flicker_not_excluded"}
PASSING_TIMES = 8
# So many times as many slots raise an alert if some found too little alone, of which the same
# share must show it. docs/calibration/alerts.md#weak-signs-that-stay
WEAK_TIMES = 2
# Doubts of a finding that raises no alert: the machine is not known for long enough. Or the other
# machines of its feeder show the same, or are not heard yet.
NOTICE_CAUSES = {"few_periods_learnt", "feeder_moves", "feeder_not_heard"}
# Statistic over threshold from which an episode is clear. The quiet slots of a record with a
# weaker one count as near the limit.
CLEAR_EPISODE_RATIO = 2.0
RANK = {"": 0, "warning": 1, "fault": 2}


# A named tuple, as `SlotHistory`.
class Slots(NamedTuple):
    """The part of one diagnosis for the alarm of its fault: a mark for each slot of its record.

    `marks` is empty if it says nothing. `slot_s` is the length of a slot, s; None: one record.
    `line` is a line that moves with the slip: slip, and distance from the supply, Hz.
    """

    marks: str
    t_start: float
    slot_s: float | None = None
    severity: float | None = None
    confidence: float | None = None
    line: tuple[float, float] | None = None


def slots_of(d: Diagnosis | Answer, record: Record, rule: Persistence) -> Slots:
    """Return the slots of a diagnosis: episodes in a record give a finer time than its own."""
    marks = ""
    if d.state != "unknown" or QUIET in d.evidence:
        marks = _marks(d, record, rule)
    elif sign := evidence_of(d, "weak_sign"):
        marks = RISEN if "rise_db" in sign else WEAK
    elif evidence_of(d, "impacts"):
        marks = OF_ANOTHER_PART
    elif d.fault in OF_SLIP and isinstance(d.indicators.get("detectable_dbc"), Real):
        marks = SEARCHED
    line = _line(d) if d.fault in OF_SLIP and d.state in ("warning", "fault") else None
    return Slots(marks, record.t_start, rule.slot_s, d.severity, d.confidence, line)


def _line(d: Diagnosis | Answer) -> tuple[float, float] | None:
    slip, distance_hz = d.indicators.get("slip"), d.values.get("distance_hz")
    known = isinstance(slip, Real) and isinstance(distance_hz, Real)
    return (float(slip), float(distance_hz)) if known else None  # type: ignore[arg-type]


def evidence_of(d: Diagnosis | Answer, kind: str) -> Mapping[str, Any] | None:
    """Return the first piece of evidence of a kind."""
    for e in d.evidence:
        if e.get("kind") == kind:
            return e
    return None


def _marks(d: Diagnosis | Answer, record: Record, rule: Persistence) -> str:
    marks = MARKS | {"normal": NEAR_LIMIT} if _near_limit(d, rule) else MARKS
    if any(doubt.code in PASSING_CAUSES for doubt in d.doubts):
        marks = {state: PASSING.get(mark, mark) for state, mark in marks.items()}
    if is_notice(d.doubts):
        marks = {
            state: OF_ANOTHER_PART if mark in PASSING else mark for state, mark in marks.items()
        }
    if rule.slot_s is None:
        mark = marks[d.state]
        return STRONG.get(mark, mark) if is_strong(d) else mark
    slots = max(1, round((record.t_end - record.t_start) / rule.slot_s))
    episodes = [e for e in d.evidence if e.get("kind") == "episode"]
    if not episodes:
        return slots * marks[d.state]
    found = ""
    for i in range(slots):
        middle = (i + 0.5) * rule.slot_s
        states = [e["state"] for e in episodes if e["t_start_s"] <= middle < e["t_end_s"]]
        found += marks[max(states, key=lambda s: RANK[s]) if states else "normal"]
    return found


def is_notice(doubts: Iterable[Reason]) -> bool:
    """Return whether a finding with these doubts is shown without an alert."""
    return any(doubt.code in NOTICE_CAUSES for doubt in doubts)


def _near_limit(d: Diagnosis | Answer, rule: Persistence) -> bool:
    """Return whether the quiet slots of a record are only just below the limit."""
    if d.statistic is None or d.threshold is None:
        return False
    clear_from = CLEAR_EPISODE_RATIO if d.state in ("warning", "fault") else 1.0
    return rule.hold * d.threshold < d.statistic < clear_from * d.threshold
