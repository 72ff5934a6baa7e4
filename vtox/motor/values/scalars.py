"""Named scalars of a machine: readings, their limits on the nameplate, and who crosses one. Pure.

A reading is (machine, time, name, value, unit). The same machine, name and time are the same one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from vtox.motor.errors import NameplateError, WireError
from vtox.motor.values.nameplate_ranges import PLACE_LENGTHS
from vtox.motor.values.plain_names import name_error

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# Printable, without spaces and without the separator of a name and its unit.
_UNIT = re.compile(r"[^\s:\x00-\x1f\x7f]{1,16}")
# In one message or window.
MOST = 64
# Names with their units of one machine, in the history: a machine of the largest plants has some
# 100 measuring points. VTOX's own velocities come on top.
MOST_OF_MACHINE = 256
LARGEST = 1e30
# Back within a limit by this share of it, before its alarm ends: a value on the limit is one alarm.
DEADBAND = 0.02
_LIMIT = re.compile(
    r"(\S+)\s*([<>])\s*(\S+)\s+(\S+)\s+(warning|fault)"
    r"(?:\s+for\s+(\S+)\s+(s|min|h|readings))?(?:\s+back\s+(\S+))?"
)
_FORM = (
    "NAME > VALUE UNIT warning|fault [for NUMBER s|min|h|readings] [back VALUE], with ; between "
    "several"
)
# A value is beyond a limit for so many of these before it is an alarm, at most.
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
MOST_DELAY_S, MOST_READINGS = 7 * 86_400.0, 1000
# Before name and unit of a scalar: its quantity in the history, its alarm.
PREFIX, FLAG = "scalar:", "limit"


class ScalarReading(NamedTuple):
    """One value of one scalar at `t`, s since 1970."""

    machine_id: str
    t: float
    name: str
    value: float
    unit: str

    @property
    def quantity(self) -> str:
        """Its name in the history: another unit is another quantity."""
        return f"{PREFIX}{self.name}:{self.unit}"


@dataclass(frozen=True, slots=True)
class ScalarLimit:
    """A limit of a scalar: values beyond it are a warning or a fault."""

    name: str
    side: Literal["<", ">"]
    """values on this side are beyond it"""
    value: float
    unit: str
    level: Literal["warning", "fault"]
    delay_s: float = 0.0
    """values are beyond it for so long before it is an alarm"""
    readings: int = 1
    """so many readings in a row are beyond it before it is an alarm"""
    back: float | None = None
    """the alarm ends at this value; null for 2 % within the limit"""

    def crossed(self, value: float, *, was: bool = False) -> bool:
        """Return whether a value is beyond it; one that was stays so until it is back."""
        end = self.value
        if was:
            room = DEADBAND * abs(self.value)
            end = (
                self.back
                if self.back is not None
                else end - room
                if self.side == ">"
                else end + room
            )
        return value > end if self.side == ">" else value < end


@dataclass(slots=True)
class LimitRun:
    """The run of readings in a row beyond a limit: since when, how many, and the newest time."""

    limit: ScalarLimit
    since_ms: int = 0
    readings: int = 0
    newest_ms: int = 0

    def add(self, t_ms: int, value: float) -> None:
        """Count a reading: one beyond the limit goes on with the run, another ends it."""
        self.newest_ms = t_ms
        if not self.limit.crossed(value):
            self.readings = 0
            return
        if not self.readings:
            self.since_ms = t_ms
        self.readings += 1

    def is_alarm(self, value: float, *, was: bool) -> bool:
        """Return whether the newest value is an alarm; one that was ends when it is back."""
        lasting_s = (self.newest_ms - self.since_ms) / 1000
        lasts = self.readings >= self.limit.readings and lasting_s >= self.limit.delay_s
        return self.limit.crossed(value, was=was) and (was or lasts)


def checked(machine_id: Any, t: Any, name: Any, value: Any, unit: Any) -> ScalarReading:
    """Return a reading.

    Raises `WireError`: a part of it cannot be one; the error names it.
    """
    if not isinstance(machine_id, str) or (wrong := name_error(machine_id)):
        what = wrong if isinstance(machine_id, str) else "expected a name"
        raise WireError("bad_machine_id", f"machine_id: {machine_id!r}: {what}", "machine_id")
    if not _is_number(t) or not 0 < t < 1e11:
        raise WireError("bad_number", f"t: {t!r}, expected seconds since 1970 (UTC)", "t")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        expected = "expected 1 to 32 of a-z, digits and _, a letter first"
        raise WireError("bad_json", f"name: {repr(name)[:60]}, {expected}", "name")
    if not _is_number(value) or abs(value) > LARGEST:
        detail = f"{name}: {repr(value)[:60]}, expected a finite number up to {LARGEST:g}"
        raise WireError("bad_number", detail, name)
    if not isinstance(unit, str) or not is_unit(unit):
        expected = "expected a unit of 1 to 16 characters that are seen, no spaces and colons"
        raise WireError("bad_json", f"{name}: unit {repr(unit)[:40]}, {expected}", name)
    return ScalarReading(machine_id, float(t), name, float(value), unit)


def is_unit(text: str) -> bool:
    """Return whether a text may be a unit. All of it is seen: else two units would look alike."""
    return bool(_UNIT.fullmatch(text)) and text.isprintable()


def readings_of(machine_id: str, t: float, table: object) -> list[ScalarReading]:
    """Return the readings of `{"NAME": [value, "unit"], ...}`.

    Raises `WireError`: it is no such table, or one of them cannot be a reading.
    """
    if not isinstance(table, Mapping) or not 0 < len(table) <= MOST:
        detail = f'scalars: expected 1 to {MOST} of {{"NAME": [value, "unit"]}}'
        raise WireError("bad_json", detail, "scalars")
    found = []
    for name, pair in table.items():
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            detail = f'scalars.{str(name)[:40]}: {repr(pair)[:40]}, expected [value, "unit"]'
            raise WireError("bad_json", detail, f"scalars.{name}")
        found.append(checked(machine_id, t, name, *pair))
    return found


def readings_of_text(machine_id: str, t: float, text: bytes) -> list[ScalarReading]:
    """Return the readings of the field `scalars` of a window, which is JSON.

    Raises `WireError`: as `readings_of`.
    """
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("bad_json", "scalars: no JSON", "scalars") from None
    return readings_of(machine_id, t, table)


def name_and_unit(quantity: str) -> tuple[str, str]:
    """Return name and unit of a quantity of the history."""
    _, name, unit = quantity.split(":", 2)
    return name, unit


def parse_limits(text: object) -> Iterator[ScalarLimit]:
    """Yield the limits of a nameplate: `oil_pressure < 1.2 bar fault; motor_temp > 110 degC fault`.

    Raises `NameplateError`: one is of another form.
    """
    if not isinstance(text, str) or len(text) > PLACE_LENGTHS["scalar_limits"]:
        raise NameplateError(f"scalar_limits: {repr(text)[:60]}, expected {_FORM}", "scalar_limits")
    for part in filter(None, map(str.strip, text.split(";"))):
        limit = _limit(part)
        if limit is None:
            detail = f"scalar_limits: {part[:80]!r}, expected {_FORM}"
            raise NameplateError(detail, "scalar_limits")
        yield limit


def _limit(text: str) -> ScalarLimit | None:
    """Return a limit, None if the text is none."""
    found = _LIMIT.fullmatch(text)
    if not found:
        return None
    name, side, value, unit, level, lasting, of, back = found.groups()
    number, lasts = _number(value), _number(lasting or "0")
    end = None if back is None else _number(back)
    delay_s = lasts * _SECONDS.get(of, 0.0) if lasting else 0.0
    readings = lasts if of == "readings" else 1.0
    if not (
        NAME.fullmatch(name)
        and is_unit(unit)
        and isfinite(number)
        and 0 <= delay_s <= MOST_DELAY_S
        and readings in range(1, MOST_READINGS + 1)
        and (end is None or (end <= number if side == ">" else end >= number))
    ):
        return None
    return ScalarLimit(name, side, number, unit, level, delay_s, int(readings), end)  # type: ignore[arg-type]


def _number(text: str) -> float:
    """Return a number, NaN for another text."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def limit_flag(name: str, level: str) -> str:
    """Return the name of the alarm of a scalar beyond its limits of a level."""
    return f"{FLAG}:{name}:{level}"


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and isfinite(x)
