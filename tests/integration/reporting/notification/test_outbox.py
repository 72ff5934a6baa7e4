"""The outbox in SQL: messages and the place in the streams are of one transaction."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.stream.stream_reader import Position
from vtox.reporting.history import database
from vtox.reporting.history.migrations.upgrade import migrate
from vtox.reporting.notification import outbox
from vtox.reporting.notification.outbox import NewDelivery

BEGIN, END = Position(keys.ALERTS, "1-0"), Position(keys.ALERTS, "2-0")
RAISED = NewDelivery(
    target="hook",
    message_id="m1",
    alarm_id="M1:bearing:1",
    machine_id="M1",
    state="waiting",
    body="{}",
    created_ms=1,
    due_ms=1,
)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An empty outbox that follows the alerts from their beginning."""
    opened = database.engine_to_write(settings)
    migrate(opened)
    outbox.positions(opened, [BEGIN])
    yield opened
    opened.dispose()


def entry_followed(engine: Engine) -> str:
    return outbox.positions(engine, [BEGIN])[keys.ALERTS].entry_id


def test_a_message_that_cannot_be_written_leaves_the_place(engine: Engine) -> None:
    def refuse(*details: Any) -> None:
        if "INTO deliveries " in details[2]:
            raise OperationalError(details[2], None, Exception("database or disk is full"))

    event.listen(engine, "before_cursor_execute", refuse)
    with pytest.raises(OperationalError):
        outbox.add(engine, [(BEGIN, END)], [RAISED], [])
    event.remove(engine, "before_cursor_execute", refuse)
    assert entry_followed(engine) == BEGIN.entry_id
    assert outbox.add(engine, [(BEGIN, END)], [RAISED], [])
    assert outbox.next_due(engine, "hook", 2) is not None


def test_a_notifier_that_lost_the_race_writes_no_message(engine: Engine) -> None:
    assert outbox.add(engine, [(BEGIN, END)], [], [])
    assert not outbox.add(engine, [(BEGIN, END)], [RAISED], [])
    assert outbox.next_due(engine, "hook", 2) is None
