"""Nameplates of the simulated fleet: typical cage induction motors of 0.75 to 75 kW.

Slip, power factor and efficiency are typical of the size, not copied from one maker's list.
Bearings: pitch diameter is the mean of bore and outside diameter; ball counts and diameters are
those in common use and differ between makers.
"""

from dataclasses import dataclass
from math import sqrt

from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor

BEARINGS: dict[str, Bearing] = {
    name: Bearing(balls=balls, ball_diameter_mm=ball, pitch_diameter_mm=pitch)
    for name, balls, ball, pitch in (
        ("6204", 8, 7.938, 33.5),
        ("6205", 9, 7.938, 38.5),
        ("6206", 9, 9.525, 46.0),
        ("6208", 9, 11.906, 60.0),
        ("6308", 8, 15.081, 65.0),
        ("6309", 8, 17.462, 72.5),
        ("6310", 8, 19.050, 80.0),
        ("6311", 8, 20.638, 87.5),
        ("6312", 8, 22.225, 95.0),
        ("6314", 8, 25.400, 110.0),
    )
}


@dataclass(frozen=True, slots=True)
class MotorType:
    """One type of motor, as a line of a catalogue."""

    power_w: float
    pole_pairs: int
    rated_slip: float
    power_factor: float
    efficiency: float
    rotor_bars: int
    bearing: str


MOTOR_TYPES: tuple[MotorType, ...] = (
    MotorType(750, 2, 0.055, 0.75, 0.80, 28, "6204"),
    MotorType(1_500, 2, 0.043, 0.79, 0.84, 28, "6205"),
    MotorType(2_200, 1, 0.042, 0.85, 0.85, 20, "6205"),
    MotorType(2_200, 3, 0.052, 0.72, 0.82, 33, "6206"),
    MotorType(3_000, 2, 0.037, 0.80, 0.87, 28, "6206"),
    MotorType(4_000, 1, 0.030, 0.87, 0.88, 28, "6206"),
    MotorType(4_000, 2, 0.035, 0.81, 0.88, 32, "6206"),
    MotorType(5_500, 2, 0.028, 0.83, 0.895, 40, "6208"),
    MotorType(5_500, 3, 0.035, 0.77, 0.88, 44, "6208"),
    MotorType(7_500, 2, 0.026, 0.84, 0.90, 40, "6308"),
    MotorType(11_000, 3, 0.028, 0.78, 0.90, 44, "6309"),
    MotorType(15_000, 2, 0.021, 0.84, 0.92, 40, "6309"),
    MotorType(18_500, 1, 0.018, 0.89, 0.924, 28, "6310"),
    MotorType(22_000, 2, 0.019, 0.85, 0.93, 40, "6311"),
    MotorType(37_000, 2, 0.015, 0.86, 0.94, 44, "6312"),
    MotorType(45_000, 3, 0.014, 0.85, 0.94, 56, "6312"),
    MotorType(55_000, 2, 0.013, 0.87, 0.946, 48, "6314"),
    MotorType(75_000, 1, 0.010, 0.90, 0.95, 40, "6314"),
)


def nameplate(kind: MotorType, supply_hz: float, *, inverter: bool = False) -> Motor:
    """Return the nameplate of `kind` at 400 V 50 Hz or 460 V 60 Hz."""
    volts = 400.0 if supply_hz == 50.0 else 460.0
    current = kind.power_w / (sqrt(3) * volts * kind.efficiency * kind.power_factor)
    return Motor(
        pole_pairs=kind.pole_pairs,
        supply_hz=supply_hz,
        rated_speed_rpm=float(round(60 * supply_hz / kind.pole_pairs * (1 - kind.rated_slip))),
        rated_current_a=round(current, 1),
        rated_voltage_v=volts,
        rated_power_w=kind.power_w,
        rotor_bars=kind.rotor_bars,
        rated_efficiency=kind.efficiency,
        rated_power_factor=kind.power_factor,
        supply="inverter" if inverter else "grid",
        bearing=BEARINGS[kind.bearing],
    )
