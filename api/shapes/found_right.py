"""How often alarms of a fault and code were found right, from the outcomes in the history."""

from collections.abc import Mapping
from contextlib import suppress

from api.http.explanation import sentence
from api.schemas.alarms import (
    FoundRight,
)
from api.state.backend import Backend
from vtox.motor.alarms.life import Outcome
from vtox.reporting.history.alarm_figures import outcomes_by_code
from vtox.reporting.history.errors import HistoryUnavailable

# Outcomes with an inspection; the others say nothing of the alarm.
INSPECTED: tuple[Outcome, ...] = ("confirmed", "false_alarm", "other_cause")
Proven = Mapping[tuple[str, str], Mapping[Outcome, int]]


def found_right(backend: Backend) -> Proven:
    """Return (fault, code) -> outcomes of its alarms so far, read at most once in 10 s."""
    return backend.keep("outcomes by code", lambda: _read(backend))


def _read(backend: Backend) -> Proven:
    with suppress(HistoryUnavailable), backend.history() as db:
        return outcomes_by_code(db) if db is not None else {}
    return {}


def found_right_shape(fault: str, code: str, proven: Proven) -> FoundRight | None:
    """Return the figures of a fault and code; None if no alarm was inspected yet."""
    outcomes = proven.get((fault, code), {})
    inspected = sum(outcomes.get(o, 0) for o in INSPECTED)
    if not inspected:
        return None
    numbers = {"right": outcomes.get("confirmed", 0), "inspected": inspected}
    return FoundRight(**numbers, sentence=sentence("found_right", numbers))
