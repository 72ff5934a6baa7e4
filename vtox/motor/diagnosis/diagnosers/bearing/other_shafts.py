"""Test for another shaft: lines of the vibration at no order of our shaft and of no supply.

A driven machine, or a neighbour on the same base, has its own bearings, whose impacts come with
the lines of its shaft.
"""

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.dsp.comb_plan import LOBE_BINS, MASK_TOLERANCE
from vtox.motor.diagnosis.dsp.shaft_lines import velocity_lines
from vtox.motor.values.arrays import Bool, Float64

# Shaft orders in which lines are compared: below, noise of the sensor grows; above, velocity is
# small and gears mesh.
LOWEST_ORDER, HIGHEST_ORDER = 0.3, 3.5


def other_shaft_is_louder(setup: SearchSetup, speed: Speed, channel: str) -> bool:
    """Return whether the strongest line of another shaft has more velocity than any of ours.

    It is a shaft's if a line is at twice or half its frequency. Without one of this machine
    nothing can be compared: the speed may be wrong.
    """
    recording = setup.recording
    hz, velocity = velocity_lines(
        recording.channels[channel],
        recording.fs_hz,
        lowest_hz=LOWEST_ORDER * speed.hz,
        highest_hz=HIGHEST_ORDER * speed.hz,
    )
    slack_hz = LOBE_BINS / recording.duration_s
    own = _near_multiples(hz, speed.hz, speed.tolerance, slack_hz)
    other = ~_near_multiples(hz, speed.hz / 2, speed.tolerance, slack_hz)
    for f in setup.mains_hz:
        other &= ~_near_multiples(hz, f, MASK_TOLERANCE, slack_hz)
    if not own.any() or not other.any():
        return False
    strongest = int(np.where(other, velocity, 0).argmax())
    octaves = np.multiply.outer((0.5, 2.0), hz[strongest])
    of_shaft = np.abs(np.subtract.outer(octaves, hz)).min() <= slack_hz
    return bool(of_shaft and velocity[strongest] > velocity[own].max())


def _near_multiples(hz: Float64, f_hz: float, tolerance: float, slack_hz: float) -> Bool:
    return np.asarray(np.abs(hz - np.rint(hz / f_hz) * f_hz) <= slack_hz + tolerance * hz)
