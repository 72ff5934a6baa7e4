"""Currents and voltages at three terminals as sums of lines, with the power that they make."""

import numpy as np

from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording

# Order -> phasors (peak, of phase a) of voltage and current; negative orders rotate backwards.
Lines = dict[int, tuple[complex, complex]]
LINES: Lines = {
    1: (325.0, 14.0 * np.exp(-0.6j)),
    -1: (5.0 * np.exp(0.4j), 1.5 * np.exp(-1.0j)),
    -5: (9.0 * np.exp(0.3j), 0.5 * np.exp(-1.1j)),
    7: (6.0, 0.3 * np.exp(-1.4j)),
    -11: (3.0, 0.1 * np.exp(-1.5j)),
    13: (2.0, 0.08 * np.exp(-1.5j)),
}


def samples(
    lines: Lines = LINES, *, hz: float = 50.03, seconds: float = 1.0, fs_hz: float = 10_000.0
) -> tuple[Float64, Float64]:
    """Return voltages and currents, each of shape (3, samples)."""
    t = np.arange(round(seconds * fs_hz)) / fs_hz
    turn = np.exp(-2j * np.pi / 3 * np.arange(3))[:, None]
    both = np.zeros((2, 3, len(t)))
    for order, phasors in lines.items():
        wave = np.exp(2j * np.pi * abs(order) * hz * t)
        for k, phasor in enumerate(phasors):
            both[k] += (phasor * wave * turn**order).real
    return both[0], both[1]


def recording(lines: Lines = LINES, *, fs_hz: float = 10_000.0, **changes: float) -> Recording:
    """Return the same as a recording."""
    v, i = samples(lines, fs_hz=fs_hz, **changes)
    channels = dict(zip((*CURRENTS, *VOLTAGES), np.concatenate([i, v]), strict=True))
    return Recording(channels, fs_hz)


def active_w(lines: Lines = LINES) -> float:
    """Return the active power of the lines."""
    return sum(1.5 * (v * np.conj(i)).real for v, i in lines.values())
