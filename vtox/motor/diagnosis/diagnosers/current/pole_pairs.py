"""Pole pairs of a machine, from its nameplate or from a speed just below synchronous.

And its rated slip, completed by the supply line if the nameplate is incomplete.
"""

from vtox.motor.values.domain import Motor, Recording
from vtox.motor.values.nameplate_ranges import RANGES

# Public supplies, and how far they deviate.
GRIDS_HZ = (50.0, 60.0)
GRID_TOLERANCE = 0.02
# A speed that gives no slip of a motor below this is not the speed of this machine.
LARGEST_SLIP = 0.12


def pole_pairs(motor: Motor, recording: Recording, f0_hz: float) -> int | None:
    """Return pole pairs from the nameplate, its rated speed, or a speed reading."""
    if (motor.rated_speed_rpm and rated_hz(motor, f0_hz)) or motor.pole_pairs:
        return pole_pairs_of_nameplate(motor, f0_hz)
    return _pairs_at(recording.speed_rpm, f0_hz) if recording.speed_rpm else None


def grids_of_speed(speed_rpm: float, pairs: int | None = None) -> tuple[float, ...]:
    """Return the public supplies that may feed a motor at a speed; all if none fits.

    A motor turns just below a synchronous speed: that of its pole pairs, or of any if unknown.
    """
    possible = {hz: _pairs_at(speed_rpm, hz) for hz in GRIDS_HZ}
    fitting = tuple(hz for hz, n in possible.items() if n and n == (pairs or n))
    return fitting or GRIDS_HZ


def pole_pairs_of_nameplate(motor: Motor, f0_hz: float) -> int | None:
    """Return pole pairs from the nameplate or its rated speed."""
    supply_hz = rated_hz(motor, f0_hz)
    if motor.pole_pairs or not (motor.rated_speed_rpm and supply_hz):
        return motor.pole_pairs
    return _pairs_at(motor.rated_speed_rpm, supply_hz)


def rated_hz(motor: Motor, f0_hz: float) -> float | None:
    """Return the rated supply frequency, on a grid that of the public supply that was measured."""
    if motor.supply_hz or motor.supply != "grid":
        return motor.supply_hz
    return next((hz for hz in GRIDS_HZ if abs(f0_hz / hz - 1) < GRID_TOLERANCE), None)


def rated_slip(motor: Motor, pairs: int | None, f0_hz: float) -> float | None:
    """Return the slip at rated speed, or None if it is not known or not that of a motor."""
    supply_hz = rated_hz(motor, f0_hz)
    if not (pairs and supply_hz and motor.rated_speed_rpm):
        return None
    slip = 1 - motor.rated_speed_rpm / 60 * pairs / supply_hz
    return slip if 0 < slip < LARGEST_SLIP else None


def bars_per_pair(motor: Motor, recording: Recording, f0_hz: float) -> float:
    """Return rotor bars over pole pairs, NaN if either is unknown."""
    pairs = pole_pairs(motor, recording, f0_hz) if motor.rotor_bars else None
    return motor.rotor_bars / pairs if motor.rotor_bars and pairs else float("nan")


def _pairs_at(speed_rpm: float, supply_hz: float) -> int | None:
    """Return the pole pairs whose synchronous speed lies just above a speed."""
    # Next to zero the quotient has no number.
    if not (supply_hz > 0 and speed_rpm * (RANGES["pole_pairs"].high + 1) > 60 * supply_hz):
        return None
    pairs = int(60 * supply_hz / speed_rpm + 1e-3)
    possible = 0 < pairs <= RANGES["pole_pairs"].high
    return pairs if possible and 1 - speed_rpm * pairs / 60 / supply_hz < LARGEST_SLIP else None
