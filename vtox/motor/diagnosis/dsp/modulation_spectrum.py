"""Lines in amplitude and phase modulation: where, how strong, and how far above the floor."""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from math import exp

import numpy as np
import scipy.fft

from vtox.motor.diagnosis.dsp.demodulation import FADE
from vtox.motor.values.arrays import (
    Bool,
    Complex,
    Float32,
    Float64,
    Int,
    median,
    pick,
    pick_several,
)

# A line between two bins loses 1.4 dB with a Hann window, 0.1 dB when padded fourfold.
PAD = 4
# Points of the surroundings on which the floor is fitted. They reach from this factor below the
# interval to this factor above it, over at least the third number of bins.
FLOOR_POINTS = 120
FLOOR_FACTOR = 2.5
FLOOR_BINS = 50
# Points this far above the floor count as this far: other lines pull the fit no further. The mean
# of Exp(1) so limited is 1 - exp(-LIMIT).
LIMIT = 2.5
# Powers of 1/f that add up: of white noise, of a random walk, and of the phase of a frequency that
# is a random walk.
SLOPES = np.array([0, 2, 4], np.float32)
# Half width of a line in bins of the Hann window. So near to the supply line its skirt, and the
# trend that is removed, shape the floor.
LINE_BINS = 2.5
# Number of records whose floors stay in the cache: those of 256 take three times as long.
_BLOCK_RECORDS = 32
# Power over the floor, amplitude and phase together, that makes a line; about Gamma(2) distributed
# in noise. The values are for one known place, near a measured slip, in a wide search, and for an
# uncertain floor or many tried ways. docs/calibration/broken_bar.md#floor
MIN_OVER_FLOOR_AT_PLACE = 14.0
MIN_OVER_FLOOR = 18.0
MIN_OVER_FLOOR_WIDE = 22.0
MIN_OVER_FLOOR_CLEAR = 30.0
# The frequency of a line is known to this part of a bin of 1/T.
# docs/calibration/broken_bar.md#place-of-the-line
PLACE_BINS = 0.25


@dataclass(frozen=True, slots=True)
class Modulation:
    """Spectra of amplitude and phase modulation, shape (batch, bins), Hann window, padded.

    A lower sideband alone of relative amplitude m shows as |am| = |pm| = m/2.
    """

    am: Complex
    pm: Complex
    step_hz: float  # spacing of the padded bins
    bin_hz: float  # resolution 1/T

    def select(self, rows: Int) -> "Modulation":
        """Return the spectra of some recordings of the batch."""
        return replace(self, am=self.am[rows], pm=self.pm[rows])

    def sidebands(self, index: Int) -> tuple[Float64, Float64]:
        """Return the amplitudes of lower and upper sideband, relative to the line, at bins."""
        return _sidebands(pick(self.am, index), pick(self.pm, index))

    def sideband_spectra(self) -> tuple[Float64, Float64]:
        """Return the same at every bin, shape (batch, bins)."""
        return _sidebands(self.am, self.pm)


def _sidebands(am: Complex, pm: Complex) -> tuple[Float64, Float64]:
    return np.abs(am - 1j * pm), np.abs(am + 1j * pm)


@dataclass(frozen=True, slots=True)
class StrongestLine:
    """The strongest line of each recording inside its search interval; arrays of shape (batch,)."""

    index: Int  # padded bin
    hz: Float64
    statistic: Float64  # am power over am floor + pm power over pm floor; about Gamma(2) for noise
    am_floor: Float64  # power in one bin, relative to the supply line
    pm_floor: Float64
    # A stronger line just outside the interval, whose skirt covers it; NaN if there is none.
    neighbour_hz: Float64


def spectra(am: Float64, pm: Float64, rate_hz: float) -> Modulation:
    """Return the spectra of modulations from `demodulation.modulation`.

    Parameters
    ----------
    am, pm : ndarray, shape (batch, points)
        Relative amplitude (ratio) and phase (rad).
    rate_hz : float

    Returns
    -------
    Modulation
    """
    points = am.shape[-1]
    padded = scipy.fft.next_fast_len(PAD * points, real=True)
    both = np.stack([am, pm]).astype(np.float32) * _hann(points)
    am_f, pm_f = scipy.fft.rfft(both, n=padded, axis=-1)
    return Modulation(am=am_f, pm=pm_f, step_hz=rate_hz / padded, bin_hz=rate_hz / points)


@lru_cache(maxsize=64)
def _hann(points: int) -> Float32:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(points) + 0.5) / points)
    weight = np.asarray(window / window.sum(), np.float32)
    weight.flags.writeable = False
    return weight


@dataclass(frozen=True, slots=True)
class _SearchBins:
    """Bins of the search interval of each recording and a line's width beyond it."""

    index: Int  # (batch, width)
    hz: Float64
    inside: Bool  # in the interval
    scored: Bool  # in the interval or within a line's half width of it
    half_width: int  # of a line, bins


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """Points of the spectra around each search interval, on which the floor is fitted."""

    index: Int  # (batch, FLOOR_POINTS)
    power: Float32  # (2, batch, FLOOR_POINTS) of am and pm
    # The logarithm of frequency runs from -1 to 1 over them; its middle and half span, (batch, 1).
    middle: Float64
    span: Float64

    def scaled(self, hz: Float64) -> Float32:
        """Return frequencies on that logarithmic scale."""
        return np.asarray((np.log(hz) - self.middle) / self.span, np.float32)


def strongest(m: Modulation, low_hz: Float64, high_hz: Float64) -> StrongestLine:
    """Return the line that exceeds the floor most between `low_hz` and `high_hz`.

    The statistic is P_am/F_am + P_pm/F_pm with F the floor around the interval. F is the higher of
    two: a power law that bends, and a sum of powers of 1/f (`SLOPES`). The sum has a corner where
    the skirt of the supply line meets white noise. F is fitted to the surroundings, first with,
    then without the strongest line.

    Parameters
    ----------
    m : Modulation
    low_hz, high_hz : ndarray, shape (batch,)
        Search interval of the modulation frequency; NaN gives a statistic of 0 over floors of 1.

    Returns
    -------
    Line

    See Also
    --------
    floors_nearby : floors that follow the noise adjacent to a line.
    refined_hz : its frequency between the bins.
    """
    # Few records of a batch are searched a second time: the floors cost most, and of those only.
    searched = np.flatnonzero(np.isfinite(low_hz) & np.isfinite(high_hz))
    line = _no_line(m)
    for start in range(0, len(searched), _BLOCK_RECORDS):
        rows = searched[start : start + _BLOCK_RECORDS]
        found = _strongest(m.select(rows), low_hz[rows], np.maximum(high_hz, low_hz)[rows])
        for f in fields(StrongestLine):
            getattr(line, f.name)[rows] = getattr(found, f.name)
    return line


def _no_line(m: Modulation) -> StrongestLine:
    """Return the lines of recordings in which nothing is searched."""
    batch, bins = m.am.shape
    index = min(round(10 * m.bin_hz / m.step_hz), bins - 1)  # anywhere: the tenth bin
    return StrongestLine(
        index=np.full(batch, index),
        hz=np.full(batch, index * m.step_hz),
        statistic=np.zeros(batch),
        am_floor=np.ones(batch),
        pm_floor=np.ones(batch),
        neighbour_hz=np.full(batch, np.nan),
    )


def _strongest(m: Modulation, low: Float64, high: Float64) -> StrongestLine:
    bins = _search_bins(m, low, high)
    around = _surroundings(m, low, high)
    am_power, pm_power = (_power(pick_several(z, bins.index)) for z in (m.am, m.pm))
    fitted = np.ones(around.index.shape, bool)
    for _ in range(2):
        am_floor, pm_floor = _floors(around, fitted, m.step_hz, bins.hz)
        score = np.where(bins.scored, am_power / am_floor + pm_power / pm_floor, 0.0)
        best = np.argmax(np.where(bins.inside, score, -1.0), axis=-1)
        line = pick(bins.index, best)
        fitted = np.abs(around.index - line[:, None]) * m.step_hz > LINE_BINS * m.bin_hz
    return StrongestLine(
        index=line,
        hz=np.asarray(line * m.step_hz, np.float64),
        statistic=np.asarray(pick(score, best), np.float64),
        am_floor=pick(am_floor, best),
        pm_floor=pick(pm_floor, best),
        neighbour_hz=_neighbour_hz(bins, score, line),
    )


def _search_bins(m: Modulation, low: Float64, high: Float64) -> _SearchBins:
    half_width = int(np.ceil(LINE_BINS * m.bin_hz / m.step_hz))
    first = np.round(low / m.step_hz).astype(int) - half_width
    width = int(np.max(np.round(high / m.step_hz).astype(int) - first)) + 1 + half_width
    index = np.clip(first[:, None] + np.arange(width), 1, m.am.shape[-1] - 1)
    hz = np.asarray(index * m.step_hz, np.float64)
    return _SearchBins(
        index=index,
        hz=hz,
        inside=(hz >= low[:, None] - m.step_hz / 2) & (hz <= high[:, None] + m.step_hz / 2),
        scored=hz <= high[:, None] + LINE_BINS * m.bin_hz,
        half_width=half_width,
    )


def _surroundings(m: Modulation, low: Float64, high: Float64) -> _Surroundings:
    last = m.am.shape[-1] - 1
    from_hz = np.maximum(low / FLOOR_FACTOR, LINE_BINS * m.bin_hz)
    to_hz = np.maximum(high * FLOOR_FACTOR, from_hz + FLOOR_BINS * m.bin_hz)
    # The faded end of the envelope's band is no noise: fitted, it puts the floor 5 to 9 dB off.
    band_hz = (1 - FADE) * last * m.step_hz
    to_hz = np.minimum(to_hz, np.maximum(band_hz, 1.5 * from_hz))  # never narrower than this
    hz = from_hz[:, None] + (to_hz - from_hz)[:, None] * np.linspace(0, 1, FLOOR_POINTS)
    index = np.clip(np.round(hz / m.step_hz).astype(int), 1, last)
    return _Surroundings(
        index=index,
        power=np.array([_power(pick_several(z, index)) for z in (m.am, m.pm)], np.float32),
        middle=np.log(to_hz * from_hz)[:, None] / 2,
        span=np.log(to_hz / from_hz)[:, None] / 2,
    )


def _neighbour_hz(bins: _SearchBins, score: Float64, line: Int) -> Float64:
    """Return where a higher line just outside the interval covers the one inside, else NaN."""
    near = np.abs(bins.index - line[:, None]) <= bins.half_width
    higher = np.argmax(np.where(near, score, -1.0), axis=-1)
    return np.where(pick(bins.inside, higher), np.nan, pick(bins.hz, higher))


def floors_nearby(m: Modulation, line: StrongestLine) -> tuple[Float64, Float64]:
    """Return amplitude and phase floors at least as high as the noise adjacent to the line.

    The smooth floor passes under a resonance, of the rotor against the grid for instance; the
    noise that a level carries there does not.
    """
    am, pm = _adjacent_noise(m, line)
    return np.maximum(line.am_floor, _floor(am)), np.maximum(line.pm_floor, _floor(pm))


def sideband_floors(m: Modulation, line: StrongestLine) -> tuple[Float64, Float64]:
    """Return the noise power in lower and upper sideband, adjacent to the line.

    Noise of the supply drives a current through the leakage inductance in inverse proportion to
    its frequency. So far from the supply line the lower sideband is in more noise than the upper.
    """
    am, pm = _adjacent_noise(m, line)
    return _floor(am - 1j * pm), _floor(am + 1j * pm)


def line_where(condition: Bool, a: StrongestLine, b: StrongestLine) -> StrongestLine:
    """Return the lines of `a` where the condition holds, else those of `b`, as `numpy.where`."""
    return StrongestLine(
        *(
            np.where(condition, getattr(a, f.name), getattr(b, f.name))
            for f in fields(StrongestLine)
        )
    )


def refined_hz(m: Modulation, line: StrongestLine) -> Float64:
    """Return the frequency of each line by a parabola through its three highest bins, Hz."""
    around = np.clip(line.index[:, None] + np.arange(-1, 2), 0, m.am.shape[-1] - 1)
    am, pm = (_power(pick_several(z, around)) for z in (m.am, m.pm))
    below, middle, above = (am / line.am_floor[:, None] + pm / line.pm_floor[:, None]).T
    bend = np.maximum(2 * middle - below - above, 1e-12 * (middle + 1e-30))
    return np.asarray(line.hz + np.clip(0.5 * (above - below) / bend, -1, 1) * m.step_hz)


def _adjacent_noise(m: Modulation, line: StrongestLine) -> tuple[Complex, Complex]:
    """Return both spectra 4 to 10 bins above each line and as far below, shape (batch, 14).

    Distances are equal in the logarithm of frequency. So the steep spectrum of a wandering supply
    (phase power as 1/f^4) gives as much below the line as above it, and the median is right for any
    power law.
    """
    n = np.maximum(line.index, 1)[:, None] * m.step_hz / m.bin_hz
    ratio = 1 + np.arange(4, 11) / n
    index = np.round(line.index[:, None] * np.concatenate([ratio, 1 / ratio], axis=-1)).astype(int)
    index = np.clip(index, 0, m.am.shape[-1] - 1)
    return pick_several(m.am, index), pick_several(m.pm, index)


def _floor(z: Complex) -> Float64:
    """Return the mean power of noise from its median, which an adjacent line does not move."""
    return np.asarray(median(_power(z)) / np.log(2), np.float64)


def _power(z: Complex) -> Float64:
    return np.asarray(z.real.astype(np.float64) ** 2 + z.imag.astype(np.float64) ** 2)


def _floors(around: _Surroundings, fitted: Bool, step_hz: float, hz: Float64) -> Float32:
    """Return the floors of am and pm at `hz`, shape (2, batch, width), fitted where `fitted`.

    Single precision, as the spectra: within 4e-6 of double in two thirds of its time.

    A bent power law alone passes under the corner by 2.5 to 2.9 in power at 0.4 to 0.7 Hz, for a
    frequency wander of 20 mHz (motor model, 20 s). A sum alone passes by 1.2 under noise as 1/f.
    """
    x = around.scaled(np.asarray(around.index * step_hz, np.float64))
    at = around.scaled(hz)
    span = around.span.astype(np.float32)
    bent = _bent(x, around.power, fitted, at)
    return np.maximum(bent, _sum_rings(span * x, around.power, fitted, span * at))


def _bent(x: Float32, power: Float32, fitted: Bool, at: Float32) -> Float32:
    """Return the floors exp(quadratic in x) of powers (2, batch, points) at `x`, evaluated at `at`.

    Fisher scoring of the Whittle likelihood sum(log F + P/F), with P/F limited (Whittle 1953,
    Ark. Mat. 2(5):423; the limit makes it an M-estimate).
    """
    basis = np.stack([np.ones_like(x), x, x * x], axis=-2)  # (batch, 3, points)
    weighted = basis * fitted[:, None, :]
    # The addition keeps the fit of few points solvable.
    ridge = np.diag(np.full(3, np.float32(1e-3)))
    inverse = np.linalg.inv(weighted @ np.swapaxes(basis, -1, -2) + ridge)
    gain = inverse @ weighted
    columns = np.swapaxes(gain, -1, -2)
    log_power = np.log(power + 1e-24)
    fit = (log_power[..., None, :] @ columns)[..., 0, :]
    mean = 1 - exp(-LIMIT)
    for _ in range(6):  # more change nothing
        excess = np.exp(np.minimum(log_power - (fit[..., None, :] @ basis)[..., 0, :], 3.0))
        update = np.minimum(excess, LIMIT) / mean - 1
        fit = fit + (update[..., None, :] @ columns)[..., 0, :]
    log_floor = fit[..., :1] + fit[..., 1:2] * at + fit[..., 2:] * at**2
    return np.asarray(np.exp(np.minimum(log_floor, 80)))  # finite in single precision


def _sum_rings(x: Float32, power: Float32, fitted: Bool, at: Float32) -> Float32:
    """Return the floors as sums of exp(-slope x), of powers (2, batch, points), at `at`.

    Multiplicative updates that raise the Whittle likelihood and keep every part positive (Fevotte,
    Bertin, Durrieu 2009, Neural Computation 21(3):793), with P/F limited.
    """
    log_basis = -SLOPES[:, None] * x[:, None]  # (batch, slopes, points)
    basis = np.exp(log_basis)
    columns = np.swapaxes(basis, -1, -2)
    count = fitted.sum(axis=-1, keepdims=True, dtype=np.float32)
    power = power[..., None, :] + 1e-24
    fitted = fitted[:, None]
    mean = np.sum(np.log(power) * fitted, axis=-1, keepdims=True)
    parts = np.exp((mean - np.sum(log_basis * fitted, -1)[:, None]) / count[:, None])
    parts /= len(SLOPES)  # (2, batch, 1, slopes): at first each alone explains an equal share
    weight, excess = np.empty((2, *power.shape), np.float32)
    for _ in range(15):
        np.divide(fitted, np.matmul(parts, basis, out=weight), out=weight)
        np.minimum(np.multiply(power, weight, out=excess), LIMIT, out=excess)
        excess *= weight
        parts *= (excess @ columns) / ((1 - exp(-LIMIT)) * (weight @ columns))
    floors: Float32 = (parts @ np.exp(-SLOPES[:, None] * at[:, None]))[..., 0, :]
    return floors
