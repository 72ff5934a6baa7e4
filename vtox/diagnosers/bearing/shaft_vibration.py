"""What the shaft itself does to the vibration, named beside a bearing without damage.

Unbalance, misalignment and looseness are more common than bearing damage, and show at multiples of
the shaft speed (Randall 2011, section 2.2). It is an observation: it changes no state.
"""

from math import sqrt

import numpy as np

from vtox.arrays import Bool, Float64
from vtox.diagnosers.bearing.search_setup import SearchSetup
from vtox.diagnosers.bearing.shaft_speed import SENSOR_TOLERANCE, Speed
from vtox.domain import VIBRATIONS, Reason, reason
from vtox.dsp.shaft_lines import LOBE_BINS, shaft_line_amplitudes

# Half orders up to this multiple: above, velocity is small.
MAX_SHAFT_ORDER = 6
ORDERS = np.arange(1, 2 * MAX_SHAFT_ORDER + 1) / 2
# Vibration velocity by all shaft lines from which it is worth a word, mm/s rms: beyond it machines
# of 15 to 300 kW on rigid feet are not meant to run for long (ISO 20816-3:2022, zone C).
MIN_SHAFT_VELOCITY = 2.8
# Velocity at twice or three times the shaft speed over that once a turn: practice of alignment.
MISALIGNED_RATIO = 0.5
# Lines at odd half orders, and their velocity over that of all lines.
MIN_HALF_ORDER_LINES = 2
MIN_HALF_ORDER_RATIO = 0.2


def shaft_vibration(setup: SearchSetup, speed: Speed) -> Reason | None:
    """Return what the shaft lines of the first vibration channel look like, None where weak.

    Lines at multiples of twice the supply frequency do not count; nothing is said at an uncertain
    speed.
    """
    if speed.tolerance > SENSOR_TOLERANCE:
        return None
    recording = setup.recording
    channel = next(n for n in VIBRATIONS if n in recording.channels)
    lines_hz = ORDERS * speed.hz
    # Of a sine, 1 mm/s rms.
    unit = 1e-3 * sqrt(2) * 2 * np.pi * lines_hz
    amplitudes = shaft_line_amplitudes(
        recording.channels[channel],
        recording.fs_hz,
        lines_hz,
        speed.tolerance,
        MIN_SHAFT_VELOCITY * unit,
    )
    if not amplitudes.any():
        return None
    velocities = np.where(_may_be_magnetic_pull(setup, lines_hz), 0, amplitudes / unit)
    velocity = float(np.linalg.norm(velocities))
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
    """Return which lines may be at a multiple of twice the supply frequency.

    Where that is not known, it lies just above an order of the shaft.
    """
    if not setup.magnetic_pull_hz:
        return np.asarray(ORDERS % (2 * (setup.motor.pole_pairs or MAX_SHAFT_ORDER)) == 0)
    slack_hz = LOBE_BINS / setup.recording.duration_s
    pull = np.zeros(len(lines_hz), np.bool_)
    for f in setup.magnetic_pull_hz:
        pull |= np.abs(lines_hz - np.rint(lines_hz / f) * f) <= slack_hz
    return pull


def _code(velocities: Float64) -> str:
    """Return what velocities at half orders, the first at 0.5, are typical of."""
    halves, whole = velocities[::2], velocities[1::2]
    loose = np.linalg.norm(halves) >= MIN_HALF_ORDER_RATIO * np.linalg.norm(velocities)
    if loose and np.count_nonzero(halves) >= MIN_HALF_ORDER_LINES:
        return "looseness_lines"
    misaligned = whole[1:].max() >= MISALIGNED_RATIO * whole[0]
    return "misalignment_lines" if misaligned else "unbalance_lines"
