"""Change of shaft power, losses and efficiency of one motor from one time to another.

Both times share nameplate and instruments, so most of their uncertainty cancels in the difference.
"""

from dataclasses import dataclass

import numpy as np

from vtox.motor.diagnosis.energy.rated_losses import MOVED, rated_columns, rated_losses
from vtox.motor.diagnosis.energy.shaft_load import half_width, shaft_load
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Motor
from vtox.motor.values.energy import MeterCounts
from vtox.motor.values.terminal_power import POSITIVE_A, POSITIVE_V, POWERS, SUMS

# Each time has deviations that the other does not share. Windings 10 K from their mean have 4 %
# more resistance, in stator and cage. Gain and angle of instruments move by a fifth of theirs.
_WINDING_STD, _INSTRUMENT_SHARE = 0.04, 0.2
# Rows of `shaft_load`, without the torque; the last two unknowns (`MOVED`) are the instruments'.
_SHAFT, _EFFICIENCY, _LOSS = 0, 2, 3
_INSTRUMENTS = slice(-2, None)


@dataclass(frozen=True, slots=True)
class EnergyChange:
    """After less before, means of the hours with an estimate; `code` says why nothing is known.

    `_half` is half the width of an interval of the change that holds in 95 % of all cases.
    """

    shaft_w: float | None = None
    shaft_half_w: float | None = None
    loss_w: float | None = None
    loss_half_w: float | None = None
    efficiency: float | None = None
    efficiency_half: float | None = None
    code: str = ""


def energy_change(motor: Motor | None, before: MeterCounts, after: MeterCounts) -> EnergyChange:
    """Return the change of one motor from the counts of one time to those of another.

    Examples
    --------
    >>> motor = Motor(pole_pairs=2, supply_hz=50.0, rated_power_w=11e3, rated_voltage_v=400.0,
    ...               rated_current_a=21.5, rated_speed_rpm=1455.0, rated_efficiency=0.9)
    >>> hour = MeterCounts(powered_ms=3_600_000, estimated_ms=3_600_000, shaft_j=30_000_000,
    ...                    lost_j=3_500_000, reactive_vars=25_000_000)
    >>> more = hour._replace(shaft_j=31_000_000, lost_j=3_570_000)
    >>> found = energy_change(motor, hour, more)
    >>> round(found.shaft_w), round(found.shaft_half_w), round(found.loss_w)
    (278, 60, 19)
    """
    motor = motor or Motor()
    if why := rated_losses(motor).why:
        return EnergyChange(code=why)
    if motor.supply == "inverter":
        return EnergyChange(code="change_on_inverter_unknown")
    if not before.estimated_ms:
        return EnergyChange(code="no_estimated_hours_before")
    if not after.estimated_ms:
        return EnergyChange(code="no_estimated_hours")
    shaft_w, loss_w = (
        [1000 * getattr(c, name) / c.estimated_ms for c in (before, after)]
        for name in ("shaft_j", "lost_j")
    )
    efficiency = [shaft / (shaft + loss) for shaft, loss in zip(shaft_w, loss_w, strict=True)]
    halves = _halves(np.add(shaft_w, loss_w), _reactive_var(before, after), motor)
    return EnergyChange(
        shaft_w=shaft_w[1] - shaft_w[0],
        shaft_half_w=halves[_SHAFT],
        loss_w=loss_w[1] - loss_w[0],
        loss_half_w=halves[_LOSS],
        efficiency=efficiency[1] - efficiency[0],
        efficiency_half=halves[_EFFICIENCY],
    )


def _reactive_var(*counts: MeterCounts) -> Float64:
    return np.array([1000 * c.reactive_vars / c.powered_ms for c in counts])


def _halves(input_w: Float64, reactive_var: Float64, motor: Motor) -> list[float]:
    """Return the half widths of the changes between two mean powers, by rows of `shaft_load`.

    An unknown that both share moves the change by the difference of its effects; any
    other moves it by its effect at each time.
    """
    rated = rated_columns([motor, motor])
    sums = np.zeros((2, SUMS))
    sums[:, POSITIVE_V] = rated.voltage_v**2
    sums[:, POSITIVE_A] = (input_w**2 + reactive_var**2) / (3 * rated.voltage_v) ** 2
    sums[:, POWERS.start], sums[:, POWERS.start + 1] = input_w, reactive_var
    cases = np.empty((4, len(MOVED[0]), 2))
    load = shaft_load(sums, rated.supply_hz, None, rated, cases)
    moved = cases[:, 1:] - cases[:, :1]
    shared = moved[..., 1] - moved[..., 0]
    instruments = _INSTRUMENT_SHARE * moved[:, _INSTRUMENTS]
    warmth_w = _WINDING_STD * (load.stator_w + load.rotor_w)
    warmth = np.stack([warmth_w, np.zeros(2), warmth_w / input_w, warmth_w])
    every = np.hstack([shared, instruments.reshape(4, -1), warmth])
    found: list[float] = half_width(every[..., None])[:, 0].tolist()
    return found
