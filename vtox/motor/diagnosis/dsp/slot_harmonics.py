"""Slip from the rotor slot harmonics of the current: the sharpest estimate without a sensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from vtox.motor.values.arrays import Bool, Complex, Float64, Int, pick, pick_several
from vtox.motor.values.domain import Array

# Supply harmonics nu of f (R (1-s)/p + nu); which of them a rotor shows depends on R and p.
ORDERS = (-5, -3, -1, 1, 3, 5)
# The speed of a loaded rotor wanders; at 14 times the supply frequency a line is about this wide.
LINE_HZ = 0.3
# The floor is a median over this width, of which a line of five bins must be a small part.
FLOOR_HZ = 8.0
FLOOR_BINS = 24
# A broken rotor cage swings the speed at 2sf: a line becomes a comb of that spacing, and one of its
# sidebands may be the highest line. This number to either side gives the middle.
# docs/calibration/slip.md#combs-of-a-swinging-speed
SIDEBANDS = 3


@dataclass(frozen=True, slots=True)
class SlotBand:
    """The part of each spectrum in which slot harmonics may lie."""

    power: Array  # (batch, width), Hann-windowed, summed over channels; 0 at both ends
    first: Int  # (batch,) bin of the whole spectrum at which each part begins
    bins: int  # of the searched part of the whole spectrum
    df_hz: float


@dataclass(frozen=True, slots=True)
class SlotLines:
    """Slip at which slot harmonics agree best; arrays of shape (batch,)."""

    slip: Float64
    half: Float64  # half width of the slip estimate
    score: Float64  # sum over the orders of log(1 + power over floor), less log 2 per order
    lead: Float64  # score above the best one at other slips of the interval
    strongest: Float64  # power over floor of the strongest line


def reach(
    f0_hz: Float64, bars_per_pair: Float64, largest_slip: float, df_hz: float, bins: int
) -> tuple[Int, int]:
    """Return the bins of possible slot harmonics: the first of each recording, and their number.

    Parameters
    ----------
    f0_hz, bars_per_pair : ndarray, shape (batch,)
        As for `slot_harmonics`.
    largest_slip : float
        Slips from 0 to this can be searched.
    df_hz : float
        Width of a bin, Hz.
    bins : int
        Number of bins there are.

    Returns
    -------
    first : ndarray of int, shape (batch,)
    width : int
        Of the widest part; 0 if no number of bars is known.
    """
    known = np.isfinite(bars_per_pair)
    ratio = np.where(known, bars_per_pair, 0.0)
    low = f0_hz * (ratio * (1 - largest_slip) + ORDERS[0]) / df_hz
    high = f0_hz * (ratio + ORDERS[-1]) / df_hz
    first = np.clip(np.floor(low).astype(int) - 4, 0, bins - 3)  # a line has two neighbours
    last = np.clip(np.ceil(high).astype(int) + 4, 3, bins)
    return first, int(np.max(np.where(known, last - first, 0), initial=0))


def band(spectrum: Complex, first: Int, bins: int, df_hz: float) -> SlotBand:
    """Return the band of spectra, shape (batch, channels, width), under a rectangular window.

    The power under a Hann window is computed once, though lines are searched several times.
    """
    power = np.zeros((len(spectrum), spectrum.shape[-1]), spectrum.real.dtype)
    if spectrum.shape[-1] >= 3:
        # Bin by bin X[k] / 2 - (X[k - 1] + X[k + 1]) / 4, here twice that.
        hann = spectrum[..., :-2] + spectrum[..., 2:]
        hann *= np.float32(-1 / 2)
        hann += spectrum[..., 1:-1]
        size = np.abs(hann)
        power[:, 1:-1] = np.square(size, out=size).sum(axis=1)
        power /= 4
    return SlotBand(power, first, bins, df_hz)


def concatenate(bands: Sequence[SlotBand]) -> SlotBand:
    """Return the bands of several batches as one, as wide as the widest."""
    width = max(b.power.shape[-1] for b in bands)
    power = [np.pad(b.power, ((0, 0), (0, width - b.power.shape[-1]))) for b in bands]
    first = np.concatenate([b.first for b in bands])
    return SlotBand(np.concatenate(power), first, bands[0].bins, bands[0].df_hz)


@dataclass(frozen=True, slots=True)
class _Search:
    """Places of the lines of every order. Column k is k bins below the place at the least slip."""

    bars_per_pair: Float64  # (batch,)
    known: Bool  # (batch,) whether the bars and the interval are known
    low: Float64  # (batch,) least slip
    low_bins: Float64  # (batch,) its frequency
    bins_per_slip: Float64  # (batch,)
    inside: Bool  # (batch, width) columns of the interval
    top_bins: Float64  # (batch, orders) place of each order at the least slip
    index: Int  # (batch, orders, width) bins of the whole spectrum
    usable: Bool  # (batch, orders, width) in interval and spectrum, and off the supply harmonics


def slot_harmonics(
    band: SlotBand, f0_hz: Float64, bars_per_pair: Float64, low: Float64, high: Float64
) -> SlotLines:
    """Return the slip at which lines are at f (R (1-s)/p + nu) for most of the odd nu.

    Parameters
    ----------
    band : Band
        Spectra of the currents, up to `reach`.
    f0_hz : ndarray, shape (batch,)
        Supply frequency, weighted as the Hann window weights the lines (`supply_line`).
    bars_per_pair : ndarray, shape (batch,)
        Rotor bars over pole pairs, R/p; NaN if unknown, which scores 0.
    low, high : ndarray, shape (batch,)
        Slip interval searched.

    Returns
    -------
    SlotLines

    References
    ----------
    Nandi, Ahmed, Toliyat 2001, IEEE TEC 16(3):253-260; Hurst, Habetler 1996, IEEE TPEL 11(1):66.
    """
    search = _search(band, f0_hz, bars_per_pair, low, high)
    power = _power_at(band, search.index)
    floor = _floor(
        np.where(search.usable, power, np.inf), max(FLOOR_BINS, round(FLOOR_HZ / band.df_hz))
    )
    # Over no floor a line would be infinite, and its average all lines behind it.
    counted = search.usable & (floor > 0) & (floor < np.inf)
    line_bins = max(1, round(LINE_HZ / band.df_hz))
    excess = _excess(power, floor, counted, line_bins)
    # `log1p` takes seven times as long.
    gain = np.log(1 + excess) - np.log(2) * counted
    score = np.where(search.known[:, None], gain.sum(axis=1), 0.0)
    best = np.argmax(score, axis=-1)
    rows = np.arange(len(best))
    levels = excess[rows, :, best]
    order = np.argmax(levels, axis=-1)
    # A line too near a harmonic to be used leaves its skirt next to the bins left out. The main
    # lobe, three bins, is of the harmonic.
    left_out = max(1, round(_harmonic_hz(band.df_hz) / band.df_hz) - 3)
    distances = np.arange(line_bins // 2 + 2, left_out + 1)  # nearer bins are within `half`
    skirt = _is_skirt(power[rows, order], search.usable[rows, order], best, distances)
    slip = _slip(np.where(search.usable, power, 0.0), excess, search, best, band.df_hz)
    return SlotLines(
        slip=slip,
        half=np.asarray((0.5 + 0.5 * line_bins) / search.bins_per_slip, np.float64),
        score=np.where(skirt, 0.0, score[rows, best]),
        lead=_lead(score, search.inside, best, line_bins),
        strongest=levels.max(axis=-1),
    )


def _search(
    band: SlotBand, f0_hz: Float64, bars_per_pair: Float64, low: Float64, high: Float64
) -> _Search:
    known = np.isfinite(bars_per_pair) & np.isfinite(low) & np.isfinite(high)
    ratio = np.where(known, bars_per_pair, 1.0)
    low = np.where(known, low, 0.0)
    high = np.where(known, np.maximum(low, high), 0.0)
    bins_per_slip = f0_hz * ratio / band.df_hz
    count = np.ceil(bins_per_slip * (high - low)).astype(int) + 1
    column = np.arange(int(count.max()))
    top_hz = f0_hz[:, None] * (ratio * (1 - low))[:, None] + f0_hz[:, None] * np.array(ORDERS)
    # Slip rises with the column: the lines move down.
    index = np.round(top_hz / band.df_hz).astype(int)[:, :, None] - column
    multiple = index * band.df_hz / f0_hz[:, None, None]
    from_harmonic_hz = np.abs(multiple - np.round(multiple)) * f0_hz[:, None, None]
    inside = column < count[:, None]
    usable = (
        inside[:, None]
        & (index > 1)
        & (index < band.bins - 1)
        & (from_harmonic_hz > _harmonic_hz(band.df_hz))
    )
    return _Search(
        bars_per_pair=ratio,
        known=known,
        low=low,
        low_bins=f0_hz * low / band.df_hz,
        bins_per_slip=bins_per_slip,
        inside=inside,
        top_bins=top_hz / band.df_hz,
        index=index,
        usable=usable,
    )


def _harmonic_hz(df_hz: float) -> float:
    """Return the half width of a supply harmonic with its skirt, which is left out."""
    return max(1.0, 4 * df_hz)


def _excess(power: Float64, floor: Float64, counted: Bool, line_bins: int) -> Float64:
    """Return power over floor, averaged over the width of a line; 0 if it does not count."""
    excess = np.divide(power, floor, out=np.zeros_like(power), where=counted)
    if line_bins > 1:
        excess = uniform_filter1d(excess, line_bins, axis=-1, mode="constant")
        excess = np.where(counted, excess, 0.0)
    return np.asarray(excess, np.float64)


def _lead(score: Float64, inside: Bool, best: Int, line_bins: int) -> Float64:
    """Return the best score less the best one at other slips of the interval, 0 at least."""
    away = np.abs(np.arange(score.shape[-1]) - best[:, None]) > 3 * line_bins + 3
    return np.asarray(pick(score, best) - np.where(away & inside, score, 0.0).max(axis=-1))


def _is_skirt(power: Float64, usable: Bool, best: Int, distances: Int) -> Bool:
    """Return whether the best line is the skirt of a higher one among the bins left out.

    Parameters
    ----------
    power, usable : ndarray, shape (batch, width)
        Of the order whose line is highest.
    best : ndarray of int, shape (batch,)
        Column of the line.
    distances : ndarray of int
        So many columns to either side of it are compared.
    """
    width = power.shape[-1]
    near = best[:, None] + np.concatenate([-distances, [0], distances])
    inside = (near >= 0) & (near < width)
    near = np.clip(near, 0, width - 1)
    power, used = pick_several(power, near), pick_several(usable, near)
    left_out = np.where(inside & ~used, power, 0.0).max(axis=-1)
    return np.asarray(left_out > np.where(inside & used, power, 0.0).max(axis=-1))


def _slip(power: Float64, excess: Float64, search: _Search, best: Int, df_hz: float) -> Float64:
    """Return the slip at the centre of the lines around the best column, shape (batch,).

    A speed that swings spreads a line into pairs of sidebands; their centre is the mean speed.
    Those at the end of the reach count both or not at all.
    """
    middle = _comb_middle(power.sum(axis=1), best, 2 * search.low_bins, search.bars_per_pair)
    rows = np.arange(len(middle))
    order = np.argmax(excess[rows, :, middle], axis=-1)
    line_bins = max(1, round(LINE_HZ / df_hz))
    reach_bins = max(line_bins + 1, round(2 / df_hz))  # a swinging speed spreads a line by 2 Hz
    spacing = 2 * (search.low_bins + middle / search.bars_per_pair)
    limit = np.where(np.abs(spacing / reach_bins - 1) < 0.25, 1.5 * spacing, reach_bins)
    offsets = np.arange(-2 * reach_bins, 2 * reach_bins + 1)
    near = np.clip(middle[:, None] + offsets, 0, power.shape[-1] - 1)
    weight = pick_several(power[rows, order], near)
    weight = np.where(np.abs(offsets) <= limit[:, None], weight, 0.0)
    weight = np.where(weight > 0.05 * weight.max(axis=-1, keepdims=True), weight, 0.0)
    centre = (near * weight).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1e-30)
    rounding = (np.round(search.top_bins) - search.top_bins)[rows, order]
    return np.asarray(search.low + (centre - rounding) / search.bins_per_slip, np.float64)


def _comb_middle(power: Float64, best: Int, offset: Float64, ratio: Float64) -> Int:
    """Return the middle of the comb at twice slip frequency to which the strongest line belongs.

    The middle is where lines of equal distance are alike. A comb of middle c (bins from the least
    slip) has lines every `offset + 2 c / ratio` bins, so each candidate has its own spacing.

    Parameters
    ----------
    power : ndarray, shape (batch, width)
        Power of all orders together by bin, slip rising.
    best : ndarray of int, shape (batch,)
        Strongest line.
    offset : ndarray, shape (batch,)
        Twice the least slip's frequency, in bins.
    ratio : ndarray, shape (batch,)
        Rotor bars over pole pairs.
    """
    steps = np.array([0, *(k for n in range(1, SIDEBANDS + 1) for k in (-n, n))])
    shrink = 1 - 2 * steps / ratio[:, None]
    middle = (best[:, None] + steps * offset[:, None]) / np.where(shrink > 0.1, shrink, np.inf)
    spacing = offset[:, None] + 2 * middle / ratio[:, None]
    blunt = power.copy()
    np.maximum(blunt[:, 1:], power[:, :-1], out=blunt[:, 1:])
    np.maximum(blunt[:, :-1], power[:, 1:], out=blunt[:, :-1])
    lines = np.arange(-SIDEBANDS, SIDEBANDS + 1)
    index = np.round(middle[..., None] + lines * spacing[..., None]).astype(int)
    inside = (index >= 0) & (index < blunt.shape[-1])
    index = np.where(inside, index, 0).reshape(len(power), -1)
    level = np.where(inside, pick_several(blunt, index).reshape(inside.shape), 0.0)
    below, above = level[..., SIDEBANDS - 1 :: -1], level[..., SIDEBANDS + 1 :]
    total = level[..., SIDEBANDS] + 2 * np.minimum(below, above).sum(axis=-1)
    nearest = np.round(pick(middle, np.argmax(total, axis=-1))).astype(int)
    return np.asarray(np.clip(nearest, 0, power.shape[-1] - 1), np.int64)


def _power_at(band: SlotBand, index: Int) -> Float64:
    """Return the power at bins of the whole spectrum, (batch, orders, width)."""
    rows, width = band.power.shape
    index = np.minimum(np.maximum(index - band.first[:, None, None], 1), width - 2)
    index += width * np.arange(rows)[:, None, None]
    return band.power.take(index).astype(np.float64)


def _floor(power: Float64, block: int) -> Float64:
    """Return the mean power of noise in blocks along the last axis, spread back over them.

    From their medians, which lines hardly move. Infinite powers are left out; if fewer than
    three are left the floor is infinite.
    """
    batch, orders, width = power.shape
    blocks = max(1, width // block)
    size = -(-width // blocks)
    padded = np.full((batch, orders, blocks * size), np.inf)
    padded[..., :width] = power
    parts = np.sort(padded.reshape(batch, orders, blocks, size), axis=-1)
    valid = (parts < np.inf).sum(axis=-1)
    middle = np.maximum(valid - 1, 0) // 2
    median = pick(parts.reshape(-1, size), middle.reshape(-1)).reshape(valid.shape) / np.log(2)
    median = np.where(valid >= 3, median, np.inf)
    return np.asarray(np.repeat(median, size, axis=-1)[..., :width])
