"""A machine's profile as it is kept: what it learnt, and which of its conditions are open."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from vtox.motor.errors import InputError
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, Reason
from vtox.motor.values.work_hours import work_quarters

Condition = Literal["load_low", "load_high", "runs_unusually", "starts_often", "supply_off"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
# Code of a condition: its sentence has no values, which the other reasons have.
PROFILE_CODES: Mapping[str, str] = {
    "load_low": "load_below_profile",
    "load_high": "load_above_profile",
    "runs_unusually": "runs_outside_profile",
    "starts_often": "starts_too_often",
    "supply_off": "supply_outside_limits",
}
Kind = Literal["", "power", "current"]
# Hours of a day of a working week, then those of a weekend.
HOURS = 48
DAY_MIN = 1440
# A profile is learnt for so many days, of which the machine runs on some.
LEARNING_DAYS, RUNNING_DAYS = 14, 5
# A level that a person called normal is learnt for so long.
ACCEPTED_DAYS = 7
# Tolerance of a stated supply voltage that has none, as a ratio (IEC 60038).
SUPPLY_TOLERANCE = 0.1
# Bytes of a kept profile.
MOST_BYTES = 8192


class Minute(NamedTuple):
    """The figures of a machine in one minute since 1970; None if it was not measured.

    `observed_s` and `running_s` are time. `power_w` and `current_a` are means over the records in
    which the motor ran, and so are the others. `hz_spread` is how far the frequency moved, over it.
    `healthy` says that no record of it found a fault.
    """

    minute: int
    observed_s: float
    running_s: float
    power_w: float | None = None
    current_a: float | None = None
    hz: float | None = None
    hz_spread: float = 0.0
    volts: float | None = None
    voltage_unbalance: float | None = None
    current_unbalance: float | None = None
    starts: int = 0
    healthy: bool = True

    @property
    def runs(self) -> bool:
        """Whether the motor ran through the minute."""
        return self.running_s > 0.9 * self.observed_s > 0


@dataclass(frozen=True, slots=True)
class Site:
    """Facts that the profile of a machine does not learn: its time zone, and stated limits."""

    zone: ZoneInfo
    driven: bool = False
    """a drive feeds it: its voltage and frequency are set"""
    supply_hz: float | None = None
    supply_v: float | None = None
    supply_v_tolerance: float = SUPPLY_TOLERANCE
    """over `supply_v`"""
    starts_per_hour: float | None = None
    work_hours: frozenset[int] | None = None
    """quarter-hours of a week, from Monday 00:00, in which it may run"""


def site_of(motor: Motor | None, zone: ZoneInfo) -> Site:
    """Return the facts about a machine that its profile does not learn, by its nameplate."""
    if motor is None:
        return Site(zone)
    return Site(
        zone,
        driven=motor.supply == "inverter",
        supply_hz=motor.supply_hz,
        supply_v=motor.supply_v,
        supply_v_tolerance=motor.supply_v_tolerance or SUPPLY_TOLERANCE,
        starts_per_hour=motor.max_starts_per_hour,
        work_hours=work_quarters(motor.work_hours) if motor.work_hours else None,
    )


class Change(NamedTuple):
    """A condition that begins or ends, and why: the first reason has no values."""

    minute: int
    condition: Condition
    on: bool
    reasons: tuple[Reason, ...]


# Not frozen, as it changes each minute.
@dataclass(slots=True)
class Streak:
    """Readings outside in a row, and those inside after them; minutes when each began."""

    since: int = 0
    readings: int = 0
    back_since: int = 0
    back: int = 0


@dataclass(frozen=True, slots=True)
class Now:
    """The last settled minute that had a load: the load, its frequency, and its band and hour."""

    minute: int
    load: float
    hz: float
    key: int


# Not frozen, as it changes with each record.
@dataclass(slots=True)
class Pending:
    """Sums over the records of the present minute, up to the one that ended at `t_ms`.

    `records` showed a current while the motor ran, `voltages` of them a voltage.
    """

    minute: int = 0
    t_ms: int = 0
    observed_ms: int = 0
    running_ms: int = 0
    powered_ms: int = 0
    joules: int = 0
    starts: int = 0
    healthy: bool = True
    records: int = 0
    hz: float = 0.0
    hz_low: float = 0.0
    hz_high: float = 0.0
    amperes: float = 0.0
    of_amperes: float = 0.0
    voltages: int = 0
    volts: float = 0.0
    of_volts: float = 0.0


@dataclass(slots=True)
class Profile:
    """The usual operation of a machine.

    `load` has minutes by level of load, of each band of frequency and hour (`load.key_of`). `seen`
    and `ran` are the days on which each hour was observed, and had the motor running. `volts` and
    `unbalances` have minutes by level, `balanced` is minutes with balanced currents.
    """

    pending: Pending = field(default_factory=Pending)
    now: Now | None = None
    began: int = 0
    last: int = 0
    kind: Kind = ""
    learnt: bool = False
    running_days: int = 0
    running_day: int = 0
    load: dict[int, dict[int, int]] = field(default_factory=dict)
    edges: dict[int, tuple[int, int]] = field(default_factory=dict)
    seen: list[int] = field(default_factory=lambda: [0] * HOURS)
    ran: list[int] = field(default_factory=lambda: [0] * HOURS)
    volts: dict[int, int] = field(default_factory=dict)
    unbalances: dict[int, int] = field(default_factory=dict)
    balanced: int = 0
    starts_hour: int = 0
    starts_day: int = 0
    # The present hour and run, and the last settled loads.
    hour: int = -1
    hour_observed_s: float = 0.0
    hour_running_s: float = 0.0
    run_since: int = 0
    recent: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    streaks: dict[str, Streak] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)

    def learns(self, topic: str, minute: int) -> bool:
        """Return whether levels of a topic are learnt now, whatever they are."""
        return not self.learnt or minute < self.accepted.get(topic, 0)


def encode_profile(p: Profile) -> bytes:
    """Return a profile as it is kept, without its pending minute."""
    return zlib.compress(codec.encode(replace(p, pending=Pending())))


def encode_pending(x: Pending) -> str:
    """Return a pending minute as it is kept: it changes with each record."""
    return codec.encode(x).decode()


def decode_pending(kept: str) -> Pending:
    """Return a kept minute; a new one if it cannot be read."""
    return codec.decode_or_none(Pending, kept.encode()) or Pending()


def decode_profile(kept: bytes) -> Profile:
    """Return a kept profile; a new one if it cannot be read.

    Another version may have written it.
    """
    try:
        return codec.decode(Profile, zlib.decompress(kept))
    except (zlib.error, ValueError, InputError):
        return Profile()
