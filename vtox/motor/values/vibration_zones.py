"""Zones of overall vibration velocity, by the class of a machine. Pure.

Tables A.1 and A.2 of ISO 10816-3:2009, velocity on non-rotating parts, 10 Hz to 1 kHz, mm/s rms;
ISO 20816-3:2022 took them over (a public source says: with A and B as one). The group follows from
the rated power; the standard also takes the height of the shaft. The text was not at hand: public
sources of the figures are in docs/howto/send-scalars.md.
"""

from typing import Literal, NamedTuple

from vtox.motor.values.domain import Motor, Reason, reason
from vtox.motor.values.scalars import ScalarLimit, parse_limits

Zone = Literal["A", "B", "C", "D"]
SOURCE = "ISO 20816-3:2022, A/B of ISO 10816-3:2009"
VELOCITY, UNIT = "vibration_velocity", "mm/s"
# One for each direction of vibration.
VELOCITIES = (VELOCITY, f"{VELOCITY}_y", f"{VELOCITY}_z")
_LEAST_W, _MOST_W, _LARGE_W = 15e3, 50e6, 300e3
# Slower shafts are measured from 2 Hz on, which is another quantity.
_LEAST_RPM = 600.0
# Group of the standard, support -> upper ends of A, B and C, mm/s.
_ENDS = {
    (1, "rigid"): (2.3, 4.5, 7.1),
    (1, "flexible"): (3.5, 7.1, 11.0),
    (2, "rigid"): (1.4, 2.8, 4.5),
    (2, "flexible"): (2.3, 4.5, 7.1),
}


_Support = Literal["rigid", "flexible"]


class MachineClass(NamedTuple):
    """The class of a machine, and the upper ends of its zones A, B and C, mm/s rms."""

    group: int
    support: _Support
    ends: tuple[float, float, float]

    def zone(self, velocity_mm_s: float) -> Zone:
        """Return the zone of a velocity; an end belongs to the better zone."""
        zones: tuple[Zone, ...] = ("A", "B", "C", "D")
        return zones[sum(velocity_mm_s > end for end in self.ends)]


def machine_class(motor: Motor | None) -> MachineClass | Reason:
    """Return the class of a machine, or the code that says why it has none."""
    if motor is None or motor.rated_power_w is None or motor.support is None:
        return reason("velocity_no_class")
    if motor.rated_power_w <= _LEAST_W or motor.rated_power_w > _MOST_W:
        return reason("velocity_power_outside", rated_kw=motor.rated_power_w / 1000)
    if motor.rated_speed_rpm is not None and motor.rated_speed_rpm < _LEAST_RPM:
        return reason("velocity_slow_shaft", rated_rpm=motor.rated_speed_rpm)
    group = 1 if motor.rated_power_w > _LARGE_W else 2
    return MachineClass(group, motor.support, _ENDS[group, motor.support])


def limits_of(motor: Motor | None) -> tuple[ScalarLimit, ...]:
    """Return the limits of a machine: those of its nameplate, and the ends of zones B and C.

    A separate limit on the velocity takes the place of the zones.
    """
    own = tuple(parse_limits(motor.scalar_limits)) if motor and motor.scalar_limits else ()
    known = machine_class(motor)
    if not isinstance(known, MachineClass) or any(x.name in VELOCITIES for x in own):
        return own
    _, warning, fault = known.ends
    return (
        *own,
        *(ScalarLimit(name, ">", warning, UNIT, "warning") for name in VELOCITIES),
        *(ScalarLimit(name, ">", fault, UNIT, "fault") for name in VELOCITIES),
    )
