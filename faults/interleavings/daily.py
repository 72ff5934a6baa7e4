"""Machines whose windows span days: answers of their own, and the days counted from their records.

A window carries its number as its samples, so that its answer is known wherever it is diagnosed.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import redis

from faults.interleavings.truth import Broken
from vtox.motor.alarms.health.alert_values import Alert, FaultHistory
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.motor.values import codec
from vtox.motor.values.domain import Answer, Array, Recording, State
from vtox.pipeline.configuration import keys

# Machine -> what each of its windows shows: a fault, nothing, or that it cannot say. Records agree
# on M1 until it is repaired; days confirm it. Days of M2 show it now and then.
SHOWN = {"M1": "wwnwwwwnwnnnnnnnnnwwwwnw", "M2": "wnwnnnuuuwwwunwwuwnnnnww"}
MACHINES = tuple(SHOWN)
# So many windows in a row are of one day, the last of which is over when the run begins.
DAY_WINDOWS, DAY_S, BEFORE_S = 3, 86_400.0, 20 * 86_400.0
# The rate tells them from other machines.
DAILY_HZ = 125.0
STATES: Mapping[str, State] = {"w": "warning", "n": "normal", "u": "unknown"}
SLOW = [fault for fault, rule in PERSISTENCE.items() if rule.days > 1]
_NUMBER = "ia"

Result = Mapping[bytes, bytes]


def channels(machine_id: str, seq: int, window_s: float) -> dict[str, Array]:
    """Return the samples of a window: its number, as one of its machine."""
    number = MACHINES.index(machine_id) * 1000 + seq
    return {_NUMBER: np.full(round(DAILY_HZ * window_s), float(number))}


def starts_s(seq: int, window_s: float) -> float:
    """Return when a window starts, after the first one of its machine."""
    day, n = divmod(seq, DAY_WINDOWS)
    return day * DAY_S + n * window_s


def answers(recording: Recording, faults: Iterable[str]) -> list[Answer]:
    """Return what the first window of a record shows, of its slow faults; no others are there."""
    machine, seq = divmod(round(float(recording.channels[_NUMBER][0])), 1000)
    shown = STATES[_letter(MACHINES[machine], seq)]
    return [_answer(fault, shown if fault in SLOW else "normal") for fault in faults]


def _answer(fault: str, state: State) -> Answer:
    severity = {"warning": 0.3, "normal": 0.0}.get(state)
    return Answer(fault, state, "as_sent", {}, (), "", severity, 0.5, None, None, {}, ())


def _letter(machine_id: str, seq: int) -> str:
    shown = SHOWN[machine_id]
    return shown[seq % len(shown)]


# What must hold of it


def check_days(plain: redis.Redis) -> None:
    """Compare days, level and alerts of each slow fault with a count of its records."""
    results = [e for _, e in plain.xrange(keys.RESULTS)]
    alerts = [codec.decode_fields(Alert, e) for _, e in plain.xrange(keys.ALERTS)]
    for machine_id in MACHINES:
        memory = plain.hget(keys.machine(machine_id), "memory")
        history = codec.decode_or_none(MachineHistory, memory) or MachineHistory()
        for fault in SLOW:
            of = machine_id.encode(), fault.encode()
            own = [e for e in results if (e[b"machine_id"], e[b"fault"]) == of]
            told = [a.event for a in alerts if (a.machine_id, a.fault) == (machine_id, fault)]
            found = (*_days_of(history.faults.get(fault) or FaultHistory()), told)
            expected = counted(machine_id, own, PERSISTENCE[fault])
            if found != expected:
                raise Broken("days", f"{machine_id} {fault}: {found}, by its records {expected}")


# Letters of the last days, records and finds of the day under way, level, events of alerts.
Count = tuple[str, int, int, str, list[str]]


def _days_of(h: FaultHistory) -> tuple[str, int, int, str]:
    if h.days is None or h.days.day is None:
        return "", 0, 0, h.level
    return h.days.past + h.days.today, h.days.day.slots, h.days.day.found, h.level


def counted(machine_id: str, results: Sequence[Result], rule: Persistence) -> Count:
    """Count the days of a fault from its results, in the order in which they were committed.

    A result older than one before it is a replay, and counts nothing.
    """
    last_t, said, level, told = 0.0, "", "", list[str]()
    days: dict[int, str] = {}
    for e in results:
        seq, t = int(e[b"first_seq"]), float(e[b"t_end"])
        letter = _letter(machine_id, seq)
        if t < last_t or letter == "u":
            last_t = max(t, last_t)
            continue
        last_t, day, said = t, seq // DAY_WINDOWS, said + letter
        days[day] = days.get(day, "") + letter
        last = [_letter_of_day(x, rule) for x in days.values()][-rule.of_days :]
        if not level and letter == "w" and last.count("w") >= rule.days:
            level = "warning"
            told.append("raised")
        elif level and said.endswith(rule.clear * "n") and last[-2:] == ["n", "n"]:
            level = ""
            told.append("cleared")
            days = {-2: "n", -1: "n", day: days[day]}  # they lead to no other alarm
    of_days = [_letter_of_day(x, rule) for x in days.values()]
    today = next(reversed(days.values()), "")
    kept = "".join(of_days[-rule.of_days - 1 :])
    return kept, len(today), today.count("w"), level, told


def _letter_of_day(records: str, rule: Persistence) -> str:
    return "w" if records.count("w") * rule.n >= rule.k * len(records) else "n"
