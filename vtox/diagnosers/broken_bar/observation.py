"""All that decides the diagnosis of a rotor cage, one value a recording."""

from dataclasses import dataclass
from math import sqrt

from vtox.diagnosers.broken_bar.sidebands import SidebandPair, sideband_pairs
from vtox.diagnosers.broken_bar.supply_lines import MAX_VOLTAGE_RATIO
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.slip import SlipAnalysis
from vtox.diagnosers.current.slip_prior import Slip
from vtox.domain import Motor
from vtox.dsp import demodulation


@dataclass(frozen=True, slots=True)
class Observation:
    """Slip, sidebands and load of one recording, and how steady it was."""

    motor: Motor
    slip: Slip
    pair: SidebandPair
    f0_hz: float
    duration_s: float
    bin_hz: float  # 1/T of the modulation spectra
    load_a: float
    # Least and largest mean of 0.5 s, A rms, and their difference over the mean.
    low_a: float
    high_a: float
    current_range: float
    frequency_range_hz: float
    has_voltages: bool  # that can be used

    @property
    def distance_hz(self) -> float:
        """Twice the slip frequency, Hz."""
        return 2 * self.slip.value * self.f0_hz

    @property
    def supply_excluded(self) -> bool:
        """Whether the voltages are so quiet that the supply cannot have made the lines."""
        return self.has_voltages and self.pair.voltage_bound <= MAX_VOLTAGE_RATIO


def observe(analysis: CurrentAnalysis, slip_analysis: SlipAnalysis) -> list[Observation]:
    """Return the observation of each recording."""
    rms_a = analysis.current_rms_a()
    moves = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    pairs = sideband_pairs(analysis, slip_analysis)
    return [
        Observation(
            motor=analysis.motors[i],
            slip=slip_analysis.slips[i],
            pair=pair,
            f0_hz=float(analysis.f0_hz[i]),
            duration_s=analysis.duration_s,
            bin_hz=slip_analysis.modulation.bin_hz,
            load_a=float(rms_a[i]),
            low_a=float(moves.lowest[i]) / sqrt(2),
            high_a=float(moves.highest[i]) / sqrt(2),
            current_range=float(moves.amplitude_range[i]),
            frequency_range_hz=float(moves.frequency_range_hz[i]),
            has_voltages=bool(analysis.envelope_v.shape[-1]) and not analysis.voltage_problems[i],
        )
        for i, pair in enumerate(pairs)
    ]
