"""Severity of a simulated fault, 0 to 1, and the physical quantity behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class _Scale:
    """Range of the physical quantity of one fault, from severity 0 (`low`) to 1 (`high`)."""

    quantity: str
    low: float
    high: float
    geometric: bool = False

    def level(self, severity: float) -> float:
        """Return the quantity at `severity`, interpolated (in its logarithm if geometric)."""
        if self.geometric:
            return float(self.low * (self.high / self.low) ** severity)
        return self.low + (self.high - self.low) * severity


SCALES: Mapping[str, _Scale] = MappingProxyType(
    {
        "turn_short": _Scale("shorted_turns_ratio", 0.005, 0.08, geometric=True),
        "insulation": _Scale("resistance_to_earth_ohm", 3e6, 5e3, geometric=True),
        "bearing": _Scale("impulse_peak_over_noise_rms", 2.5, 40.0, geometric=True),
        "eccentricity": _Scale("rise_of_rotation_sidebands_db", 6.0, 26.0),
        "broken_bar": _Scale("lower_sideband_dbc", -54.0, -28.0),
    }
)

FAULT_MODES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "light": (0.10, 0.25),
        "moderate": (0.35, 0.55),
        "severe": (0.60, 0.80),
        "critical": (0.85, 1.00),
    }
)
