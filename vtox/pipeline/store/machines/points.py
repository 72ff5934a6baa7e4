"""The history's points of results, assessments and metrics, decoded from their entries.

A point is one quantity of one machine at one time; a figure of the system has no machine. Decoding
is quick, for it is done to every result: no evidence is read, and nothing of it is needed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple, get_args

from vtox.motor.alarms.health.marks import FOUND
from vtox.motor.errors import WireError
from vtox.motor.faults import FAMILIES
from vtox.motor.values.codec import RawFields
from vtox.motor.values.domain import State
from vtox.motor.values.plain_names import NAME
from vtox.motor.values.scalars import ScalarReading, checked
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.stream.entries import BUSY, number, time_s

HEALTH = "health"
# A sender's clock may be ahead by so much.
AHEAD_MS = 3_600_000
# Quantities of the system, as `performance_metrics` names them.
METRICS = (
    "ingest_rate",
    "throughput",
    "latency_p50_ms",
    "latency_p95_ms",
    "backlog",
    "in_flight",
    "cpu",
    "machines",
    *(BUSY + family for family in FAMILIES),
)
STATES: frozenset[str] = frozenset(get_args(State))
# Faults and codes of later versions are taken as they are, if they can be any.
_CODE = re.compile(r"[a-z0-9_]{1,64}")
# Letters of marks, of this version or a later one; a slot is a fifth of a second at least.
_MARKS = re.compile(rb"[a-z]{0,4096}")
# The range of a database's signed 64 bits, and a time in ms beyond all use.
_ID_END = 1 << 63
_T_MS_END = 1 << 53
# The digits of both numbers of windows together, and of the hash of a run.
_DIGITS, _RUN_DIGITS = 40, 16


class Point(NamedTuple):
    """One value of one quantity; a tuple, for a frozen dataclass takes three times as long.

    `t_ms` is the end of the record by its sender, but no later than the arrival of the entry
    (`id_ms`, server clock); `value` is the statistic, the health or the figure. `marks` is the note
    of the fault's alarm on a result, None if it has none; `confidence` is kept if it found
    something.

    `windows` names those of a result by run and numbers: diagnosed again, it is the same. `energy`
    is its record's contribution to the meter of the machine, and `start` the detail of a result
    whose record shows a start. `operation` has the record's operating figures.
    """

    machine_id: str
    quantity: str
    t_ms: int
    id_ms: int
    id_seq: int
    duration_ms: int
    state: str
    code: str
    value: float | None
    threshold: float | None
    severity: float | None
    marks: str | None = None
    confidence: float | None = None
    windows: str | None = None
    energy: bytes | None = None
    start: bytes | None = None
    operation: bytes | None = None


def points_of_result(entry_id: bytes, fields: RawFields) -> Iterator[Point]:
    """Yield the point of an entry of `fault_diagnosis_results`, none if it is no result."""
    names = _names(fields.get(b"machine_id", b""), fields.get(b"fault", b""))
    ends_s = time_s(fields.get(b"t_end"))
    if names is None or ends_s is None:
        return
    starts_s = time_s(fields.get(b"t_start"))
    moment = _moment(entry_id, ends_s)
    if moment is None:
        return
    duration_s = ends_s - (ends_s if starts_s is None else starts_s)
    marks = _marks(fields.get(b"marks"))
    found = marks is not None and not FOUND.isdisjoint(marks)
    energy = fields.get(b"energy")
    starts = energy is not None and fields.get(b"code", b"").startswith(b"motor_start")
    yield Point(
        *names,
        *moment,
        min(max(round(1000 * duration_s), 0), 86_400_000),
        *_outcome(fields.get(b"state", b""), fields.get(b"code", b"")),
        number(fields.get(b"statistic") or None),
        number(fields.get(b"threshold") or None),
        number(fields.get(b"severity") or None),
        marks,
        number(fields.get(b"confidence") or None) if found else None,
        _windows(fields),
        energy,
        fields.get(b"detail") if starts else None,
        fields.get(b"operation"),
    )


def _points_of_assessment(entry_id: bytes, fields: RawFields) -> Iterator[Point]:
    """Yield the point of an entry of `vehicle_health_assessments`."""
    names = _names(fields.get(b"machine_id", b""), HEALTH.encode())
    t = time_s(fields.get(b"t"))
    moment = None if t is None else _moment(entry_id, t)
    if names is not None and moment is not None:
        health = number(fields.get(b"health") or None)
        outcome = _outcome(fields.get(b"state", b""), b"")
        yield Point(*names, *moment, 0, *outcome, health, None, None)


def _points_of_metrics(entry_id: bytes, fields: RawFields) -> Iterator[Point]:
    """Yield the points of an entry of `performance_metrics`, none for unmeasured figures."""
    t, interval_s = time_s(fields.get(b"t")), time_s(fields.get(b"interval_s")) or 0.0
    moment = None if t is None else _moment(entry_id, t)
    if moment is None:
        return
    duration_ms = min(max(round(1000 * interval_s), 0), 86_400_000)
    for name in METRICS:
        value = number(fields.get(name.encode()) or None)
        if value is not None:
            yield Point("", name, *moment, duration_ms, "", "", value, None, None)


def _points_of_scalar(entry_id: bytes, fields: RawFields) -> Iterator[Point]:
    """Yield the point of an entry of `motor_scalars`.

    Raises `WireError`: it is no reading, or of a time that has not come.
    """
    text = {
        k: fields.get(k.encode(), b"").decode("utf-8", "replace") for k in ScalarReading._fields
    }
    t, value = (number(text[k]) for k in ("t", "value"))
    r = checked(text["machine_id"], t, text["name"], value, text["unit"])
    numbers = entry_numbers(entry_id)
    # Its time is its name: it cannot be moved to that of its arrival, as that of a result is.
    if numbers is None or 1000 * r.t > numbers[0] + AHEAD_MS:
        raise WireError("bad_number", f"t: {r.t}, a time that has not come yet", "t")
    yield Point(
        r.machine_id, r.quantity, round(1000 * r.t), *numbers, 0, "", "", r.value, None, None
    )


POINTS_OF: Mapping[str, Callable[[bytes, RawFields], Iterator[Point]]] = {
    keys.RESULTS: points_of_result,
    keys.ASSESSMENTS: _points_of_assessment,
    keys.METRICS: _points_of_metrics,
    keys.SCALARS: _points_of_scalar,
}


def entry_numbers(entry_id: bytes) -> tuple[int, int] | None:
    """Return the two numbers of an entry's id; None for an id that no clock of ours gives."""
    ms, _, seq = entry_id.partition(b"-")
    numbers = int(ms), int(seq)
    return numbers if max(numbers) < _ID_END and numbers[0] < _T_MS_END else None


@lru_cache(maxsize=1 << 16)
def _names(machine_id: bytes, quantity: bytes) -> tuple[str, str] | None:
    """Return the names of machine and quantity, None if one of them cannot be any."""
    machine, name = machine_id.decode("utf-8", "replace"), quantity.decode("utf-8", "replace")
    return (machine, name) if NAME.fullmatch(machine) and _CODE.fullmatch(name) else None


@lru_cache(maxsize=1 << 10)
def _marks(text: bytes | None) -> str | None:
    return text.decode() if text is not None and _MARKS.fullmatch(text) else None


def _windows(fields: RawFields) -> str | None:
    """Return which windows of its machine a result is of; None if it does not say."""
    first, last = fields.get(b"first_seq", b""), fields.get(b"last_seq", b"")
    if not (first.isdigit() and last.isdigit() and len(first) + len(last) <= _DIGITS):
        return None
    run = fields.get(b"run", b"")
    return f"{first.decode()} {last.decode()}{_run(run) if run else ''}"


@lru_cache(maxsize=1 << 10)
def _run(run: bytes) -> str:
    """Return a run's distinguishing mark; a short hash, for a run may be any text."""
    return f" {sha256(run).hexdigest()[:_RUN_DIGITS]}"


@lru_cache(maxsize=1 << 12)
def _outcome(state: bytes, code: bytes) -> tuple[str, str]:
    """Return state and code; a state that there is not is `unknown`, such a code is empty."""
    name, why = state.decode("utf-8", "replace"), code.decode("utf-8", "replace")
    return name if name in STATES else "unknown", why if _CODE.fullmatch(why) else ""


def _moment(entry_id: bytes, t: float) -> tuple[int, int, int] | None:
    """Return time (ms) and id of a point; None if it was before 1970 or its id is unusable."""
    numbers = entry_numbers(entry_id)
    if numbers is None or t < 0:
        return None
    return min(round(1000 * t), numbers[0]), *numbers
