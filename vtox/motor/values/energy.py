"""Counts of energy and operation: whole numbers, so that sums are exact in any order."""

import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from math import nan, sqrt
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vtox.motor.values.arrays import Float64
from vtox.motor.values.terminal_power import SUMS, TERMINAL_FIGURES, TerminalPower

# Load over rated load at which the next class begins; the last has no end.
CLASS_EDGES = (0.2, 0.4, 0.6, 0.8, 1.0)
# Length of a row, s.
QUARTER_S = 900

# Estimates of a reading, and those of the power from currents alone, in the order in which both are
# kept. Later ones come at the end.
ESTIMATES = tuple(
    """
    load_ratio shaft_w torque_nm efficiency loss_w
    shaft_half_w torque_half_nm efficiency_half loss_half_w
    stator_w rotor_w iron_w friction_w additional_w unbalance_w slip
    """.split()
)
_BY_CURRENTS = ("estimated_power_w", "estimated_power_half_w")
# All figures of a reading. The kept ones are the supply's frequency, the sums from which
# `TerminalPower` makes those of the terminals, and these estimates.
FIGURES = ("supply_hz", *TERMINAL_FIGURES, *ESTIMATES, *_BY_CURRENTS)
KEPT = 1 + SUMS + len(ESTIMATES) + len(_BY_CURRENTS)
_NONE_OF_THEM = np.full(KEPT, np.nan, "<f8").tobytes()
# Figures have so many digits: more than any instrument gives.
_DIGITS = 6
_POWERS_OF_TEN = 10.0 ** np.arange(300)

# Figures of a start in its record, in A and J; `dip_ratio` over the voltage before.
START_FIGURES = ("inrush_a", "peak_a", "mean_a", "final_a", "dip_ratio", "energy_j")


class MeterCounts(NamedTuple):
    """Counts that one record, or any time, adds to a meter: whole ms, J, var s and events.

    Energy without measured time is not known: every view of it says so (`measured_kwh`).

    `observed_ms` is time of which it is known whether the motor ran, `powered_ms` that of which its
    power was measured, `estimated_ms` that of which load and losses were estimated. `energy_j` is
    active energy at the terminals, `reactive_vars` reactive energy, `shaft_j` energy that left the
    shaft, `lost_j` energy that became heat. `unbalance_j` and `harmonic_j` are the heat that
    the supply's unbalance and harmonics added. The classes are running time by load over rated
    load: below 20 %, to 40, 60, 80, 100 %, and above.
    """

    observed_ms: int = 0
    running_ms: int = 0
    powered_ms: int = 0
    estimated_ms: int = 0
    energy_j: int = 0
    reactive_vars: int = 0
    shaft_j: int = 0
    lost_j: int = 0
    unbalance_j: int = 0
    harmonic_j: int = 0
    class_1_ms: int = 0
    class_2_ms: int = 0
    class_3_ms: int = 0
    class_4_ms: int = 0
    class_5_ms: int = 0
    class_6_ms: int = 0
    starts: int = 0

    @property
    def classes_ms(self) -> tuple[int, ...]:
        """Running time by class of load."""
        return self[10:16]

    @property
    def mean_kw(self) -> float | None:
        """Mean power over the time of which it was measured."""
        return self.energy_j / self.powered_ms if self.powered_ms else None

    @staticmethod
    def mean_w(joules: int, ms: int) -> float | None:
        """Return the mean power of so much energy in so much time, None without any."""
        return 1000 * joules / ms if ms else None

    def plus(self, other: "MeterCounts") -> "MeterCounts":
        """Return the sum of both."""
        return MeterCounts(*map(sum, zip(self, other, strict=True)))

    @staticmethod
    def pack(counts: Sequence[int]) -> bytes:
        """Return counts as they are kept: whole numbers of 64 bits behind a byte.

        Examples
        --------
        >>> counts_of(MeterCounts.pack([1000, -4]))
        (1000, -4)
        """
        return _numbers(len(counts)).pack(COUNTS_FORM, *counts)

    @staticmethod
    def packed_sum(one: bytes, other: bytes) -> bytes:
        """Return the sum of kept counts, of which either may have more, or be a text.

        Numbers of 64 bits are added side by side as one: their highest bits apart, so that nothing
        is carried into the next. To make 34 numbers of Python of them takes three times as long.

        Raises
        ------
        ValueError
            One of them is no counts.

        Examples
        --------
        >>> counts_of(MeterCounts.packed_sum(b"1000 -4", MeterCounts.pack([1, -2, 3])))
        (1001, -6, 3)
        """
        if len(one) == len(other) == _PACKED and one[:1] == other[:1] == COUNTS_FORM:
            a, b = int.from_bytes(one[1:], "little"), int.from_bytes(other[1:], "little")
            total = (a & _LOWER_BITS) + (b & _LOWER_BITS) ^ (a ^ b) & _HIGHEST_BITS
            return COUNTS_FORM + total.to_bytes(_PACKED - 1, "little")
        pairs = zip_longest(counts_of(one), counts_of(other), fillvalue=0)
        return MeterCounts.pack([a + b for a, b in pairs])


@lru_cache(maxsize=64)
def _numbers(count: int) -> struct.Struct:
    """Return the form of so many counts."""
    return struct.Struct(f"<c{count}q")


# Kept counts begin with a byte that no text begins with.
COUNTS_FORM = b"\1"
NOTHING = MeterCounts()
_PACKED = len(MeterCounts.pack(NOTHING))
_HIGHEST_BITS = int.from_bytes((b"\0" * 7 + b"\x80") * len(NOTHING), "little")
_LOWER_BITS = (1 << 64 * len(NOTHING)) - 1 - _HIGHEST_BITS
_NONE: Mapping[str, Any] = MappingProxyType({})


class MeterRow(NamedTuple):
    """A `MeterReading` as it is made and kept: `kept` has `KEPT` floats of 64 bits.

    They have all their digits, and NaN if there is none. `counts_of` reads `counts`.
    """

    kept: bytes = b""
    counts: bytes = MeterCounts.pack(NOTHING)
    power_code: str = ""
    power_values: Mapping[str, Any] = _NONE
    load_code: str = ""
    load_values: Mapping[str, Any] = _NONE


class MeterReading(NamedTuple):
    """Reading of one record: `figures` by name, the unit is the suffix; none is a ratio.

    If power is not measured, `power_code` says why; if load and losses are not estimated,
    `load_code`, each with its values. Both are empty otherwise. `_half` is half the width of an
    interval that holds in 95 % of all cases.
    """

    figures: Mapping[str, float] = _NONE
    counts: MeterCounts = NOTHING
    power_code: str = ""
    power_values: Mapping[str, Any] = _NONE
    load_code: str = ""
    load_values: Mapping[str, Any] = _NONE

    @classmethod
    def of_rows(cls, rows: Sequence[MeterRow]) -> list["MeterReading"]:
        """Return rows with their figures by name, rounded, without unknown ones."""
        return [
            cls(figures, MeterCounts(*counts_of(row.counts)), *row[2:])
            for row, figures in zip(rows, _figures_by_name([r.kept for r in rows]), strict=True)
        ]


_SUPPLY_AND_SEQUENCES = struct.Struct("<5d")


def operation_text(kept: bytes) -> str:
    """Return the operating figures of a kept reading: five numbers with spaces between them.

    Supply frequency, positive sequences of the current and of the voltage between lines, unbalance
    of the voltage and of the current; `nan` for one that is not known. Empty without a frequency.
    """
    if len(kept) < _SUPPLY_AND_SEQUENCES.size:
        return ""
    hz, amperes_2, volts_2, back_amperes_2, back_volts_2 = _SUPPLY_AND_SEQUENCES.unpack_from(kept)
    if not (hz > 0 and amperes_2 > 0):
        return ""
    of_volts = sqrt(back_volts_2 / volts_2) if volts_2 > 0 and back_volts_2 >= 0 else nan
    of_amperes = sqrt(back_amperes_2 / amperes_2) if back_amperes_2 >= 0 else nan
    volts = sqrt(3 * volts_2) if volts_2 > 0 else nan
    return f"{hz:.5g} {sqrt(amperes_2):.5g} {volts:.5g} {of_volts:.4g} {of_amperes:.4g}"


def operation_of(text: bytes) -> tuple[float, ...]:
    """Return the numbers of `operation_text`; none if they cannot be read.

    Examples
    --------
    >>> operation_of(b"50 12.5 400 0.01 0.02"), operation_of(b"x")
    ((50.0, 12.5, 400.0, 0.01, 0.02), ())
    """
    try:
        return tuple(map(float, text.split()))
    except ValueError:
        return ()


def _figures_by_name(rows: Sequence[bytes]) -> list[dict[str, float]]:
    """Return figures by name. Whole numbers keep all of their digits."""
    size = 8 * KEPT
    # Another version has fewer, or more.
    whole = b"".join((r + _NONE_OF_THEM)[:size] for r in rows)
    kept = np.frombuffer(whole, "<f8").reshape(len(rows), KEPT)
    terminals = TerminalPower.from_sums(kept[:, 1 : 1 + SUMS]).table.T
    values = np.concatenate([kept[:, :1], terminals, kept[:, 1 + SUMS :]], axis=1)
    exponent = np.floor(np.log10(np.maximum(np.abs(values), 1 / _POWERS_OF_TEN[-1])))
    places = np.nan_to_num(_DIGITS - 1 - exponent).astype(np.int64)
    scale = _POWERS_OF_TEN.take(places, mode="clip")
    rounded: Float64 = np.rint(values * scale) / scale
    return [
        {name: x for name, x in zip(FIGURES, row, strict=True) if x == x}
        for row in rounded.tolist()
    ]


def measured_kwh(joules: int, ms: int) -> float | None:
    """Return kWh that were counted in so much measured time; None without any: it is not 0.

    Examples
    --------
    >>> measured_kwh(0, 1000), measured_kwh(0, 0)
    (0.0, None)
    """
    return in_kwh(joules) if ms else None


def in_kwh(joules: float) -> float:
    """Return kWh of J, kvarh of var s.

    Examples
    --------
    >>> in_kwh(3_600_000)
    1.0
    """
    return joules / 3_600_000


def in_hours(ms: int) -> float:
    """Return hours of ms."""
    return ms / 3_600_000


def counts_of(kept: bytes) -> tuple[int, ...]:
    """Return kept counts; a later version may have more of them.

    Results have a text: numbers between spaces.

    Raises
    ------
    ValueError
        It is neither.

    Examples
    --------
    >>> counts_of(b"1000 400")
    (1000, 400)
    """
    if kept[:1] != COUNTS_FORM:
        return tuple(map(int, kept.split()))
    try:
        return _numbers(len(kept) // 8).unpack(kept)[1:]
    except struct.error as error:
        raise ValueError(str(error)) from error
