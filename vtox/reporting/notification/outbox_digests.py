"""Digests in the outbox: gathered messages become one message, all or nothing."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import Engine, and_, func, select
from sqlalchemy import update as sql_update

from vtox.reporting.history.database import insert
from vtox.reporting.history.schema import deliveries
from vtox.reporting.notification.outbox import NewDelivery

_c = deliveries.c


def due_digests(engine: Engine, now_ms: int) -> list[tuple[str, int]]:
    """Return target and time of the digests that are due."""
    due = select(_c.target, _c.due_ms).where(_c.state == "gathered", _c.due_ms <= now_ms)
    with engine.connect() as db:
        return [(r.target, r.due_ms) for r in db.execute(due.distinct().order_by(_c.due_ms))]


def send_alone(engine: Engine, target: str, due_ms: int) -> None:
    """Release a single event from a digest, and events of alarms that have a waiting message.

    An alarm's end in a digest would go before its begin that the target has refused for a while.
    """
    of = and_(_c.target == target, _c.state == "gathered", _c.due_ms == due_ms)
    begun = select(_c.alarm_id).where(_c.target == target, _c.state == "waiting", _c.alarm_id != "")
    alone = sql_update(deliveries).where(of).values(state="waiting")
    with engine.begin() as db:
        db.execute(alone.where(_c.alarm_id.in_(begun)))
        if db.execute(select(func.count()).where(of)).scalar_one() == 1:
            db.execute(alone)


def gathered(engine: Engine, target: str, due_ms: int) -> list[tuple[int, str]]:
    """Return ids and bodies of the messages of a digest, oldest first."""
    of = and_(_c.target == target, _c.state == "gathered", _c.due_ms == due_ms)
    with engine.connect() as db:
        found = db.execute(select(_c.id, _c.body).where(of).order_by(_c.id))
        return [(row.id, row.body) for row in found]


def replace_by_digest(engine: Engine, ids: Sequence[int], digest: NewDelivery) -> None:
    """Make the message of a digest in place of its parts, all or nothing.

    A message gathered for a digest that is made already goes into another one.
    """
    with engine.begin() as db:
        of = and_(_c.id.in_(ids), _c.state == "gathered")
        if db.execute(sql_update(deliveries).where(of).values(state="dropped")).rowcount < len(ids):
            db.rollback()  # another notifier makes it
            return
        new = insert(db, deliveries).on_conflict_do_nothing()
        if not db.execute(new, asdict(digest)).rowcount:
            late = replace(digest, message_id=f"{digest.message_id}_{ids[0]}")
            db.execute(new, asdict(late))
