"""What is counted of energy and operation: whole numbers, so that sums are exact in any order."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

# Load over rated load at which the next class begins; the last has no end.
CLASS_EDGES = (0.2, 0.4, 0.6, 0.8, 1.0)
# Length of a row, s.
QUARTER_S = 900

# Figures of a start that its record shows, in A and J; `dip_ratio` over the voltage before.
START_FIGURES = ("inrush_a", "peak_a", "mean_a", "final_a", "dip_ratio", "energy_j")


class MeterCounts(NamedTuple):
    """What one record, or any time, adds to a meter: whole ms, J, var s and events.

    `observed_ms` is time of which it is known whether the motor ran, `powered_ms` that of which its
    power was measured, `estimated_ms` that of which load and losses were estimated. `energy_j` is
    active energy at the terminals, `reactive_vars` reactive energy, `shaft_j` what left the shaft,
    `lost_j` what became heat. `unbalance_j` and `harmonic_j` are what the supply's unbalance and
    harmonics added to that. The classes are running time by load over rated load: below 20 %, to
    40, 60, 80, 100 %, and above.
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


NOTHING = MeterCounts()
_NONE: Mapping[str, Any] = MappingProxyType({})


class MeterReading(NamedTuple):
    """What one record says: `figures` by name, the unit is the suffix; none is a ratio.

    Where power is not measured `power_code` says why, where load and losses are not estimated
    `load_code`, each with its values; empty where they are. `_half` is half the width of an
    interval that holds in 95 % of all cases.
    """

    figures: Mapping[str, float] = _NONE
    counts: MeterCounts = NOTHING
    power_code: str = ""
    power_values: Mapping[str, Any] = _NONE
    load_code: str = ""
    load_values: Mapping[str, Any] = _NONE


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


def counts_text(counts: MeterCounts) -> str:
    """Return counts as text: numbers between spaces.

    Examples
    --------
    >>> counts_text(MeterCounts(1000, 1000))[:11]
    '1000 1000 0'
    """
    return " ".join(map(str, counts))


def counts_from_text(text: str | bytes) -> MeterCounts:
    """Return the counts of a text; what a later version counts in addition is left out.

    Raises
    ------
    ValueError
        It is no list of whole numbers.

    Examples
    --------
    >>> counts_from_text("1000 400").running_ms
    400
    """
    return MeterCounts(*map(int, text.split()[: len(MeterCounts._fields)]))
