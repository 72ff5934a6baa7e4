"""Alerts that recorded diagnoses would raise and clear by another sensitivity. Pure.

The rule is that of `vtox.motor.alarms.health.alerts`, by the very code that raises alerts on the
stream.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from vtox.motor.alarms.health.alarm_level import AlarmHistory, Event, advance
from vtox.motor.alarms.health.alert_values import Level, SlotHistory
from vtox.motor.alarms.health.marks import Slots
from vtox.motor.faults import Persistence


@dataclass(frozen=True, slots=True)
class Backtest:
    """The events of one alarm, how long it was open (s), and its level at the end."""

    events: tuple[Event, ...]
    open_s: float
    level: Level


def backtest(
    diagnoses: Iterable[Slots], rule: Persistence, level: Level, from_t: float, to_t: float
) -> Backtest:
    """Return the alerts that diagnoses of one fault between two times raise and clear by a rule.

    `diagnoses` are in the order in which the alarm took them; `level` is that of the alarm before
    the first of them.
    """
    history = AlarmHistory(level, SlotHistory(level))
    events: list[Event] = []
    for slots in diagnoses:
        history, changes = advance(history, slots, rule)
        events += changes
    return Backtest(tuple(events), _open_s(events, level, from_t, to_t), history.level)


def _open_s(events: Iterable[Event], level: Level, from_t: float, to_t: float) -> float:
    open_s, since = 0.0, from_t if level else None
    for e in events:
        if e.name == "raised":
            since = e.t
        elif e.name == "cleared" and since is not None:
            open_s, since = open_s + max(e.t - since, 0.0), None
    return open_s if since is None else open_s + max(to_t - since, 0.0)
