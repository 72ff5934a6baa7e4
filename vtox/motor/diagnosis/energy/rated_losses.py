"""Losses at rated load by the nameplate, with their deviations: the start of every estimate.

Losses by kind follow IEC 60034-2-1: stator and rotor winding, iron, friction and windage, and
additional load losses. The nameplate alone may give two of them: the rotor's are the slip's share
of the power in the air gap, the stator's follow from its resistance. The others are split as in
usual motors, and the spread among motors widens the interval.
"""

from collections.abc import Sequence
from math import hypot, nan, sqrt
from typing import NamedTuple

import numpy as np

from vtox.motor.diagnosis.energy.efficiency_class import class_span
from vtox.motor.values.arrays import TINY, Bool, Float64
from vtox.motor.values.domain import Motor

# Deviation of a motor's losses from those of its nameplate, over them. IEC 60034-1 (table 20)
# allows 15 % more, which is taken as three deviations.
_LOSS_STD = 0.05
# Half of the last digit of a power factor; it gives the efficiency if that is not rated.
_POWER_FACTOR_STD = 0.005 / sqrt(3)
# Share of the stator winding in the losses that are not the rotor's, and its deviation. Usual
# motors: stator 30 to 50 % of all, rotor 20 to 25 %, iron 20 to 25 %, friction 5 to 15 %,
# additional 5 to 15 %. Sources: IEC TS 60034-31, figure 1; de Almeida et al. 2011, IEEE Ind. Appl.
# Mag.
_STATOR_SHARE, _STATOR_SHARE_STD = 0.50, 0.08
# Constant share (iron, friction and windage) of the losses of no winding; the rest grows with load.
CONSTANT_SHARE, _CONSTANT_SHARE_STD = 0.76, 0.12
# Share of the iron in the constant losses; it grows with the square of the voltage.
_IRON_SHARE = 0.7
# Deviations of a stator resistance that is known, for its temperature, and of rated slip (IEC
# 60034-1 allows 20 %), over it. The rated speed is rounded to a whole number, 1/min.
_RESISTANCE_STD, _SLIP_STD, _SPEED_STD_RPM = 0.04, 0.07, 0.5 / sqrt(3)
# Rotor losses over all losses if the nameplate gives no speed.
_ROTOR_SHARE, _ROTOR_SHARE_STD = 0.22, 0.30

# Codes of a nameplate that leads to no estimate.
NAMEPLATE_CODES = (
    "rated_power_unknown",
    "rated_voltage_unknown",
    "rated_supply_or_poles_unknown",
    "rated_efficiency_unknown",
    "rated_current_unknown",
    "class_without_efficiency",
    "losses_contradict_efficiency",
    "inverter_needs_resistance",
)


class RatedLosses(NamedTuple):
    """Rated values of one motor with their deviations; `why` is a code if there are none.

    Powers in W, `resistance_ohm` of one phase. The share of the voltage left for the flux is
    `magnetising`, |V1 - R I1|^2 over V1^2 at rated load.
    """

    why: str = ""
    power_w: float = nan
    voltage_v: float = nan  # of a phase
    supply_hz: float = nan
    synchronous_rad_s: float = nan
    input_w: float = nan
    loss_w: float = nan
    loss_std_w: float = nan
    slip: float = nan
    slip_std: float = nan
    resistance_ohm: float = nan
    resistance_std_ohm: float = nan
    current_a: float = nan
    resistance_known: bool = False
    flux_ratio: float = nan


# Quantities that are varied, each by its deviation, in addition to the expected case.
_VARIED = ("loss", "resistance", "constant_share", "slip", "gain", "angle")
# Rows are cases: the expected one, then each unknown moved by its deviation.
MOVED = np.vstack([np.zeros(len(_VARIED)), np.eye(len(_VARIED))]).T[:, :, None]
# Values at rated load that move with the cases: how many there are in `RatedColumns.cases`.
_CASES = 6


class RatedColumns(NamedTuple):
    """`RatedLosses` of a batch: each number as a column of length batch.

    `why` is the place of each code in `NAMEPLATE_CODES`, from 1 on, 0 if there is none. The motors
    on an inverter are `driven`. `usual`: there are no codes and no motors on an inverter.

    `cases`, shape (6, 7, batch), follow from a nameplate alone, by cases (`MOVED`). They are the
    resistance and slip; losses of the iron over the square of the voltage behind the resistance, of
    friction, additional ones over the square of the current; and the factor from the power in the
    air gap over the square of that voltage to the torque over the rated one.
    """

    numbers: Float64  # (numbers, batch)
    cases: Float64
    usual: bool

    def __getattr__(self, name: str) -> Float64:
        if name not in _ROWS:
            raise AttributeError(name)
        return np.asarray(self.numbers[_ROWS[name]])

    @property
    def driven(self) -> Bool:
        """Motors on an inverter."""
        return np.asarray(self.numbers[_DRIVEN_AT] > 0)


# The last two rows mark unusual motors.
_ROWS = {name: row for row, name in enumerate((*RatedLosses._fields[1:], "why", "_driven"))}
_DRIVEN_AT = len(_ROWS) - 1
# Values of nameplates as 64-bit floats, by their place in memory, with the nameplate so that it
# keeps that place. To look one up by its values takes as long as all else here.
_KNOWN: dict[int, tuple[bytes, Motor]] = {}
_MOST_KNOWN = 8192


def rated_columns(motors: Sequence[Motor]) -> RatedColumns:
    """Return the rated losses of a batch of motors; of a nameplate they are computed once."""
    vectors = b"".join([(_KNOWN.get(id(m)) or _vector(m))[0] for m in motors])
    table = np.ascontiguousarray(np.frombuffer(vectors).reshape(len(motors), -1).T)
    numbers, cases = table[: len(_ROWS)], table[len(_ROWS) :]
    usual = not np.count_nonzero(numbers[-2:])
    return RatedColumns(numbers, cases.reshape(_CASES, len(_VARIED) + 1, len(motors)), usual)


def _vector(motor: Motor) -> tuple[bytes, Motor]:
    """Return the rated losses of a motor as numbers, followed by those by case."""
    found = rated_losses(motor)
    why = 1 + NAMEPLATE_CODES.index(found.why) if found.why else 0
    unusual = why, motor.supply == "inverter"
    vector = np.array([*found[1:], *unusual, *_cases(found).ravel()], np.float64)
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    kept = _KNOWN[id(motor)] = vector.tobytes(), motor
    return kept


def _cases(n: RatedLosses) -> Float64:
    """Return the rated values of one motor that move with the cases, shape (6, 7)."""
    loss, resistance, share, by_slip, *_ = MOVED[..., 0]
    loss_w = n.loss_w + loss * n.loss_std_w
    rotor_n = min(n.slip / (1 - n.slip) * n.power_w, n.loss_w)
    # A resistance that is only a share of the losses moves with them.
    scale = 1.0 if n.resistance_known else (loss_w - rotor_n) / max(n.loss_w - rotor_n, TINY)
    ohm = n.resistance_ohm * scale + resistance * n.resistance_std_ohm
    slip = n.slip + by_slip * n.slip_std
    rotor_w = np.minimum(slip / (1 - slip) * n.power_w, loss_w)
    rest_w = np.maximum(loss_w - 3 * ohm * n.current_a**2 - rotor_w, 0.0)
    constant_w = (CONSTANT_SHARE + share * _CONSTANT_SHARE_STD) * rest_w
    iron_w, friction_w = _IRON_SHARE * constant_w, (1 - _IRON_SHARE) * constant_w
    additional_w = rest_w - constant_w
    gap_w = (n.power_w + friction_w + additional_w) / (1 - slip)
    behind = (n.flux_ratio * n.voltage_v) ** 2
    iron, additional = iron_w / behind, additional_w / n.current_a**2
    return np.stack([ohm, slip, iron, friction_w, additional, behind / gap_w])


def rated_losses(motor: Motor) -> RatedLosses:
    """Return the losses of a motor by its nameplate."""
    return _rated_losses(
        motor.rated_power_w,
        motor.rated_voltage_v,
        motor.rated_current_a,
        motor.supply_hz,
        motor.pole_pairs,
        motor.rated_slip,
        motor.rated_efficiency,
        motor.ie_class,
        motor.rated_power_factor,
        motor.stator_resistance_ohm,
        motor.supply,
    )


def _rated_losses(
    power_w: float | None,
    line_v: float | None,
    current_a: float | None,
    supply_hz: float | None,
    pole_pairs: int | None,
    slip: float | None,
    efficiency: float | None,
    ie_class: str | None,
    power_factor: float | None,
    resistance_ohm: float | None,
    supply: str,
) -> RatedLosses:
    if not power_w:
        return RatedLosses("rated_power_unknown")
    if not line_v:
        return RatedLosses("rated_voltage_unknown")
    if not (supply_hz and pole_pairs):
        return RatedLosses("rated_supply_or_poles_unknown")
    if supply == "inverter" and not resistance_ohm:
        return RatedLosses("inverter_needs_resistance")
    known = _efficiency(
        power_w, line_v, current_a, supply_hz, pole_pairs, efficiency, ie_class, power_factor
    )
    if isinstance(known, str):
        return RatedLosses(known)
    efficiency, std = known
    input_w = power_w / efficiency
    loss_w = input_w - power_w
    if not current_a and power_factor:
        current_a = input_w / (sqrt(3) * line_v * power_factor)
    if not current_a:
        return RatedLosses("rated_current_unknown")
    slip_std = nan
    if slip:
        rpm = 60 * supply_hz / pole_pairs
        slip_std = hypot(_SLIP_STD * slip, _SPEED_STD_RPM / rpm)
    else:
        slip = _ROTOR_SHARE * loss_w / (power_w + _ROTOR_SHARE * loss_w)
        slip_std = _ROTOR_SHARE_STD * slip
    rotor_w = min(slip / (1 - slip) * power_w, loss_w)
    stator_w = _STATOR_SHARE * (loss_w - rotor_w)
    ohm = resistance_ohm or stator_w / (3 * current_a**2)
    ohm_std = _RESISTANCE_STD * ohm if resistance_ohm else _STATOR_SHARE_STD / _STATOR_SHARE * ohm
    if resistance_ohm and 3 * ohm * current_a**2 + rotor_w > 1.3 * loss_w:
        return RatedLosses("losses_contradict_efficiency")
    phase_v = line_v / sqrt(3)
    cos = min(input_w / (3 * phase_v * current_a), 1.0)
    behind = phase_v - ohm * current_a * complex(cos, -sqrt(1 - cos**2))
    return RatedLosses(
        power_w=power_w,
        voltage_v=phase_v,
        supply_hz=supply_hz,
        synchronous_rad_s=2 * np.pi * supply_hz / pole_pairs,
        input_w=input_w,
        loss_w=loss_w,
        loss_std_w=hypot(_LOSS_STD * loss_w, std * input_w / efficiency),
        slip=slip,
        slip_std=slip_std,
        resistance_ohm=ohm,
        resistance_std_ohm=ohm_std,
        current_a=current_a,
        resistance_known=bool(resistance_ohm),
        flux_ratio=abs(behind) / phase_v,
    )


def _efficiency(
    power_w: float,
    line_v: float,
    current_a: float | None,
    supply_hz: float,
    pole_pairs: int,
    efficiency: float | None,
    ie_class: str | None,
    power_factor: float | None,
) -> tuple[float, float] | str:
    """Return the rated efficiency and the deviation of its source, or the code of why not."""
    if efficiency:
        return efficiency, 0.0
    if ie_class:
        at_50_hz = abs(supply_hz - 50) < 1
        span = class_span(ie_class, power_w, pole_pairs) if at_50_hz else None  # type: ignore[arg-type]
        if span is None:
            return "class_without_efficiency"
        low, high = span
        return (low + high) / 2, (high - low) / sqrt(12)
    if power_factor and current_a:
        found = power_w / (sqrt(3) * line_v * current_a * power_factor)
        if 0.1 < found < 0.995:
            return found, found * _POWER_FACTOR_STD / power_factor
        return "losses_contradict_efficiency"
    return "rated_efficiency_unknown"
