"""The supply line of a recording: its frequency, and every channel's phasor in short frames."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from vtox.motor.diagnosis.dsp.demodulation import EDGE_S
from vtox.motor.diagnosis.dsp.partial_fft import turns
from vtox.motor.values.arrays import Complex, Float64
from vtox.motor.values.domain import Array

LOWEST_HZ = 4.0
FRAME_S = 0.2
# A Hann-windowed frame is four hops long: frames overlap by three quarters, every fourth one is
# independent.
HOPS = 4
# Most multiplications of a matrix product, as OpenBLAS spreads larger ones over threads
# at a loss. docs/calibration/front_end.md#small-products
MAX_PRODUCT = 250_000
# Time within which a jump of phase takes place, s.
JUMP_S = 0.02
# Band around the supply line whose power counts as the line's, Hz, and its least number of bins.
LINE_HZ, LINE_BINS = 2.0, 3


def line_bin(
    spectrum: Complex, df_hz: float, highest_hz: float
) -> tuple[npt.NDArray[np.int64], Float64]:
    """Return the bin of the strongest line and the share of all power that lies around it.

    Parameters
    ----------
    spectrum : ndarray, shape (batch, channels, bins)
        One-sided spectra, bins from 0 Hz on.
    df_hz : float
        Width of a bin, Hz.
    highest_hz : float
        The line is searched between `LOWEST_HZ` and this, Hz.

    Returns
    -------
    bin : ndarray of int, shape (batch,)
    share : ndarray, shape (batch,)
        Power within 2 Hz (at least 3 bins) of the line over all power in that range.
    """
    last = min(spectrum.shape[-1], int(highest_hz / df_hz) + 1)
    low = spectrum[..., :last]
    power = np.square(np.abs(low)).sum(axis=1)
    first = max(1, int(np.ceil(LOWEST_HZ / df_hz)))
    peak = first + np.argmax(power[:, first:], axis=-1)
    reach = max(LINE_BINS, int(np.ceil(LINE_HZ / df_hz)))
    rows, below = np.arange(len(power)), np.zeros((len(power), last + 1))
    np.cumsum(power[:, first:], axis=-1, dtype=np.float64, out=below[:, first + 1 :])
    near = below[rows, np.minimum(peak + reach + 1, last)]
    near -= below[rows, np.maximum(peak - reach, first)]
    share = near / np.maximum(below[:, -1], np.finfo(float).tiny)
    return peak, share


def frequencies_hz(
    baseband: Complex, rate_hz: float, centre_hz: Float64
) -> tuple[Float64, Float64]:
    """Return the supply frequency from the phase steps of its baseband, weighted in two ways.

    Both are means of the phase steps over the middle 90 % of the record (the ends carry the ringing
    of the band filter). The first is weighted by a parabola, which is the least-squares line
    through the phase and optimal in white noise (Kay 1989, "A fast and accurate single frequency
    estimator", IEEE Trans. ASSP 37(12):1987-1990). The second is weighted by the power of a Hann
    window. If the supply wanders, a line that moves with it is in a Hann-windowed spectrum at this
    mean (its power's centroid) rather than at the first.

    Deviation from the mean over 10 s, 10 kHz: 2.2 and 3.5 uHz with white noise 40 dB below the
    supply. It is 1.3 and 2.0 mHz if the supply wanders by 5 mHz rms, and in proportion. A phase
    step of 1 degree anywhere makes 0.3 and 0.4 mHz.

    Parameters
    ----------
    baseband : ndarray of complex, shape (batch, points)
        Supply line shifted down by `centre_hz`.
    rate_hz : float
        Sampling rate of the baseband, Hz.
    centre_hz : ndarray, shape (batch,)

    Returns
    -------
    mean, windowed : ndarray, shape (batch,), Hz
    """
    points = baseband.shape[-1]
    skip = points // 20
    step = np.diff(np.angle(baseband[:, skip : points - skip]).astype(np.float64), axis=-1)
    step -= 2 * np.pi * np.rint(step / (2 * np.pi))
    weight = _step_weights(step.shape[-1], points)
    # Not a matrix product, which BLAS would spread over threads at a loss.
    mean, windowed = centre_hz + np.einsum("bn,kn->kb", step, weight) * rate_hz / (2 * np.pi)
    return mean, windowed


@lru_cache(maxsize=64)
def _step_weights(size: int, points: int) -> Float64:
    """Return the weights of phase steps, the middle ones of a record: parabola and Hann window."""
    # Middle of each step, from -1 to 1 over the part left, and over the record.
    u = (np.arange(size) - (size - 1) / 2) / ((size + 1) / 2)
    weight = np.stack([1 - u**2, np.cos(np.pi / 2 * u * (size + 1) / points) ** 4])
    weight /= weight.sum(axis=-1, keepdims=True)
    weight.flags.writeable = False
    return weight


def largest_phase_jump(baseband: Complex, rate_hz: float) -> Float64:
    """Return the largest jump of the phase of a supply line, rad, shape (batch,).

    A jump is the step of the phase within 20 ms less the mean of those 40 ms before and after: a
    frequency that moves steadily cancels. The ends of the record, where the band filter rings, are
    left out; 0 if nothing else remains.

    Parameters
    ----------
    baseband : ndarray of complex, shape (batch, points)
        Supply line shifted down to about 0 Hz.
    rate_hz : float
        Sampling rate of the baseband, Hz.

    Examples
    --------
    >>> x = np.exp(1j * np.where(np.arange(400) < 200, 0.0, 0.1))[None]
    >>> largest_phase_jump(x, 200.0).round(3)
    array([0.1])
    """
    step = max(1, round(JUMP_S * rate_hz))
    skip = max(baseband.shape[-1] // 20, round(EDGE_S * rate_hz))
    z = baseband[:, skip : baseband.shape[-1] - skip]
    if z.shape[-1] <= 5 * step:
        return np.zeros(len(baseband))
    moved = np.angle(z[:, step:] * z[:, :-step].conj()).astype(np.float64)
    jump = moved[:, 2 * step : -2 * step] - (moved[:, : -4 * step] + moved[:, 4 * step :]) / 2
    jump -= 2 * np.pi * np.rint(jump / (2 * np.pi))
    return np.asarray(np.abs(jump).max(axis=-1))


def frame_phasors(x: Array, fs_hz: float, f0_hz: Float64) -> tuple[Float64, Complex]:
    """Return the phasors of the supply line in overlapping frames of 0.2 s.

    x(t) = Re[X exp(j 2 pi f0 t)] with t from the first sample, so that phasors of all frames and
    channels share one reference. Each frame is weighted by a Hann window. For supplies of 45 to 65
    Hz it passes -68 dB of the second harmonic, -85 dB of the third and of the mirror image at -f0,
    -101 dB of the fifth. At 16 Hz, three periods a frame, these are -41, -57 and -75 dB (the worst
    of all frequencies and phases, measured). The window is a sum of three exponentials, so blocks
    of one hop are demodulated once at three frequencies and then added in fours. Every sample is
    touched once at any overlap of the frames.

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
        Peak values in the unit of `x`; no frames if the record is shorter than one.
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
    step = max(1, MAX_PRODUCT // (7 * hop))
    for k in range(0, channels * blocks, step):
        sums[..., k : k + step] = np.matmul(kernel, blocked[:, k : k + step].swapaxes(1, 2))
    # The offset of a clamp is as far from the line as the second harmonic, but may be far larger.
    offset = sums[:, 6].reshape(batch, channels, blocks).mean(axis=-1) / hop
    whole_turn = turn.sum(axis=-1, dtype=complex)[:, :, None]
    part = sums[:, :3] + 1j * sums[:, 3:6] - whole_turn * np.repeat(offset, blocks, axis=1)[:, None]
    # Half a sample later the window peaks in the middle. The offset of a block within its frame
    # enters as a phase, the frame's own start only for the line itself.
    shift = np.exp(-1j * steps[:, None, :] * (np.arange(HOPS) * hop)[None, :, None])
    window = np.array([0.5, -0.25, -0.25]) * 2 / (length * 0.5)
    parts = np.matmul(shift * window, part).reshape(batch, HOPS, channels, blocks)
    whole = sum(parts[:, k, :, k : k + frames] for k in range(HOPS))
    start = np.arange(frames) * hop
    whole *= np.exp(-2j * np.pi * f0_hz[:, None] / fs_hz * start)[:, None, :]
    return (start + (length - 1) / 2) / fs_hz, np.asarray(whole)
