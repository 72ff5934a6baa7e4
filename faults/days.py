"""The days of slow faults: as a machine keeps them, and as its records count them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import redis

from vtox.motor.alarms.health.alert_values import Alert, FaultHistory
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.motor.values import codec
from vtox.motor.values.domain import State
from vtox.pipeline.configuration import keys

SLOW = [fault for fault, rule in PERSISTENCE.items() if rule.days > 1]


class Days(NamedTuple):
    """A letter for each of the last days; records and finds of the last; level; alerts so far."""

    letters: str = ""
    records: int = 0
    found: int = 0
    level: str = ""
    alerts: tuple[str, ...] = ()


class Said(NamedTuple):
    """A record of a fault: when it ended, and on which day it was."""

    t_end: float
    day: int
    state: State


def days_of(client: redis.Redis, machine_ids: Iterable[str]) -> dict[str, dict[str, Days]]:
    """Return the days that some machines keep of each slow fault."""
    alerts = [codec.decode_fields(Alert, e) for _, e in client.xrange(keys.ALERTS)]
    found: dict[str, dict[str, Days]] = {}
    for machine_id in machine_ids:
        memory = client.hget(keys.machine(machine_id), "memory")
        faults = (codec.decode_or_none(MachineHistory, memory) or MachineHistory()).faults
        of = [a for a in alerts if a.machine_id == machine_id]
        found[machine_id] = {
            f: _days_of(faults.get(f) or FaultHistory(), [a.event for a in of if a.fault == f])
            for f in SLOW
        }
    return found


def _days_of(h: FaultHistory, alerts: Iterable[str]) -> Days:
    if h.days is None or h.days.day is None:
        return Days(level=h.level, alerts=tuple(alerts))
    day = h.days.day
    return Days(h.days.past + h.days.today, day.slots, day.found, h.level, tuple(alerts))


def counted(records: Sequence[Said], rule: Persistence) -> Days:
    """Count the days of a fault from its records, in the order in which they were committed.

    A record older than one before it is a replay, and counts nothing.
    """
    last_t, said, level, alerts = 0.0, "", "", list[str]()
    days: dict[int, str] = {}
    for t, day, state in records:
        replayed, last_t = t < last_t, max(t, last_t)
        if replayed or state == "unknown":
            continue
        letter = "n" if state == "normal" else "w"
        said += letter
        days[day] = days.get(day, "") + letter
        last = [_letter(x, rule) for x in days.values()][-rule.of_days :]
        if not level and letter == "w" and last.count("w") >= rule.days:
            level = "warning"
            alerts.append("raised")
        elif level and said.endswith(rule.clear * "n") and last[-2:] == ["n", "n"]:
            level = ""
            alerts.append("cleared")
            days = {-2: "n", -1: "n", day: days[day]}  # they lead to no other alarm
    letters = "".join(_letter(x, rule) for x in days.values())[-rule.of_days - 1 :]
    today = next(reversed(days.values()), "")
    return Days(letters, len(today), today.count("w"), level, tuple(alerts))


def _letter(records: str, rule: Persistence) -> str:
    return "w" if records.count("w") * rule.n >= rule.k * len(records) else "n"
