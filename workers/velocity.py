"""The overall vibration velocity of records, as readings of their machines."""

from collections.abc import Iterator

from vtox.motor.diagnosis.dsp.velocity import vibration_velocity
from vtox.motor.values.domain import VIBRATIONS, Motor, Reason, Recording
from vtox.motor.values.scalars import ScalarReading
from vtox.motor.values.vibration_zones import UNIT, VELOCITY, MachineClass, machine_class


def velocity_readings(
    machine_id: str, t: float, x: Recording, motor: Motor | None
) -> Iterator[ScalarReading | Reason]:
    """Yield the velocity of each direction, or why there is none.

    Only records with a vibration, of machines with a class. The names are `vibration_velocity`,
    `vibration_velocity_y` and `vibration_velocity_z`.
    """
    # First the property that most machines lack: this costs a window nothing if it is not used.
    if motor is None or motor.support is None:
        return
    if not isinstance(machine_class(motor), MachineClass):
        return
    for channel in VIBRATIONS:
        if channel in x.channels:
            found = vibration_velocity(x.channels[channel], x.fs_hz)
            if isinstance(found, Reason):
                yield found
                continue
            name = VELOCITY + channel.removeprefix(VIBRATIONS[0])
            yield ScalarReading(machine_id, t, name, found, UNIT)
