"""Counts of the outbox by target, and its dead letters, for people and for `/metrics`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, and_, func, select

from vtox.pipeline.store.ledger.heartbeats import TargetState
from vtox.reporting.history.schema import deliveries, delivery_targets

_c = deliveries.c


@dataclass(frozen=True, slots=True, kw_only=True)
class _UndeliveredMessage:
    """A message that was given up, with the last answer of its target; times in ms."""

    target: str
    message_id: str
    alarm_id: str
    error: str
    attempts: int
    created_ms: int
    done_ms: int | None


def target_states(engine: Engine, targets: Sequence[str]) -> dict[str, TargetState]:
    """Return the state of each target named, and of others that still have dead letters."""
    counted = select(_c.target, _c.state, func.count(), func.min(_c.created_ms))
    with engine.connect() as db:
        rows = db.execute(counted.group_by(_c.target, _c.state)).all()
        answers = {r.target: r for r in db.execute(select(delivery_targets))}
    counts = {(target, state): (n, oldest) for target, state, n, oldest in rows}
    names = [*targets, *sorted({t for t, state in counts if state == "dead"} - {*targets})]
    return {name: _state(name, counts, answers.get(name)) for name in names}


def dead_letters(engine: Engine, target: str, limit: int) -> list[_UndeliveredMessage]:
    """Return the last messages that were given up, newest first; of all targets without a name."""
    of = and_(_c.state == "dead", *([_c.target == target] if target else []))
    found = select(*(_c[n] for n in _UndeliveredMessage.__slots__)).where(of)
    with engine.connect() as db:
        newest = db.execute(found.order_by(_c.done_ms.desc(), _c.id.desc()).limit(limit))
        return [_UndeliveredMessage(**row) for row in newest.mappings()]


def _state(name: str, counts: dict[tuple[str, str], tuple[int, int]], answers: Any) -> TargetState:
    def n(*states: str) -> int:
        return sum(counts.get((name, s), (0, 0))[0] for s in states)

    oldest_ms = counts.get((name, "waiting"), (0, None))[1]
    state = TargetState(
        waiting=n("waiting"),
        held=n("suspended", "unacknowledged", "gathered"),
        dead=n("dead"),
        oldest_t=_seconds(oldest_ms),
    )
    if answers is None:
        return state
    return replace(
        state,
        delivered=answers.delivered,
        failures=answers.failures,
        problem=answers.error if answers.failures else "",
        next_t=_seconds(answers.next_ms) if answers.failures else None,
        delivered_t=_seconds(answers.delivered_ms),
    )


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
