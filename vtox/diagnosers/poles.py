"""How many pole pairs a machine has: from its nameplate, or from a speed just below synchronous."""

from vtox.domain import Motor, Recording

# A speed that fits no motoring slip below this is not the speed of this machine.
LARGEST_SLIP = 0.12


def pole_pairs(motor: Motor, recording: Recording, f0_hz: float) -> int | None:
    """Return pole pairs from the nameplate, its rated speed, or a speed reading."""
    if motor.pole_pairs:
        return motor.pole_pairs
    if motor.rated_speed_rpm and motor.supply_hz:
        return _pairs_at(motor.rated_speed_rpm, motor.supply_hz)
    return _pairs_at(recording.speed_rpm, f0_hz) if recording.speed_rpm else None


def bars_per_pair(motor: Motor, recording: Recording, f0_hz: float) -> float:
    """Return rotor bars over pole pairs, NaN where either is unknown."""
    pairs = pole_pairs(motor, recording, f0_hz) if motor.rotor_bars else None
    return motor.rotor_bars / pairs if motor.rotor_bars and pairs else float("nan")


def _pairs_at(speed_rpm: float, supply_hz: float) -> int | None:
    """Return the pole pairs whose synchronous speed lies just above a speed."""
    if not (speed_rpm > 0 and supply_hz > 0):
        return None
    pairs = int(60 * supply_hz / speed_rpm + 1e-3)
    return pairs if pairs and 1 - speed_rpm * pairs / 60 / supply_hz < LARGEST_SLIP else None
