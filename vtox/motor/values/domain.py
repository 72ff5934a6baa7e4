"""The values that travel through VTOX: windows, recordings, nameplates, diagnoses, assessments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite, sqrt
from numbers import Real
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from vtox.motor.errors import NameplateError, RecordingError
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.energy import MeterRow
from vtox.motor.values.nameplate_ranges import (
    MOTOR_NUMBERS,
    PLACE_LEVELS,
    validate,
    validate_neighbours,
    validate_place,
)
from vtox.motor.values.scalars import parse_limits
from vtox.motor.values.work_hours import work_quarters
from vtox.motor.words.rendering import render, render_all

Array = npt.NDArray[np.float32] | npt.NDArray[np.float64]
State = Literal["normal", "warning", "fault", "unknown"]
STATES: tuple[State, ...] = get_args(State)
Value = float | int | str | bool | None
# Efficiency classes of motors at the grid, IEC 60034-30-1.
IeClass = Literal["IE1", "IE2", "IE3", "IE4"]

CURRENTS = ("ia", "ib", "ic")
VOLTAGES = ("va", "vb", "vc")
# Between lines; two are enough, for three add up to zero.
LINE_VOLTAGES = ("vab", "vbc", "vca")
VIBRATIONS = ("vibration", "vibration_y", "vibration_z")
# Channel name -> unit: every channel that a window may carry.
CHANNEL_UNITS: Mapping[str, str] = MappingProxyType(
    {c: "A" for c in CURRENTS}
    | {c: "V" for c in (*VOLTAGES, *LINE_VOLTAGES)}
    | {c: "m/s^2" for c in VIBRATIONS}
    | {"leakage": "A"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Motor:
    """The nameplate of one motor. A missing value is a reason to abstain, never a default."""

    pole_pairs: int | None = None
    """half the number of poles"""
    supply_hz: float | None = None
    """supply frequency, Hz"""
    rated_speed_rpm: float | None = None
    """speed at rated load, rpm"""
    rated_current_a: float | None = None
    """line current, A rms"""
    rated_voltage_v: float | None = None
    """line-to-line voltage, V rms"""
    rated_power_w: float | None = None
    """shaft power, W"""
    rotor_bars: int | None = None
    """number of bars of the rotor cage"""
    gear_ratio: float | None = None
    """speed of the motor over that of the shaft that a gear drives"""
    neighbour_orders: tuple[float, ...] | None = None
    """other shafts that the sensor hears, turns a turn of the motor"""
    rated_efficiency: float | None = None
    """output over input at rated load: 0.914 for 91.4 %"""
    ie_class: IeClass | None = None
    """efficiency class of IEC 60034-30-1, where the efficiency is not known"""
    rated_power_factor: float | None = None
    """at rated load"""
    stator_resistance_ohm: float | None = None
    """resistance of one phase as a star, warm, ohm: half of that between two terminals"""
    max_starts_per_hour: float | None = None
    """starts that are permitted in an hour"""
    supply_v: float | None = None
    """line-to-line voltage of the supply, V rms, where it is not the rated one"""
    supply_v_tolerance: float | None = None
    """how far the voltage may be off, over it: 0.1 if not stated"""
    expected_every_s: float | None = None
    """from one window, snapshot or burst of its sender to the next, s; else it is learned"""
    criticality: int | None = None
    """1: a spare is next to it, to 5: the plant stops with it; orders alarms"""
    downtime_cost_per_hour: float | None = None
    """cost of an unplanned stop, in your currency"""
    supply: Literal["grid", "inverter"] = "grid"
    """kind of feed of the motor"""
    support: Literal["rigid", "flexible"] | None = None
    """kind of foundation, for the zones of vibration velocity (ISO 20816-3)"""
    scalar_limits: str | None = None
    """limits of its scalars, `;` between them:
    `oil_pressure < 1.2 bar fault; winding_temperature > 120 degC warning`"""
    work_hours: str | None = None
    """hours in which it may run: `Mon-Fri 06:00-22:00; Sat 06:00-14:00`"""
    bearing: Bearing | None = None
    site: str | None = None
    """place of the machine, in a word or some"""
    asset_path: str | None = None
    """assets that hold the machine: up to 8 names with `/` between them, the largest first"""
    feeder: str | None = None
    """the bus or transformer that feeds it: a change on all of its machines is one of the supply,
    and no turn short"""

    def __post_init__(self) -> None:
        for name, levels in PLACE_LEVELS.items():
            if (place := getattr(self, name)) is not None:
                validate_place(name, place, levels=levels)
        for name in MOTOR_NUMBERS:
            object.__setattr__(self, name, validate(name, getattr(self, name)))
        if self.neighbour_orders is not None:
            orders = validate_neighbours(self.neighbour_orders)
            object.__setattr__(self, "neighbour_orders", orders)
        for name, choices in _CHOICES.items():
            if (choice := getattr(self, name)) not in choices:
                expected = ", ".join(filter(None, choices))
                raise NameplateError(f"{name}: {choice!r}, expected {expected}", name)
        if self.scalar_limits is not None:
            tuple(parse_limits(self.scalar_limits))
        if self.work_hours is not None:
            work_quarters(self.work_hours)
        if self.rated_slip is not None and not 0 <= self.rated_slip < 0.5:
            raise NameplateError(
                f"rated_speed_rpm: {self.rated_speed_rpm} gives a slip of {self.rated_slip:.3f} "
                f"with {self.pole_pairs} pole pairs at {self.supply_hz} Hz, expected 0 to 0.5",
                "rated_speed_rpm",
            )

    @property
    def rated_slip(self) -> float | None:
        """Slip at rated speed, or None if the nameplate does not give it."""
        if not (self.pole_pairs and self.supply_hz and self.rated_speed_rpm):
            return None
        return 1 - self.rated_speed_rpm / 60 * self.pole_pairs / self.supply_hz

    @property
    def other_shafts(self) -> tuple[float, ...]:
        """Orders of other shafts: of the one behind the gear, and of neighbours."""
        behind_gear = (1 / self.gear_ratio,) if self.gear_ratio else ()
        return (*behind_gear, *(self.neighbour_orders or ()))

    @property
    def active_share(self) -> float | None:
        """Power factor times efficiency at rated load, None if the nameplate lacks it."""
        if not (self.rated_power_w and self.rated_voltage_v and self.rated_current_a):
            return None
        share = self.rated_power_w / (sqrt(3) * self.rated_voltage_v * self.rated_current_a)
        return share if share < 1 else None


def _choices(hint: Any) -> tuple[str | None, ...]:
    """Return the values of a type that lists them, with None if it may be unknown."""
    parts = get_args(hint) if type(None) in get_args(hint) else (hint,)
    found = [c for part in parts if get_origin(part) is Literal for c in get_args(part)]
    return (*found, None) if found and len(parts) > 1 else tuple(found)


_CHOICES = {n: found for n, h in get_type_hints(Motor).items() if (found := _choices(h))}


@dataclass(frozen=True, slots=True)
class _SampleBlock:
    """Simultaneous samples of the channels of one machine, with scalars measured with them.

    `channels` maps names of `CHANNEL_UNITS` to arrays of one length, shape (samples,), in the units
    given there.
    """

    channels: Mapping[str, Array]
    fs_hz: float
    speed_rpm: float | None = None
    temperature_c: float | None = None

    @property
    def samples(self) -> int:
        """Number of samples in each channel."""
        return int(next(iter(self.channels.values())).shape[0])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.fs_hz


@dataclass(frozen=True, slots=True)
class Recording(_SampleBlock):
    """The samples that a diagnosis is made of, from a file, from memory or joined from windows.

    A speed or temperature that is not a finite number counts as not measured.
    """

    def __post_init__(self) -> None:
        if not self.channels:
            raise RecordingError(
                f"recording has no channels, expected some of {', '.join(CHANNEL_UNITS)}"
            )
        if unknown := self.channels.keys() - CHANNEL_UNITS.keys():
            raise RecordingError(
                f"unknown channel {min(unknown)!r}, expected some of {', '.join(CHANNEL_UNITS)}"
            )
        if not isinstance(self.fs_hz, Real) or not (isfinite(self.fs_hz) and self.fs_hz > 0):
            raise RecordingError(f"fs_hz: {self.fs_hz}, expected a positive number of Hz")
        arrays = {n: np.asarray(x) for n, x in self.channels.items()}
        lengths = {n: x.shape for n, x in arrays.items()}
        if len(set(lengths.values())) != 1 or len(next(iter(lengths.values()))) != 1:
            raise RecordingError(f"channels: expected one dimension and one length, got {lengths}")
        object.__setattr__(self, "channels", {n: _floats(n, x) for n, x in arrays.items()})
        for name in ("speed_rpm", "temperature_c"):
            object.__setattr__(self, name, _measured_value(name, getattr(self, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(_SampleBlock):
    """One contiguous block of samples as a sender publishes it. (machine_id, run, seq) names it."""

    machine_id: str
    seq: int
    t0: float
    run: str = ""
    vehicle_id: str | None = None
    # Name -> value and unit of the scalars that were measured with the samples.
    scalars: Mapping[str, tuple[float, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Consecutive windows of one machine, to be diagnosed as one; without the samples.

    `ids` are the ids of their stream entries, space-separated. `closed` says why the record ended
    early, and is None if it has the length its family needs.

    `shared` is the place of the windows in the memory of the bridge's host: the name of the ring,
    then position and bytes of each (`vtox/pipeline/store/stream/shared_windows.py`); empty if they
    are in the stream alone. `traces` are the spans, as `traceparent`, that followed some of its
    windows here (`vtox/pipeline/windows/tracing.py`). The windows lie in the stream of `partition`.
    `arrived_ms` is when the record was complete, 0 if the id of its last entry says it: else that
    was moved here from another partition, or silence ended the record.
    """

    machine_id: str
    run: str
    first_seq: int
    last_seq: int
    t_start: float
    t_end: float
    ids: str
    windows: int
    bytes: int
    closed: "Reason | None" = None
    shared: str = ""
    traces: str = ""
    partition: int = 0
    arrived_ms: int = 0

    def record_id(self, family: str) -> str:
        """Name of the record: unique because an entry is in one record of a family."""
        return f"{family}|{self.machine_id}|{self.ids.partition(' ')[0]}"

    @property
    def arrived_t(self) -> float:
        """When it was complete at the server, s since 1970 by the server's clock."""
        return (self.arrived_ms or int(self.ids.rpartition(" ")[2].partition("-")[0])) / 1000


ReasonValue = float | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Reason of a diagnosis: a stable `code` with its `values`.

    The unit is the suffix of a value's name, as in indicators. Text values are identifiers
    (channels, defects, sources), never words. `vtox.motor.words` renders both as a sentence.
    Numbers keep six significant digits, so that they are the same offline and from the stream.
    """

    code: str
    values: Mapping[str, ReasonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", {k: _compact(v) for k, v in self.values.items()})

    @property
    def sentence(self) -> str:
        """The sentence for people."""
        return render(self.code, self.values)


def reason(code: str, **values: ReasonValue) -> Reason:
    """Return the reason of that code with its values."""
    return Reason(code, values)


def sentence_of(reasons: Iterable[Reason]) -> str:
    """Return the sentence for people: of a code, and of the doubts about it."""
    return render_all((r.code, r.values) for r in reasons)


def _compact(value: ReasonValue) -> ReasonValue:
    if isinstance(value, np.generic):
        value = value.item()
    return float(f"{value:.6g}") if isinstance(value, float) else value


# Evidence of an `unknown` that found nothing where it could search: it may clear an open alert.
QUIET: Mapping[str, Any] = {"kind": "quiet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The conclusion on one fault over one record.

    `code` with its `values` is the reason, `doubts` weaken the conclusion. `severity` is 0 if
    `normal`. `indicators` are flat; the suffixes of their names are `_db`, `_dbc`, `_s`, `_f`
    and `_hz`; `_s` is siemens in those of conductance.
    """

    fault: str = ""
    state: State = "unknown"
    severity: float | None = None
    """0 to 1; null if the state is unknown"""
    confidence: float | None = None
    """0 to 1: how good the grounds are"""
    statistic: float | None = None
    """the number that was compared"""
    threshold: float | None = None
    """limit that the statistic was compared with"""
    code: str = ""
    values: Mapping[str, ReasonValue] = field(default_factory=dict)
    doubts: tuple[Reason, ...] = ()
    indicators: Mapping[str, Value] = field(default_factory=dict)
    """the unit is the suffix of a name; without one it is a ratio or an identifier"""
    evidence: tuple[Mapping[str, Any], ...] = ()
    """frequencies looked at, alternatives, episodes"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Conclusion):
    """The answer for one fault over one record, with the sentence of its code and doubts."""

    fault: str
    state: State
    confidence: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", Reason(self.code, self.values).values)

    @property
    def reason(self) -> str:
        """The sentence for people: of the code, and of the doubts."""
        reasons = [Reason(self.code, self.values)] if self.code else []
        return sentence_of([*reasons, *self.doubts])


class Answer(NamedTuple):
    """The content of a `Diagnosis`, with its sentence: a row made in a fifth of the time.

    `energy` is the meter reading of the record, with the answer of the one fault that is metered.
    """

    fault: str
    state: State
    code: str
    values: Mapping[str, ReasonValue]
    doubts: tuple[Reason, ...]
    reason: str
    severity: float | None
    confidence: float
    statistic: float | None
    threshold: float | None
    indicators: Mapping[str, Value]
    evidence: tuple[Mapping[str, Any], ...]
    energy: MeterRow | None = None


def abstain(
    fault: str, why: Reason, *doubts: Reason, indicators: Mapping[str, Value] = MappingProxyType({})
) -> Diagnosis:
    """Return an abstention: state `unknown`, no severity, no confidence."""
    return Diagnosis(
        fault=fault,
        state="unknown",
        code=why.code,
        values=why.values,
        doubts=doubts,
        indicators=dict(indicators),
    )


def _floats(name: str, x: npt.NDArray[Any]) -> Array:
    """Return real numbers as floats, unchanged if they are."""
    if x.dtype in (np.float32, np.float64):
        return x
    try:
        return x.astype(np.float64, casting="unsafe" if x.dtype == object else "same_kind")
    except (TypeError, ValueError) as error:
        raise RecordingError(f"{name}: {x.dtype}, expected real numbers") from error


def _measured_value(name: str, value: float | None) -> float | None:
    """Return a measured number as a float, None if it is not finite."""
    if value is not None and not isinstance(value, Real):
        raise RecordingError(f"{name}: {value!r}, expected a number")
    return float(value) if value is not None and isfinite(value) else None
