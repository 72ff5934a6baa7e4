"""The speed of a shaft within a record, by the phase of one of its lines, and records by its angle.

Used before the bearing diagnoser searches: a speed that moves by 2 % smears the third harmonic of
an inner race over a third of a shaft order, and no comb is left. After resampling by the angle of
the shaft, lines at all its multiples and at those of the bearing do not move. This is order
tracking without a tachometer (Bonnardot, El Badaoui, Randall et al. 2005, MSSP 19(4):766-785).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

import numpy as np
import scipy.fft
from scipy.ndimage import spline_filter1d, uniform_filter1d

from vtox.motor.values.arrays import TINY, Complex, Float32, Float64
from vtox.motor.values.domain import Array

# Relative half width of the band around a multiple: a speed may move by so much.
BAND = 0.05
# Share of a record at either end where the band's edges upset the phase.
END_SHARE = 16
# Coefficient of variation of a line's amplitude up to which it is one line. Noise has 0.52, the
# mean over all lags of a Rayleigh distribution. docs/calibration/bearing.md#moving-speeds
MAX_VARIATION = 0.25
# A line that holds this share of the power about it in three bins is steady. A swing that counts
# (`MIN_SWING`) would spread it over more.
STEADY_SHARE = 0.8
# Swing from which a record is searched by the angle of its shaft. In noise the speed of a line that
# is just clear moves by up to 1.7 %. docs/calibration/bearing.md#moving-speeds
MIN_SWING = 0.02
# A record by angle is computed so many samples at a time, its places every so many. In between, a
# speed that swings by 10 % in a second moves the places by 1e-3 samples at most.
BLOCK_SAMPLES, PLACE_SAMPLES = 8192, 32


@dataclass(frozen=True, slots=True)
class ShaftPhase:
    """The speed of a shaft along a record.

    `speed_hz` (points,) from the beginning to the end; `swing`: how far it moves, the middle 90 %
    of the record, relative.
    """

    speed_hz: Float64
    swing: float

    @property
    def mean_hz(self) -> float:
        """Mean speed."""
        return float(self.speed_hz.mean())


@dataclass(frozen=True, slots=True)
class _Line:
    """A multiple of the shaft in a record: the bin in its middle, and the spectrum about it."""

    record: int
    multiple: int
    middle: int
    duration_s: float
    band: Complex


def shaft_phases(
    signals: Sequence[Array], fs_hz: float, shafts_hz: Sequence[float]
) -> list[ShaftPhase | None]:
    """Return the speed of each shaft along its record, None if it is steady or no line is clear.

    Parameters
    ----------
    signals : sequence of ndarray, length batch, each of shape (samples,)
        Vibration of equally long records, any unit.
    fs_hz : float
    shafts_hz : sequence of float, length batch
        The speeds about which the shafts turn, Hz.
    """
    # Records of one block are transformed together: to plan one alone costs more than to do it.
    groups: dict[int, list[int]] = {}
    for i, shaft_hz in enumerate(shafts_hz):
        # 16 samples a turn hold three multiples, and leave room for the first alias.
        groups.setdefault(max(1, int(fs_hz / (16 * shaft_hz))), []).append(i)
    # Lines of one width of all records are transformed together, too.
    same_width: dict[int, list[_Line]] = {}
    for block, rows in groups.items():
        length = scipy.fft.prev_fast_len(max(1, len(signals[0]) // block), real=True)
        spectra = _spectra_of_means([signals[i] for i in rows], block, length)
        powers = np.square(np.abs(spectra))
        for i, spectrum, power in zip(rows, spectra, powers, strict=True):
            for line in _lines(i, spectrum, power, block * length / fs_hz, shafts_hz[i]):
                same_width.setdefault(len(line.band), []).append(line)
    clear: dict[int, list[tuple[float, _Line, Complex]]] = {}
    for lines in same_width.values():
        analytic = _analytic(np.array([line.band for line in lines]))
        for found in zip(_variation(analytic).tolist(), lines, analytic, strict=True):
            if found[0] <= MAX_VARIATION:
                clear.setdefault(found[1].record, []).append(found)
    phases: list[ShaftPhase | None] = [None] * len(signals)
    for i, of_record in clear.items():
        _, line, signal = min(of_record, key=itemgetter(0))
        phases[i] = _phase(line, signal, shafts_hz[i])
    return phases


def _spectra_of_means(signals: Sequence[Array], block: int, length: int) -> Complex:
    """Return the spectra of the means of blocks, here sums, shape (records, length / 2 + 1)."""
    # A product is ten times as fast as the mean of such short rows.
    ones = np.ones(block, signals[0].dtype)
    means = np.array([x[: length * block].reshape(length, block) @ ones for x in signals])
    means -= np.add.reduce(means, axis=1, keepdims=True) / length
    # With numpy: the transform of scipy keeps 16 plans, and as many lengths as speeds would
    # displace those of the envelopes, which cost as much as their transforms.
    return np.asarray(np.fft.rfft(means))


def _lines(
    record: int, spectrum: Complex, power: Float32, duration_s: float, shaft_hz: float
) -> list[_Line]:
    """Return the bands in which a line of the shaft may swing, none if one is steady."""
    lines = []
    for k in (1, 2, 3):
        middle, half = _band(k * shaft_hz * duration_s)
        if half < 4:
            continue  # the record is too short to show a speed that moves
        own = slice(middle - half, middle + half + 1)
        powers: list[float] = power[own].tolist()
        if _stands_still(powers):
            return []
        if _peaks_inside(powers):
            lines.append(_Line(record, k, middle, duration_s, spectrum[own]))
    return lines


def _phase(line: _Line, analytic: Complex, shaft_hz: float) -> ShaftPhase:
    """Return the speed of a shaft by one of its lines."""
    points = len(analytic)
    step_s = line.duration_s / points
    deviation = _turns_per_point(analytic) / step_s
    width = max(1, round(4 / shaft_hz / step_s))  # four turns
    speed = line.middle / line.duration_s + uniform_filter1d(deviation, width, mode="nearest")
    speed /= line.multiple
    ends = points // END_SHARE
    inner = speed[ends : points - ends]
    speed[:ends], speed[points - ends :] = inner[0], inner[-1]
    last = len(inner) - 1
    low, high = np.interp((0.05 * last, 0.95 * last), np.arange(len(inner)), np.sort(inner))
    return ShaftPhase(speed, float(high - low) / shaft_hz)


def by_shaft_angle(x: Array, phase: ShaftPhase) -> Float32:
    """Return a record at equal steps of the shaft's angle, as many as it has samples.

    At the mean speed its sampling rate is unchanged. Cubic splines pass up to 0.35 of the rate;
    in blocks that stay in the cache they take half the time of `scipy.ndimage.map_coordinates`.

    Parameters
    ----------
    x : ndarray, shape (samples,)
    phase : ShaftPhase
    """
    samples = len(x)
    # One point before the record and two after it are repeated, so that splines have four.
    coefficients = spline_filter1d(x, output=np.float32, mode="nearest")
    coefficients = np.pad(coefficients, (1, 2), mode="edge")
    places = _places(phase, samples)
    by_angle = np.empty(samples, np.float32)
    for start in range(0, samples, BLOCK_SAMPLES):
        own = places[start : start + BLOCK_SAMPLES]
        by_angle[start : start + BLOCK_SAMPLES] = _spline(coefficients, own)
    return by_angle


def _places(phase: ShaftPhase, samples: int) -> Float64:
    """Return the places in a record at equal steps of the shaft's angle, in samples, (samples,)."""
    knots = (np.arange(len(phase.speed_hz)) + 0.5) * samples / len(phase.speed_hz)
    # Places between points so near lie on straight lines; some points lie behind the record.
    at = PLACE_SAMPLES * np.arange(samples // PLACE_SAMPLES + 4, dtype=np.float64)
    speed = np.interp(at, knots, phase.speed_hz)
    turned = np.concatenate([[0.0], np.cumsum(speed[1:] + speed[:-1])])
    turns_per_sample = np.interp(samples - 1, at, turned) / max(samples - 1, 1)
    points = np.interp(turns_per_sample * at[:-2], turned, at)
    between = np.multiply.outer(np.diff(points), np.arange(PLACE_SAMPLES) / PLACE_SAMPLES)
    between += points[:-1, None]
    return np.asarray(between.reshape(-1)[:samples])


def _spline(coefficients: Float32, places: Float64) -> Float32:
    """Return a cubic B-spline at places; coefficients begin at place -1."""
    at = places.astype(np.intp)
    after = (places - at).astype(np.float32)
    before = 1 - after
    squares = np.square(before), np.square(after)
    weights = (
        squares[0] * before / 6,
        squares[1] * (after / 2 - 1) + 2 / 3,
        squares[0] * (before / 2 - 1) + 2 / 3,
        squares[1] * after / 6,
    )
    x = np.zeros(len(at), np.float32)
    for k, weight in enumerate(weights):
        weight *= coefficients.take(at + k, mode="clip")
        x += weight
    return x


def _turns_per_point(line: Complex) -> Array:
    """Return the turn of a line at each point, in turns: the mean of the neighbouring steps."""
    steps = np.angle(line[1:] * line[:-1].conj()) / (2 * np.pi)
    turned = np.empty(len(line), steps.dtype)
    turned[1:-1] = (steps[1:] + steps[:-1]) / 2
    turned[0], turned[-1] = steps[0], steps[-1]
    return turned


def _band(centre: float) -> tuple[int, int]:
    """Return the bin in the middle of the band around a multiple, and half its width in bins."""
    return round(centre), int(BAND * centre)


def _stands_still(power: list[float]) -> bool:
    """Return whether a clear line lies within three bins, though a swing would spread it wider."""
    if MIN_SWING / BAND * len(power) / 2 <= 2:
        return False  # it would not
    at = power.index(max(power))
    return sum(power[max(0, at - 1) : at + 2]) >= STEADY_SHARE * sum(power)


def _peaks_inside(power: list[float]) -> bool:
    """Return whether a band is highest inside, not at the skirt of a line outside."""
    edge = len(power) // 8
    return edge <= power.index(max(power)) < len(power) - edge


def _analytic(bands: Complex) -> Complex:
    """Return the analytic signals of bands of one width, their middle shifted to 0 Hz."""
    half = bands.shape[-1] // 2
    cut = bands * _band_window(half)
    # So dense that steps of phase are the slope.
    shifted = np.zeros((len(bands), 16 * half), np.complex64)
    shifted[:, : half + 1], shifted[:, -half:] = cut[:, half:], cut[:, :half]
    return np.asarray(np.fft.ifft(shifted))


def _variation(lines: Complex) -> Float32:
    """Return the coefficient of variation of each line's amplitude."""
    points = lines.shape[-1]
    ends = points // END_SHARE
    size = np.abs(lines[:, ends : points - ends])
    mean = np.add.reduce(size, axis=1) / size.shape[-1]
    # `std` takes three times as long.
    square = np.einsum("lp,lp->l", size, size) / size.shape[-1]
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)) / np.maximum(mean, TINY))


@lru_cache(maxsize=256)
def _band_window(half: int) -> Float64:
    """Return a band of 2 * half + 1 bins, flat in its middle half."""
    return np.minimum(1.0, 2 * np.hanning(2 * half + 3)[1:-1])
