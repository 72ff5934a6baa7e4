"""Power at the terminals: phasors of the supply line and its harmonics as IEEE 1459 combines them.

Three wires, no neutral: what the phases have in common drives no current and counts nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from vtox.diagnosis.dsp.partial_fft import Spectra
from vtox.diagnosis.dsp.symmetrical_components import FORTESCUE
from vtox.values.arrays import TINY, Complex, Float64, Int

# Orders that count as distortion, IEC 61000-4-7 and IEC 61000-4-30.
ORDERS = np.arange(2, 41)
# Orders that are reported one by one: those of six-pulse rectifiers.
TOLD = (5, 7, 11, 13)
_TOLD_AT = [order - int(ORDERS[0]) for order in TOLD]


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPower:
    """What currents and voltages at the terminals are, columns of shape (batch,).

    RMS values of the supply line and its harmonics up to the 40th. `voltage_v` is the effective
    voltage between lines and `current_a` the effective current (IEEE 1459-2010, 3.2.2.8),
    `positive_a` and `negative_a` the sequences of the current, `positive_v` and `negative_v` those
    of the phase voltage. `positive_w`, `negative_w`, `harmonic_w` add up to `active_w`. Unbalance
    is negative over positive sequence, by NEMA (MG 1, 14.36) the largest deviation of a phase (of
    voltages: between lines) from the mean of the three, over it. `thd` is distortion over supply
    line; harmonics, shape (batch, 4), have the orders of `TOLD` over it, all phases together.
    Without voltages what needs them is NaN.
    """

    active_w: Float64
    reactive_var: Float64
    apparent_va: Float64
    distortion_va: Float64
    power_factor: Float64
    displacement_factor: Float64
    positive_w: Float64
    negative_w: Float64
    harmonic_w: Float64
    voltage_v: Float64
    positive_v: Float64
    negative_v: Float64
    voltage_unbalance: Float64
    voltage_unbalance_nema: Float64
    voltage_thd: Float64
    voltage_harmonics: Float64
    current_a: Float64
    positive_a: Float64
    negative_a: Float64
    current_unbalance: Float64
    current_unbalance_nema: Float64
    current_thd: Float64
    current_harmonics: Float64

    def select(self, rows: Int) -> "TerminalPower":
        """Return the columns of some records."""
        return TerminalPower(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def concatenate(parts: Sequence[TerminalPower]) -> TerminalPower:
    """Return the columns of several batches as those of one."""
    names = [f.name for f in fields(TerminalPower)]
    return TerminalPower(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


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
        Peak values by `ORDERS`, zero above half the sampling rate. The phase is right between
        channels, not between orders.
    """
    df_hz = fs_hz / spectra.samples
    lines = np.multiply.outer(f0_hz / df_hz, ORDERS)
    seen = lines < spectra.bins - 2
    orders = int(seen.any(axis=0).sum())
    if not orders:
        return np.zeros((*spectra.parts.shape[:2], len(ORDERS)), spectra.parts.dtype)
    lines, seen = lines[:, :orders], seen[:, :orders]
    nearest = np.where(seen, np.rint(lines), 2).astype(np.int64)
    beside = np.where(seen, lines - nearest, 0.0)
    height = np.sinc(beside) / (1 - beside**2) * spectra.samples / 4
    weight = (np.where(seen, 0.5 / height, 0.0)).astype(np.float32)[:, None]
    below, at, above = (spectra.some(nearest + k) for k in (-1, 0, 1))
    found = (at - (below + above) * np.float32(0.5)) * weight
    missing = len(ORDERS) - orders
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


def terminal_power(
    i: Complex,
    v: Complex | None,
    harmonics_i: Complex,
    harmonics_v: Complex | None,
) -> TerminalPower:
    """Return what the phasors of three phases make at the terminals.

    Parameters
    ----------
    i, v : ndarray of complex, shape (batch, 3, frames)
        Peak phasors of the supply line, phases in the order in which they follow each other.
    harmonics_i, harmonics_v : ndarray of complex, shape (batch, 3, orders)
        Peak phasors by `ORDERS`, of the whole record.

    Notes
    -----
    IEEE 1459-2010: the effective values of three wires (3.2.2.8), apparent power 3 Ve Ie, the
    fundamental part of it, and distortion power the rest: SeN^2 = Se^2 - Se1^2. Active power is the
    mean of every frame, so that a load that moves within the record counts rightly. Reactive power
    is that of the positive sequence of the supply line, positive where the current lags.

    Every figure is a sum of products of two phasors, so the products of all pairs come first, and
    weights (`_AT_LINE`) make of them the squares of each quantity.
    """
    if v is None or harmonics_v is None:
        of_currents = terminal_power(i, np.zeros_like(i), harmonics_i, np.zeros_like(harmonics_i))
        unknown = dict.fromkeys(_OF_VOLTAGES, np.full(len(i), np.nan))
        return replace(
            of_currents, **unknown, voltage_harmonics=np.full((len(i), len(TOLD)), np.nan)
        )
    line = _products(np.concatenate([i, v], axis=1)) @ _AT_LINE / i.shape[-1]
    # Without what the phases have in common.
    own = np.stack([harmonics_i, harmonics_v], axis=1)
    own -= own.sum(axis=2, keepdims=True) * np.float32(1 / 3)
    parts = own.reshape(len(i), 2, -1).view(own.real.dtype).astype(np.float64)
    beyond = np.einsum("bqn,bqn->qb", parts, parts) / 6
    harmonic_w = np.einsum("bn,bn->b", parts[:, 0], parts[:, 1]) / 2
    # Current and voltage next to each other from here on: (2, batch).
    squares = line.real.T
    positive, negative = np.maximum(squares[:4], 0).reshape(2, 2, -1)
    at_line = positive + negative
    effective_a, effective_phase_v = np.sqrt(at_line + beyond)
    one, two = line[:, 4:6].T
    positive_w, negative_w = one.real.copy(), two.real.copy()
    active_w = positive_w + negative_w + harmonic_w
    apparent_va = 3 * effective_phase_v * effective_a
    at_line_va2 = 9 * at_line[0] * at_line[1]
    divisor = np.maximum(at_line, TINY)
    unbalance = np.sqrt(negative / np.maximum(positive, TINY))
    thd = np.sqrt(beyond / divisor)
    level = np.sqrt(np.maximum(squares[6:], 0)).reshape(2, 3, -1)
    mean = np.maximum(level.mean(axis=1), TINY)
    nema = np.abs(level - mean[:, None]).max(axis=1) / mean
    told = own[..., _TOLD_AT]
    by_order = (told.real**2 + told.imag**2).sum(axis=2) / (6 * divisor.T[:, :, None])
    shares = np.sqrt(by_order)
    (positive_a, positive_v), (negative_a, negative_v) = np.sqrt([positive, negative])
    return TerminalPower(
        active_w=active_w,
        reactive_var=one.imag.copy(),
        apparent_va=apparent_va,
        distortion_va=np.sqrt(np.maximum(apparent_va**2 - at_line_va2, 0)),
        power_factor=active_w / np.maximum(apparent_va, TINY),
        displacement_factor=positive_w / np.maximum(np.abs(one), TINY),
        positive_w=positive_w,
        negative_w=negative_w,
        harmonic_w=harmonic_w,
        voltage_v=np.sqrt(3) * effective_phase_v,
        positive_v=positive_v,
        negative_v=negative_v,
        voltage_unbalance=unbalance[1],
        voltage_unbalance_nema=nema[1],
        voltage_thd=thd[1],
        voltage_harmonics=shares[:, 1],
        current_a=effective_a,
        positive_a=positive_a,
        negative_a=negative_a,
        current_unbalance=unbalance[0],
        current_unbalance_nema=nema[0],
        current_thd=thd[0],
        current_harmonics=shares[:, 0],
    )


def _products(x: Complex) -> Complex:
    """Return the products of all pairs of six channels, rms, summed over the last axis: (B, 36)."""
    wide = x.astype(np.complex128, copy=False)
    return np.asarray((wide @ wide.conj().swapaxes(1, 2) / 2).reshape(len(x), 36))


def _weights(row: int, column: int, of_pairs: Complex | Float64) -> Complex:
    """Return weights of three phases by three, put to their place among six by six channels."""
    table = np.zeros((6, 6), complex)
    table[row : row + 3, column : column + 3] = of_pairs
    return table.ravel()


def _level_weights() -> list[Complex]:
    """Return what makes the squares of currents, and of voltages between lines."""
    one = np.eye(3)
    lines = [one[k] - one[k - 2] for k in range(3)]
    return [
        *(_weights(0, 0, np.outer(one[k], one[k])) for k in range(3)),
        *(_weights(3, 3, np.outer(x, x)) for x in lines),
    ]


_ONE, _TWO = (np.outer(FORTESCUE[k], FORTESCUE[k].conj()) for k in (1, 2))
# Positive sequence of currents and voltages, then negative; power of both; levels of channels.
_AT_LINE = np.stack(
    [
        *(_weights(at, at, own) for own in (_ONE, _TWO) for at in (0, 3)),
        *(3 * _weights(3, 0, own) for own in (_ONE, _TWO)),
        *_level_weights(),
    ],
    axis=1,
)
_OF_VOLTAGES = (
    "active_w",
    "reactive_var",
    "apparent_va",
    "distortion_va",
    "power_factor",
    "displacement_factor",
    "positive_w",
    "negative_w",
    "harmonic_w",
    "voltage_v",
    "positive_v",
    "negative_v",
    "voltage_unbalance",
    "voltage_unbalance_nema",
    "voltage_thd",
)
