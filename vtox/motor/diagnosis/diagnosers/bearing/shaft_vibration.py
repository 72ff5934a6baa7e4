"""Effects of the shaft itself on the vibration, reported with a bearing without damage.

Unbalance, misalignment and looseness are more common than bearing damage, and show at multiples of
the shaft speed (Randall 2011, section 2.2). It is an observation: it changes no state.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import SENSOR_TOLERANCE, Speed
from vtox.motor.diagnosis.dsp.comb_plan import LOBE_BINS
from vtox.motor.diagnosis.dsp.shaft_lines import shaft_line_amplitudes
from vtox.motor.values.arrays import Bool, Float64
from vtox.motor.values.domain import VIBRATIONS, Reason, reason

# Half orders: above, velocity is small.
ORDERS = np.arange(1, 13) / 2
# Least vibration velocity by all shaft lines that is reported, mm/s rms. Beyond it machines of 15
# to 300 kW on rigid feet are not meant to run for long (ISO 20816-3:2022, zone C).
MIN_SHAFT_VELOCITY = 2.8
# Velocity at twice or three times the shaft speed over that once a turn: practice of alignment.
MISALIGNED_RATIO = 0.5
# Lines at odd half orders from which they are those of looseness or a rub, and their velocity over
# that of all lines.
MIN_HALF_ORDER_LINES = 2
MIN_HALF_ORDER_RATIO = 0.2


def shaft_vibrations(setups: Sequence[SearchSetup], speeds: Sequence[Speed]) -> list[Reason | None]:
    """Return the pattern of the shaft lines of each record, None if weak or the speed uncertain.

    Only the first vibration channel is used; lines at multiples of twice the supply frequency do
    not count. The records are of one shape.
    """
    certain = [i for i, speed in enumerate(speeds) if speed.tolerance <= SENSOR_TOLERANCE]
    found: list[Reason | None] = [None] * len(setups)
    if not certain:
        return found
    recordings = [setups[i].recording for i in certain]
    channel = next(n for n in VIBRATIONS if n in recordings[0].channels)
    lines_hz = np.multiply.outer([speeds[i].hz for i in certain], ORDERS)
    # Amplitudes of sines of 1 mm/s rms, m/s^2.
    units = 1e-3 * sqrt(2) * 2 * np.pi * lines_hz
    amplitudes = shaft_line_amplitudes(
        [r.channels[channel] for r in recordings],
        recordings[0].fs_hz,
        lines_hz,
        [speeds[i].tolerance for i in certain],
        MIN_SHAFT_VELOCITY * units,
    )
    for i, own_hz, velocities in zip(certain, lines_hz, amplitudes / units, strict=True):
        if velocities.any():
            own = np.where(_may_be_magnetic_pull(setups[i], own_hz), 0, velocities)
            found[i] = _observation(own, channel)
    return found


def _observation(velocities: Float64, channel: str) -> Reason | None:
    """Return the pattern of velocities at half orders, the first at 0.5; None if weak."""
    velocity = _norm(velocities)
    if velocity < MIN_SHAFT_VELOCITY:
        return None
    return reason(
        _code(velocities),
        order=float(ORDERS[velocities.argmax()]),
        velocity_mm_s=velocity,
        once_mm_s=float(velocities[1]),
        channel=channel,
    )


def _may_be_magnetic_pull(setup: SearchSetup, lines_hz: Float64) -> Bool:
    """Return the lines that may be at a multiple of twice the supply frequency.

    If that frequency is not known, it is just above an order of the shaft.
    """
    if not setup.magnetic_pull_hz:
        return np.asarray(ORDERS % (2 * (setup.motor.pole_pairs or ORDERS[-1])) == 0)
    slack_hz = LOBE_BINS / setup.recording.duration_s
    pull = np.zeros(len(lines_hz), np.bool_)
    for f in setup.magnetic_pull_hz:
        pull |= np.abs(lines_hz - np.rint(lines_hz / f) * f) <= slack_hz
    return pull


def _code(velocities: Float64) -> str:
    halves, whole = velocities[::2], velocities[1::2]
    loose = _norm(halves) >= MIN_HALF_ORDER_RATIO * _norm(velocities)
    if loose and np.count_nonzero(halves) >= MIN_HALF_ORDER_LINES:
        return "looseness_lines"
    misaligned = whole[1:].max() >= MISALIGNED_RATIO * whole[0]
    return "misalignment_lines" if misaligned else "unbalance_lines"


def _norm(x: Float64) -> float:
    # A third of the time of `numpy.linalg.norm`.
    return sqrt(x.dot(x))
