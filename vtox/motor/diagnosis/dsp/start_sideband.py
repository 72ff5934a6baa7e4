"""The lower sideband of an asymmetric rotor cage while a motor starts.

At slip s it has the frequency f(1 - 2s), which sweeps from -f at standstill through 0 to f.
Antonino-Daviu et al. 2006 (IEEE TIA 42(4):990) follow it by wavelets, Pineda-Sanchez et al. 2009
(IEEE TIE 56(11):4557) by its instantaneous frequency. In the space vector of three currents the
first half of the sweep has frequencies below 0, where a sound machine has no line that moves
upwards. The supply is at f, its unbalance at -f; lines of a load or an eccentric rotor are above 0
or move down.
"""

from dataclasses import dataclass
from math import log10, pi

import numpy as np

from vtox.motor.values.arrays import TINY, TURN_120, Complex128, Float64
from vtox.motor.values.domain import Array

# The band that is searched, over the supply frequency, and the width of its edges.
BAND = (-0.8, -0.2)
EDGE = 0.1
# The sweep must pass these, over the supply frequency, in at least `MIN_FRAMES`, and rise by at
# most `MAX_STEP` from frame to frame.
FROM, TO = -0.62, -0.32
MIN_FRAMES = 8
MAX_STEP = 0.1
# Rms of its frequencies about a cubic, over the supply frequency: those of noise scatter by 0.1.
MAX_SCATTER = 0.02


@dataclass(frozen=True, slots=True)
class StartSideband:
    """A sweep that was found: when it passes the band, s, and its level over the supply line, dB.

    `hz_s`, shape (frames, 2), is its frequency, Hz, over time, s.
    """

    begin_s: float
    end_s: float
    level_db: float
    scatter: float
    hz_s: Float64


@dataclass(frozen=True, slots=True)
class _Frames:
    """Frequency over that of the supply, and amplitude over the supply line, frame by frame."""

    t_s: Float64
    frequency: Float64
    level: Float64


def start_sideband(x: Array, fs_hz: float, f0_hz: float) -> StartSideband | None:
    """Return the sweep of the lower sideband, None if there is none.

    Frames of several lengths are tried, the shortest first: long starts need long frames, whose
    frequencies scatter less.

    Parameters
    ----------
    x : ndarray, shape (3, samples)
        The three currents while the motor starts, any order of phases.
    fs_hz, f0_hz : float

    Notes
    -----
    A cage whose bars differ by the share d has a sweep of at most d: its level is the least d.
    """
    z = space_vector(x, fs_hz, f0_hz)
    taper = min(round(0.1 * fs_hz), len(z) // 4)
    weight = np.ones(len(z))
    weight[:taper] = np.sin(np.pi / 2 * np.arange(taper) / max(taper, 1)) ** 2
    weight[len(z) - taper :] = weight[:taper][::-1]
    band = _band(z * weight, fs_hz, f0_hz)
    for frame_s in (0.02, 0.04, 0.08, 0.16):  # one cycle, and more for starts that take longer
        if found := _longest_sweep(_frames(z, band, fs_hz, f0_hz, frame_s), f0_hz):
            return found
    return None


def _frames(z: Complex128, band: Complex128, fs_hz: float, f0_hz: float, frame_s: float) -> _Frames:
    """Return frequency and level of the band of a space vector, frame by frame."""
    size = max(2, round(frame_s * fs_hz))
    frames = len(z) // size
    turn = np.append(band[1:] * band[:-1].conj(), 0)[: frames * size].reshape(frames, size)
    level = np.sqrt(np.mean(np.abs(band[: frames * size].reshape(frames, size)) ** 2, axis=1))
    supply = np.sqrt(np.mean(np.abs(z[: frames * size].reshape(frames, size)) ** 2, axis=1))
    return _Frames(
        t_s=np.asarray((np.arange(frames) + 0.5) * size / fs_hz, np.float64),
        frequency=np.angle(turn.sum(axis=1)) * fs_hz / (2 * pi * f0_hz),
        level=level / np.maximum(supply, TINY),
    )


def space_vector(x: Array, fs_hz: float, f0_hz: float) -> Complex128:
    """Return the space vector of three currents, whose supply line is at +f0: shape (samples,)."""
    z = 2 / 3 * (x[0] + TURN_120 * x[1] + TURN_120**2 * x[2]).astype(np.complex128)
    turns = np.exp(-2j * pi * f0_hz / fs_hz * np.arange(len(z)))
    is_forward = abs(np.sum(z * turns)) >= abs(np.sum(z * turns.conj()))
    return np.asarray(z if is_forward else z.conj())


def _longest_sweep(frames: _Frames, f0_hz: float) -> StartSideband | None:
    """Return the longest stretch of frames whose frequency rises steadily through the band."""
    first = 0
    best: StartSideband | None = None
    steps = np.diff(frames.frequency)
    steady = (steps > -MAX_SCATTER) & (steps < MAX_STEP)
    for last in range(len(frames.frequency)):
        if last < len(steady) and steady[last]:
            continue
        found = _sweep(frames, slice(first, last + 1), f0_hz)
        if found and (best is None or len(found.hz_s) > len(best.hz_s)):
            best = found
        first = last + 1
    return best


def _sweep(frames: _Frames, part: slice, f0_hz: float) -> StartSideband | None:
    """Return the frames of a stretch between the ends of the sweep, if they are one."""
    t, frequency, level = frames.t_s[part], frames.frequency[part], frames.level[part]
    if len(t) < MIN_FRAMES or frequency[0] > FROM or frequency[-1] < TO:
        return None
    inside = (frequency >= BAND[0] + EDGE / 2) & (frequency <= BAND[1] - EDGE / 2)
    t, frequency, level = t[inside], frequency[inside], level[inside]
    if len(t) < MIN_FRAMES:
        return None
    scaled = (t - t.mean()) / np.ptp(t)
    cubic = np.polyfit(scaled, frequency, 3)
    scatter = float(np.std(frequency - np.polyval(cubic, scaled)))
    if scatter > MAX_SCATTER:
        return None
    return StartSideband(
        begin_s=float(t[0]),
        end_s=float(t[-1]),
        level_db=20 * log10(float(np.sqrt(np.mean(level**2))) + float(TINY)),
        scatter=scatter,
        hz_s=np.stack([frequency * f0_hz, t], axis=1),
    )


def _band(z: Complex128, fs_hz: float, f0_hz: float) -> Complex128:
    """Return the band of a space vector, without delay."""
    hz = np.fft.fftfreq(len(z), 1 / fs_hz) / f0_hz
    gain = np.clip((hz - BAND[0]) / EDGE + 1, 0, 1) * np.clip((BAND[1] - hz) / EDGE + 1, 0, 1)
    return np.asarray(np.fft.ifft(np.fft.fft(z) * np.sin(pi / 2 * gain) ** 2))
