"""Slip from the rotor slot harmonics of the current: the sharpest estimate without a sensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vtox.arrays import Complex, Float64, Int

# Supply harmonics nu of f (R (1-s)/p + nu); which of them a rotor shows depends on R and p.
ORDERS = (-5, -3, -1, 1, 3, 5)
# Supply harmonics themselves are left out: their skirt is this wide, at least so many bins.
HARMONIC_HZ = 1.0
HARMONIC_BINS = 4
# Main lobe of a harmonic in bins: within it of the harmonic nothing is told from it.
HARMONIC_GUARD = 3
# The speed of a loaded rotor wanders; at 14 times the supply frequency a line is about this wide.
LINE_HZ = 0.3
SWING_HZ = 2.0
# The floor is a median over so much, of which a line of five bins must be a small part.
FLOOR_HZ = 8.0
FLOOR_BINS = 24
# A damaged cage swings the speed at 2sf: a line becomes a comb of that spacing, of which a sideband
# may be the strongest. So many to either side tell the middle: measured with cages of -36 to
# -28 dBc and light rotors, without this 11 % of the records had their slip wrong.
SIDEBANDS = 3


@dataclass(frozen=True, slots=True)
class Band:
    """The stretch of each spectrum in which slot harmonics may lie."""

    spectrum: Complex  # (batch, channels, width), one-sided, rectangular window
    first: Int  # (batch,) bin of the whole spectrum at which each stretch begins
    bins: int  # of the whole spectrum, as far as it is looked at
    df_hz: float


@dataclass(frozen=True, slots=True)
class SlotLines:
    """Where slot harmonics agree best; arrays of shape (batch,)."""

    slip: Float64
    half: Float64  # half width of the slip estimate
    score: Float64  # sum over the orders of log(1 + power over floor), less log 2 per order
    lead: Float64  # score above the best one elsewhere in the interval
    strongest: Float64  # power over floor of the strongest line


def reach(
    f0_hz: Float64, bars_per_pair: Float64, largest_slip: float, df_hz: float, bins: int
) -> tuple[Int, int]:
    """Return where slot harmonics may lie: the first bin of each recording, and how many follow.

    Parameters
    ----------
    f0_hz, bars_per_pair : ndarray, shape (batch,)
        As for `slot_harmonics`.
    largest_slip : float
        Slips from 0 to this are provided for.
    df_hz : float
        Width of a bin, Hz.
    bins : int
        Number of bins there are.

    Returns
    -------
    first : ndarray of int, shape (batch,)
    width : int
        The widest stretch; 0 where no number of bars is known.
    """
    known = np.isfinite(bars_per_pair)
    ratio = np.where(known, bars_per_pair, 0.0)
    low = f0_hz * (ratio * (1 - largest_slip) + ORDERS[0]) / df_hz
    high = f0_hz * (ratio + ORDERS[-1]) / df_hz
    first = np.clip(np.floor(low).astype(int) - 4, 0, bins - 3)  # a line has two neighbours
    last = np.clip(np.ceil(high).astype(int) + 4, 3, bins)
    return first, int(np.max(np.where(known, last - first, 0), initial=0))


def joined(bands: Sequence[Band]) -> Band:
    """Return the bands of several batches as those of one, as wide as the widest."""
    parts = [b.spectrum for b in bands]
    width = max(p.shape[-1] for p in parts)
    spectrum = np.zeros((sum(map(len, parts)), *parts[0].shape[1:-1], width), parts[0].dtype)
    row = 0
    for part in parts:
        spectrum[row : row + len(part), :, : part.shape[-1]] = part
        row += len(part)
    first = np.concatenate([b.first for b in bands])
    return Band(spectrum, first, bands[0].bins, bands[0].df_hz)


def slot_harmonics(
    band: Band, f0_hz: Float64, bars_per_pair: Float64, low: Float64, high: Float64
) -> SlotLines:
    """Return the slip at which lines stand at f (R (1-s)/p + nu) for most of the odd nu.

    Parameters
    ----------
    band : Band
        Spectra of the currents, as far as `reach` says.
    f0_hz : ndarray, shape (batch,)
        Supply frequency, weighted as the Hann window weights the lines (`supply.frequencies_hz`).
    bars_per_pair : ndarray, shape (batch,)
        Rotor bars over pole pairs, R/p; NaN where unknown, which scores 0.
    low, high : ndarray, shape (batch,)
        Slip interval searched.

    Returns
    -------
    SlotLines

    References
    ----------
    Nandi, Ahmed, Toliyat 2001, IEEE TEC 16(3):253-260; Hurst, Habetler 1996, IEEE TPEL 11(1):66.
    """
    df_hz = band.df_hz
    known = np.isfinite(bars_per_pair) & np.isfinite(low) & np.isfinite(high)
    ratio = np.where(known, bars_per_pair, 1.0)
    low = np.where(known, low, 0.0)
    high = np.where(known, np.maximum(low, high), 0.0)
    per_slip = f0_hz * ratio / df_hz  # bins per unit of slip
    count = np.ceil(per_slip * (high - low)).astype(int) + 1
    width = int(count.max())
    orders = np.array(ORDERS)
    top = f0_hz[:, None] * (ratio * (1 - low))[:, None] + f0_hz[:, None] * orders
    # Slip rises with the index: the lines move down.
    index = np.round(top / df_hz).astype(int)[:, :, None] - np.arange(width)
    order_of = index * df_hz / f0_hz[:, None, None]
    apart_hz = np.abs(order_of - np.round(order_of)) * f0_hz[:, None, None]
    usable = (
        (np.arange(width) < count[:, None, None])
        & (index > 1)
        & (index < band.bins - 1)
        & (apart_hz > max(HARMONIC_HZ, HARMONIC_BINS * df_hz))
    )
    within = index - band.first[:, None, None]
    within = np.minimum(np.maximum(within, 1), band.spectrum.shape[-1] - 2)
    raw = _hann_power(band.spectrum, within)
    power = np.where(usable, raw, np.inf)
    floor = _floor(power, max(FLOOR_BINS, round(FLOOR_HZ / df_hz)))
    smooth = max(1, round(LINE_HZ / df_hz))
    seen = usable & (floor < np.inf)
    excess = np.where(seen, power, 0.0) / floor
    if smooth > 1:
        excess = np.where(seen, _moving(excess, smooth), 0.0)
    gain = np.log1p(excess) - np.log(2) * seen
    score = np.where(known[:, None], gain.sum(axis=1), 0.0)
    best = np.argmax(score, axis=-1)
    rows = np.arange(len(best))
    # A line too near a harmonic to be used leaves its skirt beside the stretch left out.
    blind = max(1, round(max(HARMONIC_HZ, HARMONIC_BINS * df_hz) / df_hz) - HARMONIC_GUARD)
    beyond = np.arange(smooth // 2 + 2, blind + 1)  # what lies nearer is within the half width
    skirt = _skirt(raw, usable, best, np.argmax(excess[rows, :, best], axis=-1), beyond)
    away = np.abs(np.arange(width) - best[:, None]) > 3 * smooth + 3
    runner_up = np.where(away & (np.arange(width) < count[:, None]), score, 0.0).max(axis=-1)
    score_best, strongest = np.where(skirt, 0.0, score[rows, best]), excess[rows, :, best].max(-1)
    lead = score[rows, best] - runner_up
    best = _middle(np.where(usable, raw, 0.0).sum(axis=1), best, 2 * f0_hz * low / df_hz, ratio)
    # A speed that swings spreads a line into pairs of sidebands; their centre is the mean speed.
    # Those at the end of the reach count both or not at all.
    reach = max(smooth + 1, round(SWING_HZ / df_hz))
    spacing = 2 * (f0_hz * low / df_hz + best / ratio)
    limit = np.where(np.abs(spacing / reach - 1) < 0.25, 1.5 * spacing, reach)[:, None]
    offsets = np.arange(-2 * reach, 2 * reach + 1)
    near = np.clip(best[:, None] + offsets, 0, width - 1)
    lead_order = np.argmax(excess[rows, :, best], axis=-1)
    pull = np.take_along_axis(np.where(usable, raw, 0.0)[rows, lead_order], near, axis=-1)
    pull = np.where(np.abs(offsets) <= limit, pull, 0.0)
    pull = np.where(pull > 0.05 * pull.max(axis=-1, keepdims=True), pull, 0.0)
    centre = (near * pull).sum(axis=-1) / np.maximum(pull.sum(axis=-1), 1e-30)
    offset = np.round(top / df_hz) - top / df_hz  # rounding of the first bin, per order
    slip = low + (centre - offset[rows, lead_order]) / per_slip
    return SlotLines(
        slip=np.asarray(slip, np.float64),
        half=np.asarray((0.5 + 0.5 * smooth) / per_slip, np.float64),
        score=score_best,
        lead=lead,
        strongest=strongest,
    )


def _skirt(
    raw: Float64, usable: npt.NDArray[np.bool_], best: Int, order: Int, beyond: Int
) -> npt.NDArray[np.bool_]:
    """Return where what was found is the skirt of a stronger line among the bins left out."""
    rows, width = np.arange(len(best))[:, None], raw.shape[-1]
    near = best[:, None] + np.concatenate([-beyond, [0], beyond])
    inside = (near >= 0) & (near < width)
    near = np.clip(near, 0, width - 1)
    power, used = raw[rows, order[:, None], near], usable[rows, order[:, None], near]
    hidden = np.where(inside & ~used, power, 0.0).max(axis=-1)
    return np.asarray(hidden > np.where(inside & used, power, 0.0).max(axis=-1))


def _middle(power: Float64, best: Int, offset: Float64, ratio: Float64) -> Int:
    """Return the middle of the comb at twice slip frequency to which the strongest line belongs.

    The middle is where lines of equal distance are alike. A comb of middle c (bins from the least
    slip) has lines every `offset + 2 c / ratio` bins, so each candidate knows its own spacing.

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
    padded = np.pad(power, ((0, 0), (1, 1)))
    blunt = np.maximum(padded[:, 1:-1], np.maximum(padded[:, 2:], padded[:, :-2]))

    def at(place: Float64) -> Float64:
        index = np.round(place).astype(int)
        inside = (index >= 0) & (index < blunt.shape[-1])
        found = np.take_along_axis(blunt, np.where(inside, index, 0), axis=-1)
        return np.asarray(np.where(inside, found, 0.0), np.float64)

    total = at(middle)
    for k in range(1, SIDEBANDS + 1):
        total += 2 * np.minimum(at(middle - k * spacing), at(middle + k * spacing))
    pick = np.argmax(total, axis=-1)[:, None]
    found = np.round(np.take_along_axis(middle, pick, axis=-1)[:, 0]).astype(int)
    return np.asarray(np.clip(found, 0, power.shape[-1] - 1), np.int64)


def _hann_power(spectrum: Complex, index: npt.NDArray[np.int64]) -> Float64:
    """Return the Hann-windowed power, summed over channels, at bins (batch, orders, width)."""
    batch, orders, width = index.shape
    flat = index.reshape(batch, 1, orders * width)
    middle, below, above = (np.take_along_axis(spectrum, flat + k, axis=-1) for k in (0, -1, 1))
    hann = middle / 2 - (below + above) / 4
    power = np.sum(hann.real**2 + hann.imag**2, axis=1)
    return np.asarray(power.reshape(batch, orders, width), np.float64)


def _floor(power: Float64, block: int) -> Float64:
    """Return the mean power of noise in blocks along the last axis, spread back over them.

    From their medians, which lines do not move. Infinite powers are left out; where fewer than
    three are left the floor is infinite.
    """
    batch, orders, width = power.shape
    blocks = max(1, width // block)
    size = -(-width // blocks)
    padded = np.full((batch, orders, blocks * size), np.inf)
    padded[..., :width] = power
    parts = np.sort(padded.reshape(batch, orders, blocks, size), axis=-1)
    valid = (parts < np.inf).sum(axis=-1, keepdims=True)
    median = np.take_along_axis(parts, np.maximum(valid - 1, 0) // 2, axis=-1) / np.log(2)
    median = np.where(valid >= 3, median, np.inf)
    return np.asarray(np.repeat(median[..., 0], size, axis=-1)[..., :width])


def _moving(x: Float64, width: int) -> Float64:
    """Return the mean of `x` over `width` neighbours, zero beyond its ends."""
    left = width // 2
    padded = np.zeros((*x.shape[:-1], x.shape[-1] + width))
    padded[..., left + 1 : left + 1 + x.shape[-1]] = x
    total = np.cumsum(padded, axis=-1)
    return np.asarray((total[..., width:] - total[..., :-width]) / width)
