"""The supply line of a recording: its frequency, and every channel's phasor in short frames."""

import numpy as np
import numpy.typing as npt

from vtox.domain import Array
from vtox.dsp.baseband import unwrapped
from vtox.dsp.spectrum import turns

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complexfloating]

LOWEST_HZ = 4.0
FRAME_S = 0.2
# Hann-windowed frames of four hops each, so neighbouring frames overlap by three quarters.
HOPS = 4
# OpenBLAS spreads larger matrix products over threads, which wait for each other longer than they
# work: turn shorts in 10 s records took 0.4 to 1.8 ms of CPU time per second of data on two cores,
# and 0.2 ms in products of this many multiplications.
SMALL_PRODUCT = 250_000


def line_bin(
    spectrum: Complex, df_hz: float, highest_hz: float
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the bin of the strongest line and the share of all power that lies around it.

    Parameters
    ----------
    spectrum : ndarray, shape (batch, channels, bins)
        One-sided spectra, bins from 0 Hz on.
    df_hz : float
        Width of a bin, Hz.
    highest_hz : float
        The line is looked for between `LOWEST_HZ` and this, Hz.

    Returns
    -------
    bin : ndarray of int, shape (batch,)
    share : ndarray, shape (batch,)
        Power within 2 Hz (at least 3 bins) of the line over all power in that range.
    """
    last = min(spectrum.shape[-1], int(highest_hz / df_hz) + 1)
    low = spectrum[..., :last]
    power = np.sum(low.real**2 + low.imag**2, axis=1)
    first = max(1, int(np.ceil(LOWEST_HZ / df_hz)))
    peak = first + np.argmax(power[:, first:], axis=-1)
    reach = max(3, int(np.ceil(2.0 / df_hz)))
    rows, below = np.arange(len(power)), np.zeros((len(power), last + 1))
    np.cumsum(power[:, first:], axis=-1, dtype=np.float64, out=below[:, first + 1 :])
    near = below[rows, np.minimum(peak + reach + 1, last)]
    near -= below[rows, np.maximum(peak - reach, first)]
    share = near / np.maximum(below[:, -1], np.finfo(float).tiny)
    return peak, share


def frequency_hz(baseband: Complex, rate_hz: float, centre_hz: Floats) -> Floats:
    """Return the mean supply frequency from the phase slope of its baseband.

    The phase is unwrapped and fitted by a line over the middle 90 % of the record (the ends carry
    the ringing of the band filter), weighted by a parabola, which is close to the optimum for a
    tone whose frequency wanders slowly (Kay 1989, IEEE TASSP 37(12):1987).

    Parameters
    ----------
    baseband : ndarray of complex, shape (batch, points)
        Supply line shifted down by `centre_hz`.
    rate_hz : float
        Sampling rate of the baseband, Hz.
    centre_hz : ndarray, shape (batch,)

    Returns
    -------
    ndarray, shape (batch,), Hz
    """
    points = baseband.shape[-1]
    skip = points // 20
    inner = baseband[:, skip : points - skip]
    t_s = (np.arange(inner.shape[-1]) - (inner.shape[-1] - 1) / 2) / rate_hz
    span = max(np.abs(t_s).max(), 1 / rate_hz)
    weight = 1 - (t_s / span) ** 2 + 1e-3
    # Not a matrix product: a library spreads it over threads that wait longer than they work.
    slope = np.einsum("bn,n->b", unwrapped(np.angle(inner)), weight * t_s)
    slope /= np.sum(weight * t_s**2)
    return np.asarray(centre_hz + slope / (2 * np.pi), np.float64)


def frame_phasors(x: Array, fs_hz: float, f0_hz: Floats) -> tuple[Floats, Complex]:
    """Return the phasors of the supply line in overlapping frames of 0.2 s.

    x(t) = Re[X exp(j 2 pi f0 t)] with t from the first sample, so that phasors of all frames and
    channels share one reference. Each frame is weighted by a Hann window, whose leakage from twice
    the supply frequency and from the harmonics is below -90 dB. The window is a sum of three
    exponentials, so blocks of one hop are demodulated once at three frequencies and then added in
    fours: every sample is touched once, however much the frames overlap.

    Parameters
    ----------
    x : ndarray, shape (batch, channels, samples)
    fs_hz : float
    f0_hz : ndarray, shape (batch,)

    Returns
    -------
    t_s : ndarray, shape (frames,)
        Centre of each frame, s.
    phasors : ndarray of complex, shape (batch, channels, frames)
        Peak values in the unit of `x`; no frames where the record is shorter than one.
    """
    batch, channels, samples = x.shape
    hop = max(4, round(FRAME_S / HOPS * fs_hz))
    blocks = samples // hop
    frames = max(0, blocks - HOPS + 1)
    if not frames:
        return np.zeros(0), np.zeros((batch, channels, 0), complex)
    length = HOPS * hop
    # Angular steps per sample: the line, and the line one window bin above and below.
    line, bin_ = 2 * np.pi * f0_hz / fs_hz, 2 * np.pi / length
    steps = line[:, None] + bin_ * np.array([0.0, 1.0, -1.0])
    turn = np.empty((batch, 3, hop), np.complex64)
    turn[:, 0], one = turns(line, hop), turns(bin_, hop).astype(np.complex64)
    turn[:, 1], turn[:, 2] = turn[:, 0] * one, turn[:, 0] * one.conj()
    kernel = np.empty((batch, 7, hop), x.dtype)
    kernel[:, :3], kernel[:, 3:6], kernel[:, 6] = turn.real, turn.imag, 1
    blocked = x[..., : blocks * hop].reshape(batch, channels * blocks, hop)
    sums = np.empty((batch, 7, channels * blocks))
    step = max(1, SMALL_PRODUCT // (7 * hop))
    for k in range(0, channels * blocks, step):
        sums[..., k : k + step] = np.matmul(kernel, blocked[:, k : k + step].swapaxes(1, 2))
    # The offset of a clamp is 10 window bins from a 50 Hz line: -76 dB, but it may be large.
    offset = sums[:, 6].reshape(batch, channels, blocks).mean(axis=-1) / hop
    whole_turn = turn.sum(axis=-1, dtype=complex)[:, :, None]
    part = sums[:, :3] + 1j * sums[:, 3:6] - whole_turn * np.repeat(offset, blocks, axis=1)[:, None]
    # Half a sample later the window peaks in the middle; the offset of a block within its frame
    # enters as a phase, the frame's own start only for the line itself.
    shift = np.exp(-1j * steps[:, None, :] * (np.arange(HOPS) * hop)[None, :, None])
    window = np.array([0.5, -0.25, -0.25]) * 2 / (length * 0.5)
    parts = np.matmul(shift * window, part).reshape(batch, HOPS, channels, blocks)
    whole = sum(parts[:, k, :, k : k + frames] for k in range(HOPS))
    start = np.arange(frames) * hop
    whole *= np.exp(-2j * np.pi * f0_hz[:, None] / fs_hz * start)[:, None, :]
    return (start + (length - 1) / 2) / fs_hz, np.asarray(whole)
