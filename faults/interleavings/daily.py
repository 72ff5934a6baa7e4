"""Machines whose windows span days: their answers, and the days counted from their records.

A window carries its number as its samples, so that its answer is known wherever it is diagnosed.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import redis

from faults.days import SLOW, Said, counted, days_of
from faults.interleavings.truth import Broken
from vtox.motor.faults import PERSISTENCE
from vtox.motor.values.domain import Answer, Array, Recording, State
from vtox.pipeline.configuration import keys

# Machine -> state of each of its windows: a fault, none, or unknown. Records agree on M1 until it
# is repaired; days confirm it. Days of M2 show it now and then.
SHOWN = {"M1": "wwnwwwwnwnnnnnnnnnwwwwnw", "M2": "wnwnnnuuuwwwunwwuwnnnnww"}
MACHINES = tuple(SHOWN)
# This many windows in a row are of one day; the last day is over when the run begins.
DAY_WINDOWS, DAY_S, BEFORE_S = 3, 86_400.0, 20 * 86_400.0
# The rate distinguishes them from other machines.
DAILY_HZ = 125.0
STATES: Mapping[str, State] = {"w": "warning", "n": "normal", "u": "unknown"}
_NUMBER = "ia"


def channels(machine_id: str, seq: int, window_s: float) -> dict[str, Array]:
    """Return the samples of a window: its number, as one of its machine."""
    number = MACHINES.index(machine_id) * 1000 + seq
    return {_NUMBER: np.full(round(DAILY_HZ * window_s), float(number))}


def starts_s(seq: int, window_s: float) -> float:
    """Return when a window starts, after the first one of its machine."""
    day, n = divmod(seq, DAY_WINDOWS)
    return day * DAY_S + n * window_s


def answers(recording: Recording, faults: Iterable[str]) -> list[Answer]:
    """Return the answers by the first window of a record: its slow faults, the others normal."""
    machine, seq = divmod(round(float(recording.channels[_NUMBER][0])), 1000)
    shown = STATES[_letter(MACHINES[machine], seq)]
    return [_answer(fault, shown if fault in SLOW else "normal") for fault in faults]


def _answer(fault: str, state: State) -> Answer:
    severity = {"warning": 0.3, "normal": 0.0}.get(state)
    return Answer(fault, state, "as_sent", {}, (), "", severity, 0.5, None, None, {}, ())


def _letter(machine_id: str, seq: int) -> str:
    shown = SHOWN[machine_id]
    return shown[seq % len(shown)]


def check_days(plain: redis.Redis) -> None:
    """Compare days, level and alerts of each slow fault with a count of its records."""
    results = [e for _, e in plain.xrange(keys.RESULTS)]
    for machine_id, found in days_of(plain, MACHINES).items():
        for fault in SLOW:
            of = machine_id.encode(), fault.encode()
            own = [said(e) for e in results if (e[b"machine_id"], e[b"fault"]) == of]
            expected = counted(own, PERSISTENCE[fault])
            if found[fault] != expected:
                raise Broken("days", f"{machine_id} {fault}: {found[fault]}, counted {expected}")


def said(result: Mapping[bytes, bytes]) -> Said:
    """Return the state that the windows of a result showed."""
    seq, machine_id = int(result[b"first_seq"]), result[b"machine_id"].decode()
    return Said(float(result[b"t_end"]), seq // DAY_WINDOWS, STATES[_letter(machine_id, seq)])
