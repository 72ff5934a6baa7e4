"""Power at the terminals: phasors of the supply line and its harmonics as IEEE 1459 combines them.

Three wires, no neutral: what the phases have in common drives no current and counts nowhere.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from vtox.diagnosis.dsp.partial_fft import Spectra
from vtox.diagnosis.dsp.symmetrical_components import FORTESCUE
from vtox.values.arrays import TINY, Complex, Float64
from vtox.values.energy import FIGURES

# Orders that count as distortion, IEC 61000-4-7 and IEC 61000-4-30.
_ORDERS = np.arange(2, 41)
# Orders that are reported one by one: those of six-pulse rectifiers.
TOLD = (5, 7, 11, 13)
_PI = np.float32(np.pi)
_SQRT_3 = np.sqrt(3.0)
_TOLD_AT = [order - int(_ORDERS[0]) for order in TOLD]


# Rows of a table, as `FIGURES` has them. Those of currents and of voltages follow each other in the
# same order, so that both are computed at once.
_ROWS = {name: row for row, name in enumerate(FIGURES[1 : FIGURES.index("load_ratio")])}
_PAIRS_AT, _HARMONICS_AT = _ROWS["current_a"], _ROWS["current_harmonic_5"]


@dataclass(frozen=True, slots=True)
class TerminalPower:
    """What currents and voltages at the terminals are: rows by `FIGURES`, of length batch.

    RMS values of the supply line and its harmonics up to the 40th. `voltage_v` is the effective
    voltage between lines and `current_a` the effective current (IEEE 1459-2010, 3.2.2.8),
    `positive_a` and `negative_a` the sequences of the current, `positive_v` and `negative_v` those
    of the phase voltage. `positive_w`, `negative_w`, `harmonic_w` add up to `active_w`. Unbalance
    is negative over positive sequence, by NEMA (MG 1, 14.36) the largest deviation of a phase (of
    voltages: between lines) from the mean of the three, over it. `thd` is distortion over supply
    line; harmonics are those of `TOLD` over it, all phases together. Without voltages what needs
    them is NaN.
    """

    table: Float64  # (figures, batch)

    def __getattr__(self, name: str) -> Float64:
        if name not in _ROWS:
            raise AttributeError(name)
        return np.asarray(self.table[_ROWS[name]])

    @classmethod
    def of_sums(cls, sums: Float64) -> "TerminalPower":
        """Return what the terminals take, by the sums of `power_sums`.

        Notes
        -----
        IEEE 1459-2010: the effective values of three wires (3.2.2.8), apparent power 3 Ve Ie, the
        fundamental part of it, and distortion power the rest: SeN^2 = Se^2 - Se1^2. Active power is
        the mean of every frame, so that a load that moves within the record counts rightly.
        Reactive power is that of the positive sequence of the supply line, positive where the
        current lags.
        """
        of, batch = sums.T, len(sums)
        table = np.empty((len(_ROWS), batch))
        one_w, one_var, two_w, harmonic_w = of[_POWERS_AT : _POWERS_AT + 4]
        # Currents and voltages next to each other from here on: (2, batch).
        roots = np.sqrt(np.maximum(of, 0, order="C"))
        at_line, beyond = roots[4:6], roots[_BEYOND_AT + 1 : _SHARES_AT]
        pairs = table[_PAIRS_AT:_HARMONICS_AT].reshape(2, 6, batch)
        np.hypot(at_line, beyond, out=pairs[:, 0])
        apparent_va = 3 * pairs[0, 0] * pairs[1, 0]
        pairs[1, 0] *= _SQRT_3
        pairs[:, 1:3] = roots[:4].reshape(2, 2, batch).swapaxes(0, 1)
        np.divide(pairs[:, 2], np.maximum(pairs[:, 1], TINY), out=pairs[:, 3])
        three = roots[6:_POWERS_AT].reshape(3, 2, batch)
        mean = np.maximum((three[0] + three[1] + three[2]) / 3, TINY)
        np.divide(np.abs(three - mean).max(axis=0), mean, out=pairs[:, 4])
        divisor = np.maximum(at_line, TINY)
        np.divide(beyond, divisor, out=pairs[:, 5])
        shares = roots[_SHARES_AT:].reshape(2, len(TOLD), batch)
        np.divide(shares, divisor[:, None], out=table[_HARMONICS_AT:].reshape(shares.shape))
        active_w = one_w + two_w + harmonic_w
        table[:3] = active_w, one_var, apparent_va
        table[6:9] = one_w, two_w, harmonic_w
        apart = apparent_va**2 - (3 * at_line[0] * at_line[1]) ** 2
        np.sqrt(np.maximum(apart, 0), out=table[3])
        np.divide(active_w, np.maximum(apparent_va, TINY), out=table[4])
        np.divide(one_w, np.maximum(np.hypot(one_w, one_var), TINY), out=table[5])
        return cls(table)


def harmonic_phasors(spectra: Spectra, f0_hz: Float64, fs_hz: float) -> Complex:
    """Return the harmonics of signals, read in their spectrum as a Hann window shows them.

    The window is three bins of the spectrum, 1/2 X[k] - 1/4 (X[k-1] + X[k+1]). Its height d bins
    from a line is sinc(d) / (1 - d^2) of that on it (Harris 1978, Proc. IEEE 66(1):51), by which
    the nearest bin is divided.

    Parameters
    ----------
    spectra : Spectra of shape (batch, channels)
    f0_hz : ndarray, shape (batch,)
    fs_hz : float

    Returns
    -------
    ndarray of complex, shape (batch, channels, orders)
        Peak values of the second to the 40th, zero above half the
        sampling rate. The phase is right between
        channels, not between orders.
    """
    lines = np.multiply.outer(f0_hz * (spectra.samples / fs_hz), _ORDERS)
    last = spectra.bins - 2
    seen = None if lines[:, -1].max() < last else lines < last
    if seen is not None:
        orders = int(np.count_nonzero(seen.any(axis=0)))
        if not orders:
            return np.zeros((*spectra.parts.shape[:2], len(_ORDERS)), spectra.parts.dtype)
        seen = seen[:, :orders]
        lines = np.where(seen, lines[:, :orders], 2.0)
    nearest = np.rint(lines)
    # In bins; zero would divide by zero, the least one has the same weight.
    beside = (lines - nearest).astype(np.float32)
    beside += TINY
    half_turn = beside * _PI
    weight = half_turn * (1 - beside * beside) / np.sin(half_turn)
    weight *= np.float32(2 / spectra.samples)
    if seen is not None:
        weight *= seen
    found, at, above = spectra.around(nearest.astype(np.int64))
    found += above
    found *= np.float32(-0.5)
    found += at
    found *= weight[:, None]
    missing = len(_ORDERS) - found.shape[2]
    return np.pad(found, ((0, 0), (0, 0), (0, missing))) if missing else found


def completed(x: Complex, channels: tuple[int, ...]) -> Complex:
    """Return three phases of two that three wires make: the third is less their sum.

    `x` has the shape (batch, 2, ...), `channels` says which phase each of them is.
    """
    whole = np.empty((len(x), 3, *x.shape[2:]), x.dtype)
    whole[:, channels] = x
    (third,) = {0, 1, 2} - set(channels)
    whole[:, third] = -x.sum(axis=1)
    return whole


def power_sums(phasors: Complex, harmonics: Complex) -> Float64:
    """Return the sums of products of phasors from which `TerminalPower` is made.

    Parameters
    ----------
    phasors : ndarray of complex, shape (batch, 3 or 6, frames)
        Peak phasors of the supply line, three currents, then three voltages if there are; phases in
        the order in which they follow each other.
    harmonics : ndarray of complex64, shape (batch, 3 or 6, orders)
        Peak phasors of the second to the 40th, of the whole record.

    Returns
    -------
    ndarray, shape (batch, sums)
        Mean squares and powers; NaN what needs voltages, where there are none.

    Notes
    -----
    Every figure is a sum of products of two phasors, so the products of all pairs come first, and
    weights (`_weights_of`) make of them the squares of each quantity.
    """
    batch, channels = phasors.shape[:2]
    wide = phasors.astype(np.complex128, copy=False)
    pairs = (wide @ wide.conj().swapaxes(1, 2)).reshape(batch, -1).view(np.float64)
    parts = harmonics.view(harmonics.real.dtype).astype(np.float64)
    beyond = (parts @ parts.swapaxes(1, 2)).reshape(batch, -1)
    told = parts.reshape(batch, -1, 3, len(_ORDERS), 2).take(_TOLD_AT, axis=3)
    told -= told.sum(axis=2, keepdims=True) / 3
    told *= told
    by_order = told.sum(axis=(2, 4)).reshape(batch, -1)
    sums = np.empty((batch, _SUMS))
    at_line, beyond_line = _weights_of(channels)
    np.divide(pairs @ at_line, phasors.shape[-1], out=sums[:, :_BEYOND_AT])
    sums[:, _BEYOND_AT:_SHARES_AT] = beyond @ beyond_line
    sums[:, _SHARES_AT : _SHARES_AT + by_order.shape[1]] = by_order / 6
    if channels == 3:
        sums[:, _NEED_VOLTAGES] = np.nan
    return sums


def _weights(row: int, column: int, of_pairs: Complex | Float64) -> Complex:
    """Return weights of three phases by three, put to their place among six by six channels."""
    table = np.zeros((6, 6), complex)
    table[row : row + 3, column : column + 3] = of_pairs
    return table.ravel()


def _level_weights() -> list[Complex]:
    """Return what makes the squares of currents and of voltages between lines, by phase."""
    one = np.eye(3)
    lines = [one[k] - one[k - 2] for k in range(3)]
    return [
        _weights(at, at, np.outer(x, x)) for k in range(3) for at, x in ((0, one[k]), (3, lines[k]))
    ]


@cache
def _weights_of(channels: int) -> tuple[Float64, Float64]:
    """Return the weights of three channels or six: at the supply line, and of harmonics.

    At the line by real and imaginary parts of the pairs, halved for peak values: positive sequence
    of currents and voltages, negative, and both; levels, by phase of currents and voltages; active
    and reactive power of the positive sequence, active of the negative. Of harmonics by real parts:
    power, and mean squares a phase of currents and voltages.
    """
    one, two = (np.outer(FORTESCUE[k], FORTESCUE[k].conj()) for k in (1, 2))
    of_pairs = np.stack(
        [
            *(_weights(at, at, own) for own in (one, two, one + two) for at in (0, 3)),
            *_level_weights(),
            *(_weights(3, 0, 3 * own) for own in (one, -1j * one, two)),
        ],
        axis=1,
    )
    at_line = of_pairs.view(np.float64).reshape(36, -1, 2).transpose(0, 2, 1) * [[1], [-1]] / 2
    apart = np.eye(3) - 1 / 3
    beyond = np.stack(
        [
            _weights(row, at, apart * w).real.astype(np.float64)
            for row, at, w in ((0, 3, 1 / 2), (0, 0, 1 / 6), (3, 3, 1 / 6))
        ],
        axis=1,
    )
    own = np.arange(36).reshape(6, 6)[:channels, :channels].ravel()
    return at_line[own].reshape(2 * len(own), -1), beyond[own]


# Where the four powers begin, and where what is beyond the line: its power is the last of them.
_POWERS_AT, _BEYOND_AT = 12, _weights_of(6)[0].shape[1]
_SHARES_AT = _BEYOND_AT + _weights_of(6)[1].shape[1]
_SUMS = _SHARES_AT + 2 * len(TOLD)
# Sums of voltages, of power, and shares of voltages.
_NEED_VOLTAGES = [1, 3, 5, 7, 9, 11, 12, 13, 14, 15, 17, 22, 23, 24, 25]
