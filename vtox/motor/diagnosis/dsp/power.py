"""Power at the terminals: phasors of the supply line and its harmonics as IEEE 1459 combines them.

Three wires, no neutral: a voltage common to the phases drives no current and counts nowhere.
"""

from functools import lru_cache

import numpy as np

from vtox.motor.diagnosis.dsp.partial_fft import Spectra
from vtox.motor.diagnosis.dsp.symmetrical_components import FORTESCUE
from vtox.motor.values.arrays import TINY, Complex, Float64
from vtox.motor.values.terminal_power import BEYOND_AT, SHARES_AT, SUMS, TOLD

# Orders that count as distortion, IEC 61000-4-7 and IEC 61000-4-30.
_ORDERS = np.arange(2.0, 41.0)
_PI, _MINUS_HALF = np.float32(np.pi), np.float32(-0.5)


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
    lines = (f0_hz * (spectra.samples / fs_hz))[:, None] * _ORDERS
    last = spectra.bins - 2
    seen = None if np.maximum.reduce(lines[:, -1]) < last else lines < last
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
    parts = found.view(found.real.dtype)
    parts *= _MINUS_HALF
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
        Mean squares and powers; those from voltages are NaN if there are none.

    Notes
    -----
    Every figure is a sum of products of two phasors, so the products of all pairs come first, and
    weights (`_weights_of`) make of them the squares of each quantity.
    """
    batch, channels, frames = phasors.shape
    at_line, beyond, apart, by_order = _weights_of(channels, frames)
    wide = phasors.astype(np.complex128, copy=False)
    pairs = (wide @ wide.conj().swapaxes(1, 2)).reshape(batch, -1).view(np.float64)
    parts = harmonics.view(harmonics.real.dtype).astype(np.float64)
    sums = np.empty((batch, SUMS))
    np.matmul(pairs, at_line, out=sums[:, :BEYOND_AT])
    squares = (parts @ parts.swapaxes(1, 2)).reshape(batch, -1)
    np.matmul(squares, beyond, out=sums[:, BEYOND_AT:SHARES_AT])
    told = parts.reshape(batch, -1).take(_HARMONIC_PARTS[: apart.shape[0]], axis=1) @ apart
    told *= told
    np.matmul(told, by_order, out=sums[:, SHARES_AT : SHARES_AT + by_order.shape[1]])
    if channels == 3:
        sums[:, NEED_VOLTAGES] = np.nan
    return sums


def _weights(row: int, column: int, of_pairs: Complex | Float64) -> Complex:
    """Return weights of three phases by three, put to their place among six by six channels."""
    table = np.zeros((6, 6), complex)
    table[row : row + 3, column : column + 3] = of_pairs
    return table.ravel()


def _level_weights() -> list[Complex]:
    """Return the weights for the squares of currents and of voltages between lines, by phase."""
    one = np.eye(3)
    lines = [one[k] - one[k - 2] for k in range(3)]
    return [
        _weights(at, at, np.outer(x, x)) for k in range(3) for at, x in ((0, one[k]), (3, lines[k]))
    ]


@lru_cache(maxsize=64)
def _weights_of(channels: int, frames: int) -> tuple[Float64, Float64, Float64, Float64]:
    """Return the weights of three channels or six: at the supply line, of harmonics, of `TOLD`.

    At the line they are by real and imaginary parts of the pairs, halved for peak values and over
    so many frames. In order: positive sequence of currents and voltages, negative, and both;
    levels, by phase of currents and voltages; active and reactive power of the positive sequence,
    active of the negative.

    For harmonics they are by real parts: power, and mean squares a phase of currents and voltages.
    For `TOLD` one takes the common part of all phases from each, and one adds the squares.
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
    sides, orders = np.eye(channels // 3), np.eye(len(TOLD))
    of_parts = np.kron(sides, np.kron(apart, np.eye(2 * len(TOLD))))
    by_order = np.kron(sides, np.kron(np.ones((3, 1)), np.kron(orders, np.ones((2, 1))))) / 6
    return at_line[own].reshape(2 * len(own), -1) / frames, beyond[own], of_parts, by_order


# Places of the real and imaginary parts of `TOLD` among those of six channels.
_HARMONIC_PARTS = np.add.outer(
    2 * len(_ORDERS) * np.arange(6),
    [2 * (order - int(_ORDERS[0])) + part for order in TOLD for part in (0, 1)],
).ravel()
# Sums of voltages, of power, and shares of voltages.
NEED_VOLTAGES = [1, 3, 5, 7, 9, 11, 12, 13, 14, 15, 17, 22, 23, 24, 25]
