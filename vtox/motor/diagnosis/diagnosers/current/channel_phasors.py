"""From the spectra and phasors of measured channels to those of three phases."""

import numpy as np

from vtox.motor.diagnosis.diagnosers.current import plausibility
from vtox.motor.diagnosis.dsp import symmetrical_components
from vtox.motor.values.arrays import Complex, Float64, Int


def positive_sequence(at_line: Complex) -> tuple[Int, Int, Complex]:
    """Return signs, order and the weights whose sum over channels is the positive sequence.

    `at_line`, shape (batch, channels), are the bins of one, two or three channels at the supply
    line; the weights have that shape. With two channels the third follows, because the currents of
    a motor without neutral sum to zero; with one the spectrum is its own.
    """
    batch, channels = at_line.shape
    if channels == 1:
        return np.ones((batch, 3), int), np.zeros((batch, 3), int), np.ones((batch, 1), complex)
    if channels == 2:
        at_line = np.concatenate([at_line, -at_line.sum(axis=1, keepdims=True)], axis=1)
    signs, order = symmetrical_components.wiring(at_line)
    weights = symmetrical_components.FORTESCUE[1][np.argsort(order, axis=1)] * signs
    return signs, order, weights[:, :channels] - (weights[:, 2:] if channels == 2 else 0)


def weights_of_supply(weights: Complex, at_line: Complex) -> Complex:
    """Return the weights of the positive sequence, of the first channel if there is none.

    Three currents have none if one of them is in three channels, say: rounding would decide at
    which frequency the supply is, and how large.
    """
    size = np.abs((weights * at_line).sum(axis=1))
    none = size < 1e-5 * np.abs(at_line).max(axis=1)
    first = np.arange(at_line.shape[1]) == 0
    return np.where(none[:, None], first, weights)


def sequences(phasors: Complex, order: Int, signs: Int) -> Complex:
    """Return sequences 0, 1, 2 of the phasors of measured channels, shape (batch, 3, frames)."""
    upright = phasors * signs[..., None]
    return symmetrical_components.components(upright[np.arange(len(upright))[:, None], order])


def supply_levels(
    at_line: Complex, weights: Complex, order: Int, signs: Int, positive_rms: Float64
) -> list[plausibility.Levels]:
    """Return the levels of the supply line in channels, whose bins at it are (B, channels).

    `positive_rms` is that of the channels added up by `weights`. Fewer than three channels have no
    negative sequence.
    """
    size = np.abs(at_line)
    positive, negative = size.mean(axis=1), np.zeros(len(size))
    if size.shape[1] == 3:
        negative = np.abs(sequences(at_line[..., None], order, signs))[:, 2, 0]
        positive = np.abs((weights * at_line).sum(axis=1))
    scale = positive_rms / np.where(positive == 0, 1.0, positive)
    rows = zip(
        (size * scale[:, None]).tolist(),
        positive_rms.tolist(),
        (negative * scale).tolist(),
        strict=True,
    )
    return [plausibility.Levels(*row) for row in rows]


def rms(envelope: Complex) -> Float64:
    """Return the rms of a sequence from its complex envelope, peak values, shape (B,)."""
    return np.asarray(np.sqrt(np.mean(np.abs(envelope) ** 2, axis=-1) / 2), np.float64)
