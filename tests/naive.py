"""Slow and plainly right versions of `vtox/motor/diagnosis/dsp`, to test against."""

from itertools import pairwise

import numpy as np

from vtox.motor.values.arrays import Float64


def phasor(x: Float64, fs_hz: float, hz: float, t0_s: float = 0.0) -> complex:
    """Return the Hann-weighted phasor of a line: x(t) = Re[X exp(j 2 pi hz t)]."""
    n = np.arange(len(x))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / len(x))
    turn = np.exp(-2j * np.pi * hz * (t0_s + n / fs_hz))
    return complex(2 * np.sum(window * x * turn) / np.sum(window))


def sequences(a: complex, b: complex, c: complex) -> tuple[complex, complex, complex]:
    """Return zero, positive and negative sequence of three phasors."""
    turn = complex(-0.5, np.sqrt(3) / 2)
    return (
        (a + b + c) / 3,
        (a + turn * b + turn**2 * c) / 3,
        (a + turn**2 * b + turn * c) / 3,
    )


def sideband_dbc(phases: Float64, fs_hz: float, f0_hz: float, offset_hz: float) -> float:
    """Return the level of a line beside the supply line in the space vector, dB below it."""
    turns = np.exp(2j * np.pi * np.arange(3) / 3)
    space = 2 / 3 * turns @ phases
    n = np.arange(len(space))
    window = np.blackman(len(space))

    def size(hz: float) -> float:
        return float(abs(np.sum(window * space * np.exp(-2j * np.pi * hz * n / fs_hz))))

    return 20 * np.log10(size(f0_hz + offset_hz) / size(f0_hz))


def repeated_share(x: Float64) -> float:
    """Return the share of samples equal to the one before."""
    return sum(bool(b == a) for a, b in pairwise(x)) / (len(x) - 1)


def polynomial_residual(x: Float64, degree: int) -> Float64:
    """Return `x` less its least-squares polynomial."""
    t = np.linspace(-1, 1, len(x))
    return np.asarray(x - np.polyval(np.polyfit(t, x, degree), t))


def active_power(v: Float64, i: Float64) -> float:
    """Return the mean of the instantaneous power of several phases, rows of both."""
    return float(np.mean(np.sum(v * i, axis=0)))
