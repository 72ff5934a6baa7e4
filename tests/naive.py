"""Slow and plainly right versions of `vtox/motor/diagnosis/dsp`, to test against."""

from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import fftconvolve, firwin, kaiserord

from vtox.motor.diagnosis.dsp.velocity import HIGH_HZ, LOW_HZ
from vtox.motor.values.arrays import Float64

# Widths of the slopes at the ends of the band of velocity, and the attenuation of the filters.
LOW_SLOPE_HZ, HIGH_SLOPE_HZ, STOP_DB = 1.0, 20.0, 80.0


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
    """Return the level of a line next to the supply line in the space vector, dB below it."""
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


def velocity(x: Float64, fs_hz: float) -> tuple[Float64, int]:
    """Return the velocity of an acceleration within the band, and the samples cut from each end.

    m/s of each sample in m/s^2: two long filters without phase, the spline through their output
    integrated exactly. Both ends need the reach of the filters, 2.6 s at a slope of 1 Hz.
    """
    high = _filter(HIGH_HZ, HIGH_SLOPE_HZ, fs_hz, low_pass=True)
    low = _filter(LOW_HZ, LOW_SLOPE_HZ, fs_hz, low_pass=False)
    inner = fftconvolve(fftconvolve(x - np.mean(x), low, "valid"), high, "valid")
    t = np.arange(len(inner)) / fs_hz
    v = CubicSpline(t, inner).antiderivative()(t)
    return v - np.polyval(np.polyfit(t, v, 1), t), (len(high) + len(low) - 2) // 2


def _filter(end_hz: float, slope_hz: float, fs_hz: float, *, low_pass: bool) -> Float64:
    taps, beta = kaiserord(STOP_DB, slope_hz / (fs_hz / 2))
    return np.asarray(
        firwin(taps | 1, end_hz, window=("kaiser", beta), fs=fs_hz, pass_zero=low_pass)
    )


def rms_mm_s(v: Float64) -> float:
    """Return the root of the mean square of a velocity in m/s, in mm/s."""
    return 1000 * float(np.sqrt(np.mean(v**2)))
