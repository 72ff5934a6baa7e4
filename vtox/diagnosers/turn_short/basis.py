"""What a turn-short diagnosis rests on, and how much that is worth."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Basis:
    """Whether the voltages are measured and whether a baseline applies.

    As text it is the value of the indicator `basis`.
    """

    voltage: bool
    baseline: bool

    def __str__(self) -> str:
        signals = "voltage" if self.voltage else "currents"
        return f"{signals} and baseline" if self.baseline else f"{signals}, no baseline"


# Least limit on the corrected |I2|/I1: docs/calibration/turn_short.md#scale.
LEAST_LIMIT: Mapping[Basis, float] = {
    Basis(voltage=True, baseline=True): 0.0075,
    Basis(voltage=False, baseline=True): 0.03,
    Basis(voltage=True, baseline=False): 0.03,
    Basis(voltage=False, baseline=False): 0.08,
}
# Confidence before the distance from the limit is taken into account.
CONFIDENCE: Mapping[Basis, float] = {
    Basis(voltage=True, baseline=True): 0.95,
    Basis(voltage=False, baseline=True): 0.6,
    Basis(voltage=True, baseline=False): 0.7,
    Basis(voltage=False, baseline=False): 0.3,
}
