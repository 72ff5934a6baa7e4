"""Figures of the terminals from sums of products of phasors: as kept, and as they are read."""

from dataclasses import dataclass

import numpy as np

from vtox.motor.values.arrays import TINY, Float64

# Orders of harmonics that are reported one by one: those of six-pulse rectifiers.
TOLD = (5, 7, 11, 13)
# Figures in the order of a table. Those of currents and of voltages follow each other in the same
# order, so that both are computed at once.
TERMINAL_FIGURES = (
    *"""
    active_w reactive_var apparent_va distortion_va power_factor
    displacement_factor positive_w negative_w harmonic_w
    current_a positive_a negative_a current_unbalance current_unbalance_nema current_thd
    voltage_v positive_v negative_v voltage_unbalance voltage_unbalance_nema voltage_thd
    """.split(),
    *(f"current_harmonic_{order}" for order in TOLD),
    *(f"voltage_harmonic_{order}" for order in TOLD),
)
_ROWS = {name: row for row, name in enumerate(TERMINAL_FIGURES)}
_PAIRS_AT, _HARMONICS_AT = _ROWS["current_a"], _ROWS["current_harmonic_5"]
# Columns of the sums: squares of currents and voltages in turn (positive sequence, negative, both,
# then each phase), powers of the supply line (active, reactive, negative sequence) and of the
# harmonics, squares of all harmonics, and of each of `TOLD` for currents, then voltages.
POSITIVE_A, POSITIVE_V, NEGATIVE_A, NEGATIVE_V = range(4)
_LEVELS_AT, BEYOND_AT, SHARES_AT = 6, 15, 18
POWERS = slice(12, 16)
SUMS = SHARES_AT + 2 * len(TOLD)
_SQRT_3 = np.sqrt(3.0)


@dataclass(frozen=True, slots=True)
class TerminalPower:
    """Figures of currents and voltages at the terminals: rows by `TERMINAL_FIGURES`, length batch.

    RMS values of the supply line and its harmonics up to the 40th. `voltage_v` is the effective
    voltage between lines and `current_a` the effective current (IEEE 1459-2010, 3.2.2.8),
    `positive_a` and `negative_a` the sequences of the current, `positive_v` and `negative_v` those
    of the phase voltage. `positive_w`, `negative_w`, `harmonic_w` add up to `active_w`.

    Unbalance is negative over positive sequence. By NEMA (MG 1, 14.36) it is the largest deviation
    of a phase (of voltages: between lines) from the mean of the three, over that mean. `thd` is
    distortion over supply line; harmonics are those of `TOLD` over it, all phases together. Without
    voltages the figures that need them are NaN.
    """

    table: Float64  # (figures, batch)

    def __getattr__(self, name: str) -> Float64:
        if name not in _ROWS:
            raise AttributeError(name)
        return np.asarray(self.table[_ROWS[name]])

    @classmethod
    def from_sums(cls, sums: Float64) -> "TerminalPower":
        """Return the figures of the terminals, by sums of shape (batch, `SUMS`).

        Notes
        -----
        IEEE 1459-2010: the effective values of three wires (3.2.2.8), apparent power 3 Ve Ie, the
        fundamental part of it, and distortion power the rest: SeN^2 = Se^2 - Se1^2. Active power is
        the mean of every frame, so that a load that moves within the record counts rightly.
        Reactive power is that of the positive sequence of the supply line, positive if the
        current lags.
        """
        of, batch = sums.T, len(sums)
        table = np.empty((len(_ROWS), batch))
        one_w, one_var, two_w, harmonic_w = of[POWERS]
        # Currents and voltages next to each other from here on: (2, batch).
        roots = np.sqrt(np.maximum(of, 0, order="C"))
        at_line, beyond = roots[4:_LEVELS_AT], roots[BEYOND_AT + 1 : SHARES_AT]
        pairs = table[_PAIRS_AT:_HARMONICS_AT].reshape(2, 6, batch)
        np.hypot(at_line, beyond, out=pairs[:, 0])
        apparent_va = 3 * pairs[0, 0] * pairs[1, 0]
        pairs[1, 0] *= _SQRT_3
        pairs[:, 1:3] = roots[:4].reshape(2, 2, batch).swapaxes(0, 1)
        np.divide(pairs[:, 2], np.maximum(pairs[:, 1], TINY), out=pairs[:, 3])
        three = roots[_LEVELS_AT : POWERS.start].reshape(3, 2, batch)
        mean = np.maximum((three[0] + three[1] + three[2]) / 3, TINY)
        np.divide(np.abs(three - mean).max(axis=0), mean, out=pairs[:, 4])
        divisor = np.maximum(at_line, TINY)
        np.divide(beyond, divisor, out=pairs[:, 5])
        shares = roots[SHARES_AT:].reshape(2, len(TOLD), batch)
        np.divide(shares, divisor[:, None], out=table[_HARMONICS_AT:].reshape(shares.shape))
        active_w = one_w + two_w + harmonic_w
        table[:3] = active_w, one_var, apparent_va
        table[6:9] = one_w, two_w, harmonic_w
        apart = apparent_va**2 - (3 * at_line[0] * at_line[1]) ** 2
        np.sqrt(np.maximum(apart, 0), out=table[3])
        np.divide(active_w, np.maximum(apparent_va, TINY), out=table[4])
        np.divide(one_w, np.maximum(np.hypot(one_w, one_var), TINY), out=table[5])
        return cls(table)
