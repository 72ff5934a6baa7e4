"""One alarm with the actions of operators: from the alarm book, else from the history."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from sqlalchemy import Connection

from vtox.motor.alarms.book import Action, Book, replay
from vtox.motor.alarms.life import Alarm
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.alarms.alarm_actions import actions_after
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.reporting.history import alarm_queries
from vtox.reporting.history.errors import HistoryUnavailable

# Opens the history for reading; None if nothing was ever recorded.
OpenHistory = Callable[[], AbstractContextManager[Connection | None]]


def alarm_of(
    client: Client, book: Book, history: OpenHistory, alarm_id: str
) -> tuple[Alarm, Book] | None:
    """Return an alarm with the book that has it, None if nothing knows it."""
    if alarm_id not in book.alarms:
        now_ms = server_time_ms(client)
        book = _from_history(history, alarm_id, now_ms).at(now_ms)
    return (book.alarms[alarm_id], book) if alarm_id in book.alarms else None


def actions_of(client: Client, history: OpenHistory, alarm: Alarm) -> list[tuple[str, Action]]:
    """Return ids and actions of an alarm, and of its machine since it was raised, oldest first.

    The history has the recorded ones; without it, the stream has the last ones.
    """
    recorded: list[tuple[str, Action]] = []
    after = f"{max(alarm.raised_ms - 1, 0)}-0"
    with suppress(HistoryUnavailable), history() as db:
        if db is not None:
            # The end first: entries recorded meanwhile come twice, and none is missing.
            end = alarm_queries.last_recorded(db, keys.ALARM_ACTIONS)
            recorded = alarm_queries.actions_of_alarm(
                db, alarm.id, alarm.machine_id, alarm.raised_ms
            )
            # Not before: tables of an older version, which cannot be read, are no history.
            after = end
    newer = {
        i: a
        for i, a in actions_after(client, after)
        if a.alarm_id == alarm.id or (not a.alarm_id and a.machine_id == alarm.machine_id)
    }
    return list((dict(recorded) | newer).items())


def _from_history(history: OpenHistory, alarm_id: str, now_ms: int) -> Book:
    with history() as db:
        if db is None:
            return Book()
        events = alarm_queries.alerts_of_alarm(db, alarm_id)
        machine_id = events[0][1].machine_id if events else ""
        actions = alarm_queries.actions_of_alarm(
            db, alarm_id, machine_id, events[0][0] if events else now_ms
        )
    return replay(events, (a for _, a in actions))
