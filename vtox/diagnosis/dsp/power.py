"""Power at the terminals: phasors of the supply line and its harmonics as IEEE 1459 combines them.

Three wires, no neutral: what the phases have in common drives no current and counts nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from vtox.diagnosis.dsp.partial_fft import Spectra
from vtox.diagnosis.dsp.symmetrical_components import FORTESCUE
from vtox.values.arrays import TINY, Complex, Float64, Int

# Orders that count as distortion, IEC 61000-4-7 and IEC 61000-4-30.
ORDERS = np.arange(2, 41)
# Orders that are told one by one: those of six-pulse rectifiers.
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
    line; harmonics, shape (batch, 4), are those of `TOLD` over it, all phases together. Without
    voltages what needs them is NaN.
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

    Every figure is a sum of products of two phasors, so the products of all pairs come first.
    """
    if v is None or harmonics_v is None:
        current = _level(_products(i) / i.shape[-1], _products(harmonics_i), harmonics_i, "current")
        return TerminalPower(
            **dict.fromkeys(_OF_VOLTAGES, np.full(len(i), np.nan)),
            voltage_harmonics=np.full((len(i), len(TOLD)), np.nan),
            **current.columns,
            current_a=current.effective,
            positive_a=current.positive,
            negative_a=current.negative,
        )
    line = _products(np.concatenate([i, v], axis=1)) / i.shape[-1]
    distortion = _products(np.concatenate([harmonics_i, harmonics_v], axis=1))
    current = _level(line[:, :3, :3], distortion[:, :3, :3], harmonics_i, "current")
    voltage = _level(line[:, 3:, 3:], distortion[:, 3:, 3:], harmonics_v, "voltage")
    one, two = (3 * _sequence(line[:, 3:, :3], k) for k in (1, 2))
    positive_w, negative_w = (np.asarray(p.real, np.float64) for p in (one, two))
    across = distortion[:, 3:, :3]
    harmonic_w = np.trace(across, axis1=1, axis2=2).real - across.sum(axis=(1, 2)).real / 3
    active_w = positive_w + negative_w + harmonic_w
    apparent_va = 3 * voltage.effective * current.effective
    at_line_va = 3 * voltage.at_line * current.at_line
    return TerminalPower(
        active_w=active_w,
        reactive_var=np.asarray(one.imag, np.float64),
        apparent_va=apparent_va,
        distortion_va=np.sqrt(np.maximum(apparent_va**2 - at_line_va**2, 0)),
        power_factor=active_w / np.maximum(apparent_va, TINY),
        displacement_factor=positive_w / np.maximum(np.abs(one), TINY),
        positive_w=positive_w,
        negative_w=negative_w,
        harmonic_w=harmonic_w,
        voltage_v=np.sqrt(3) * voltage.effective,
        positive_v=voltage.positive,
        negative_v=voltage.negative,
        **voltage.columns,
        current_a=current.effective,
        positive_a=current.positive,
        negative_a=current.negative,
        **current.columns,
    )


@dataclass(frozen=True, slots=True)
class _Level:
    """Rms of currents or voltages without what the phases have in common, shape (batch,)."""

    positive: Float64
    negative: Float64
    at_line: Float64
    effective: Float64
    columns: dict[str, Float64]


def _products(x: Complex) -> Complex:
    """Return the products of all pairs of channels, rms, summed over the last axis."""
    wide = x.astype(np.complex128, copy=False)
    return np.asarray(wide @ wide.conj().swapaxes(1, 2) / 2)


def _sequence(products: Complex, k: int) -> Complex:
    """Return the product of one sequence of two quantities, of those of their phases."""
    turn = FORTESCUE[k]
    return np.asarray(products @ turn.conj() @ turn)


def _level(line: Complex, distortion: Complex, harmonics: Complex, name: str) -> _Level:
    """Return the levels of one quantity from the products of its three phases with each other."""
    positive, negative = (np.maximum(_sequence(line, k).real, 0) for k in (1, 2))
    at_line = positive + negative
    common = distortion.sum(axis=(1, 2)).real / 3
    beyond = np.maximum(np.trace(distortion, axis1=1, axis2=2).real - common, 0) / 3
    told = harmonics[:, :, _TOLD_AT]
    told = told - told.mean(axis=1, keepdims=True)
    by_order = (told.real**2 + told.imag**2).sum(axis=1) / 6
    square = np.diagonal(line, axis1=1, axis2=2).real
    if name == "voltage":
        pairs = np.diagonal(np.roll(line, -1, axis=2), axis1=1, axis2=2).real
        square = square + np.roll(square, -1, axis=1) - 2 * pairs
    level = np.sqrt(np.maximum(square, 0))
    mean = np.maximum(level.mean(axis=1), TINY)
    divisor = np.maximum(at_line, TINY)
    columns = {
        f"{name}_unbalance": np.sqrt(negative / np.maximum(positive, TINY)),
        f"{name}_unbalance_nema": np.abs(level - mean[:, None]).max(axis=1) / mean,
        f"{name}_thd": np.sqrt(beyond / divisor),
        f"{name}_harmonics": np.sqrt(by_order / divisor[:, None]),
    }
    effective = np.sqrt(at_line + beyond)
    return _Level(np.sqrt(positive), np.sqrt(negative), np.sqrt(at_line), effective, columns)


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
