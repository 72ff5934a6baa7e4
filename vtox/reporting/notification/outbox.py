"""The outbox in SQL: messages for targets, filled from the streams, emptied by the notifier.

A message has one row for each target. It is made in the transaction that moves the position in the
stream, so that each entry leads to it once, whether a notifier is killed, or two run.
"""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    case,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy import update as sql_update

from vtox.pipeline.store.stream.stream_reader import Position
from vtox.reporting.history.database import insert
from vtox.reporting.history.schema import deliveries, delivery_targets, notified
from vtox.reporting.notification.attempt import MESSAGE_REFUSED
from vtox.reporting.notification.mqtt_topics import NOW
from vtox.reporting.notification.plan import ENDS_TOGETHER_MS

State = Literal[
    "waiting", "suspended", "unacknowledged", "gathered", "delivered", "dead", "dropped"
]
# Settled messages stay this long, to be looked at and to be sent again.
DELIVERED_KEPT_MS, DEAD_KEPT_MS = 7 * 86_400_000, 30 * 86_400_000

_c = deliveries.c


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A row to be made; `due_ms` as in `plan.Plan`."""

    target: str
    message_id: str
    alarm_id: str
    machine_id: str
    state: State
    body: str
    created_ms: int
    due_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """A message to send now: its `body`, and the `claim` of the process that may settle it."""

    id: int
    target: str
    message_id: str
    body: str
    created_ms: int
    attempts: int
    claim: str


def positions(engine: Engine, begins: Sequence[Position]) -> dict[str, Position]:
    """Return up to where each stream has been followed; a new one begins at the position given."""
    with engine.begin() as db:
        rows = [{"stream": b.stream, "entry_id": b.entry_id} for b in begins]
        db.execute(insert(db, notified).on_conflict_do_nothing(), rows)
        names = [b.stream for b in begins]
        rows_of = select(notified).where(notified.c.stream.in_(names))
        found = {r.stream: r for r in db.execute(rows_of)}
    return {
        b.stream: replace(
            b, entry_id=found[b.stream].entry_id, entries_read=found[b.stream].entries_read
        )
        for b in begins
    }


def add(
    engine: Engine,
    moves: Sequence[tuple[Position, Position]],
    new: Sequence[NewDelivery],
    ended: Sequence[tuple[str, str]],
    overtaking: Sequence[NewDelivery] = (),
) -> bool:
    """Make rows and move the positions; False if another notifier has moved one.

    `ended` are target and alarm of messages that wait for the end of a suspension: the alarm has
    ended, and they are not sent any more. `overtaking` are new rows that would go before the end of
    an earlier alarm of their machine and fault, which waits for a digest.
    """
    with engine.begin() as db:
        for start, end in moves:
            if not _move(db, start, end):
                db.rollback()
                return False
        for target, alarm_id in ended:
            held = and_(_c.target == target, _c.alarm_id == alarm_id, _c.state == "suspended")
            db.execute(sql_update(deliveries).where(held).values(state="dropped"))
        if new:
            db.execute(insert(db, deliveries).on_conflict_do_nothing(), [asdict(n) for n in new])
        for n in overtaking:
            _send_end_before(db, n)
    return True


def _send_end_before(db: Connection, n: NewDelivery) -> None:
    new = deliveries.alias().c
    row_id = select(new.id).where(new.target == n.target, new.message_id == n.message_id)
    # The last part of an alarm's id is when it began.
    of_fault = _c.alarm_id.startswith(n.alarm_id.rpartition(":")[0] + ":", autoescape=True)
    ends = and_(_c.target == n.target, _c.state == "gathered", of_fault)
    soon = and_(_c.due_ms <= n.due_ms + ENDS_TOGETHER_MS, _c.id < row_id.scalar_subquery())
    values = {"state": "waiting", "due_ms": n.due_ms}
    db.execute(sql_update(deliveries).where(ends, soon).values(values))


def keep_now(engine: Engine, rows: Sequence[NewDelivery]) -> None:
    """Let each row take the place of that with its id; the same text changes nothing."""
    if not rows:
        return
    with engine.begin() as db:
        new = insert(db, deliveries)
        names = ("state", "body", "created_ms", "due_ms")
        again = {n: new.excluded[n] for n in names} | {"attempts": 0, "error": "", "claim": ""}
        changed = new.on_conflict_do_update(
            index_elements=["target", "message_id"],
            set_=again | {"claimed_until_ms": None, "done_ms": None},
            where=_c.body != new.excluded.body,
        )
        db.execute(changed, [asdict(r) for r in rows])


def present_deliveries(engine: Engine) -> list[NewDelivery]:
    """Return the messages of the present state, as they were made."""
    names = NewDelivery.__slots__
    with engine.connect() as db:
        found = db.execute(select(*(_c[n] for n in names)).where(_is_present()))
        return [NewDelivery(**row) for row in found.mappings()]


def renew(engine: Engine, target: str, now_ms: int, but_id: int) -> None:
    """Send the messages that a target keeps again, because it may have lost them.

    These are present states, and the last message of each alarm. A target refuses again whatever
    it has refused before.
    """
    refused = _c.error.startswith(MESSAGE_REFUSED, autoescape=True)
    done = and_(_c.target == target, _c.id != but_id, _c.state != "waiting", ~refused)
    with engine.begin() as db:
        of_alarms = select(_c.id, _c.alarm_id).where(
            done, _c.state == "delivered", _c.alarm_id != ""
        )
        rows = db.execute(of_alarms.order_by(_c.id))
        # The last part of an alarm's id is when it began: its topic is of machine and fault.
        last = {alarm_id.rpartition(":")[0]: row_id for row_id, alarm_id in rows}
        again = or_(and_(done, _is_present()), _c.id.in_(list(last.values())))
        values = {"state": "waiting", "due_ms": now_ms, "created_ms": now_ms, "attempts": 0}
        db.execute(sql_update(deliveries).where(again).values(values))


def _is_present() -> ColumnElement[bool]:
    return _c.message_id.startswith(NOW, autoescape=True)


def _move(db: Connection, start: Position, end: Position) -> bool:
    at_start = (notified.c.stream == start.stream) & (notified.c.entry_id == start.entry_id)
    values = {"entry_id": end.entry_id, "entries_read": end.entries_read}
    return db.execute(sql_update(notified).where(at_start).values(values)).rowcount == 1


def next_due(engine: Engine, target: str, now_ms: int, *, in_order: bool = False) -> int | None:
    """Return the row that is to be sent to a target now, None if none is.

    Messages of an alarm go one after the other. Among several alarms the one tried least goes
    first. `in_order`: the oldest of all goes, as soon as the target is tried again and no other
    notifier has it. The target itself may have to be left in peace for a time.
    """
    waiting = and_(_c.target == target, _c.state == "waiting")
    free = (_c.claimed_until_ms.is_(None)) | (_c.claimed_until_ms <= now_ms)
    # Not `exists` of an earlier row, which looked at all rows for each: 900 messages took 49 s.
    each_alone = case((_c.alarm_id == "", _c.id), else_=0)
    first = (
        select(func.min(_c.id))
        .where(waiting)
        .group_by(*([] if in_order else [_c.alarm_id, each_alone]))
    )
    due = select(_c.id).where(_c.id.in_(first), free)
    if not in_order:
        due = due.where(_c.due_ms <= now_ms).order_by(_c.attempts, _c.id)
    due = due.limit(1)
    with engine.connect() as db:
        if not _retry_due(db, target, now_ms):
            return None
        return db.execute(due).scalar_one_or_none()


def claim(engine: Engine, row_id: int, now_ms: int, until_ms: int) -> OutgoingMessage | None:
    """Take a row until a time, None if another notifier has it or has settled it."""
    token = secrets.token_hex(8)
    free = (_c.claimed_until_ms.is_(None)) | (_c.claimed_until_ms <= now_ms)
    mine = sql_update(deliveries).where(_c.id == row_id, _c.state == "waiting", free)
    with engine.begin() as db:
        if db.execute(mine.values(claim=token, claimed_until_ms=until_ms)).rowcount != 1:
            return None
        row = db.execute(select(deliveries).where(_c.id == row_id)).mappings().one()
        return OutgoingMessage(
            claim=token, **{n: row[n] for n in OutgoingMessage.__slots__ if n != "claim"}
        )


def settle_delivered(engine: Engine, d: OutgoingMessage, now_ms: int) -> None:
    """Note that a target has taken a message, even if another has claimed it meanwhile."""
    with engine.begin() as db:
        done = {"state": "delivered", "done_ms": now_ms, "claim": "", "claimed_until_ms": None}
        # Another message may have taken the place of a present state.
        same = or_(~_is_present(), _c.claim == d.claim)
        first = sql_update(deliveries).where(_c.id == d.id, _c.state != "delivered", same)
        n = db.execute(first.values(done | {"attempts": _c.attempts + 1, "error": ""})).rowcount
        t = _target_row(db, d.target)
        values = {"failures": 0, "next_ms": 0, "error": "", "delivered_ms": now_ms}
        db.execute(
            sql_update(delivery_targets)
            .where(delivery_targets.c.target == d.target)
            .values(values | {"delivered": t + n})
        )


def settle_failed(
    engine: Engine,
    d: OutgoingMessage,
    now_ms: int,
    error: str,
    *,
    due_ms: int,
    target_due_ms: int,
    give_up: bool,
) -> None:
    """Note that an attempt has failed: when message and target are tried again, or given up."""
    with engine.begin() as db:
        values: dict[str, Any] = {"attempts": _c.attempts + 1, "error": error, "due_ms": due_ms}
        values |= {"claim": "", "claimed_until_ms": None}
        if give_up:
            values |= {"state": "dead", "done_ms": now_ms}
        mine = and_(_c.id == d.id, _c.claim == d.claim, _c.state == "waiting")
        db.execute(sql_update(deliveries).where(mine).values(values))
        _target_row(db, d.target)
        of = delivery_targets.c
        changed = {"failures": of.failures + 1, "next_ms": target_due_ms, "error": error}
        db.execute(
            sql_update(delivery_targets)
            .where(of.target == d.target)
            .values(changed | {"error_ms": now_ms})
        )


def failures(engine: Engine, target: str) -> int:
    """Return how often in a row a target has failed."""
    of = delivery_targets.c
    with engine.connect() as db:
        return db.execute(select(of.failures).where(of.target == target)).scalar() or 0


def suspended(engine: Engine) -> list[tuple[int, str, str, str]]:
    """Return id, target, alarm and body of messages that wait for the end of a suspension."""
    held = select(_c.id, _c.target, _c.alarm_id, _c.body).where(_c.state == "suspended")
    with engine.connect() as db:
        return [tuple(row) for row in db.execute(held.order_by(_c.id))]


def unacknowledged(engine: Engine, now_ms: int) -> list[tuple[int, str, str, str]]:
    """Return the same of second notices whose time is over."""
    due = and_(_c.state == "unacknowledged", _c.due_ms <= now_ms)
    with engine.connect() as db:
        found = select(_c.id, _c.target, _c.alarm_id, _c.body).where(due).order_by(_c.id)
        return [tuple(row) for row in db.execute(found)]


def resume(engine: Engine, row_id: int, state: State, due_ms: int) -> None:
    """End the wait of a message for a suspension or a person, or put it off until another time."""
    held = and_(_c.id == row_id, _c.state.in_(("suspended", "unacknowledged")))
    with engine.begin() as db:
        db.execute(sql_update(deliveries).where(held).values(state=state, due_ms=due_ms))


def revive(engine: Engine, target: str, now_ms: int, state: State) -> int:
    """Let dead letters (of a target, or of all if it is empty) wait again, or drop them."""
    dead = [_c.state == "dead", *([_c.target == target] if target else [])]
    values = {"state": state, "due_ms": now_ms, "created_ms": now_ms, "attempts": 0}
    with engine.begin() as db:
        n = db.execute(sql_update(deliveries).where(*dead).values(values)).rowcount
        of = [delivery_targets.c.target == target] if target else []
        db.execute(sql_update(delivery_targets).where(*of).values(next_ms=0))
        return n


def drop_other_targets(engine: Engine, targets: Sequence[str]) -> int:
    """Drop messages for targets that the rules do not have any more; return how many."""
    open_states = ("waiting", "suspended", "unacknowledged", "gathered")
    gone = and_(_c.target.not_in(targets), _c.state.in_(open_states))
    with engine.begin() as db:
        return db.execute(sql_update(deliveries).where(gone).values(state="dropped")).rowcount


def delete_settled(engine: Engine, now_ms: int) -> None:
    """Delete messages that were settled long ago."""
    old = case((_c.state == "dead", now_ms - DEAD_KEPT_MS), else_=now_ms - DELIVERED_KEPT_MS)
    settled = _c.state.in_(("delivered", "dead", "dropped"))
    with engine.begin() as db:
        when = func.coalesce(_c.done_ms, _c.created_ms)
        db.execute(delete(deliveries).where(settled, when < old, ~_is_present()))


def _retry_due(db: Connection, target: str, now_ms: int) -> bool:
    of = delivery_targets.c
    next_ms = db.execute(select(of.next_ms).where(of.target == target)).scalar()
    return next_ms is None or next_ms <= now_ms


def _target_row(db: Connection, target: str) -> ColumnElement[int]:
    """Make the row of a target if there is none; return the count of messages taken."""
    new = {"target": target, "failures": 0, "next_ms": 0, "error": "", "delivered": 0}
    db.execute(insert(db, delivery_targets).on_conflict_do_nothing(), [new])
    return delivery_targets.c.delivered
