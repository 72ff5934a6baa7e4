"""All that decides the diagnosis of a rotor cage, one value a recording."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import sqrt

import numpy as np

from vtox.diagnosers.broken_bar import load_oscillation
from vtox.diagnosers.broken_bar.line_place import place_shift
from vtox.diagnosers.broken_bar.moving_slip import Tracking, tracked_pairs
from vtox.diagnosers.broken_bar.sidebands import SidebandPair, sideband_pairs
from vtox.diagnosers.broken_bar.supply_lines import MAX_VOLTAGE_RATIO
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.slip import SlipAnalysis
from vtox.diagnosers.current.slip_prior import Slip
from vtox.domain import Motor
from vtox.dsp import demodulation

# The sidebands spread when the slip moves, by about 1.5 x where the current changes by x.
MAX_SPREAD_BINS = 4.0
MAX_SPREAD = 0.1
SLIP_PER_CURRENT = 1.5
# The slip is tracked from this spread on, up to this range of the current over its mean.
MIN_TRACKED_BINS = 1.5
MAX_TRACKED_RANGE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Slip and load of one recording, and how steady it was: known before a line is searched."""

    motor: Motor
    slip: Slip
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation(Conditions):
    """The conditions of one recording and the sidebands that it shows."""

    pair: SidebandPair
    tracking: Tracking | None = None  # where the slip moves, and the pair is over its angle
    # Of a strong pair: over the square of the load's movement, and from where to where the movement
    # of the slip puts the line of a rotor cage, bins from 2sf.
    over_square: float = np.inf
    place_shift: tuple[float, float] = (0.0, 0.0)

    @property
    def supply_excluded(self) -> bool:
        """Whether the voltages are so quiet that the supply cannot have made the lines."""
        return self.has_voltages and self.pair.voltage_bound <= MAX_VOLTAGE_RATIO

    @property
    def spread_bins(self) -> float:
        """How far the movement of the slip spreads the sidebands over time."""
        return self.current_range * SLIP_PER_CURRENT * self.pair.bins

    @property
    def spreads_sidebands(self) -> bool:
        """Whether the slip moves so far that the sidebands are no lines over time."""
        return self.spread_bins > max(MAX_SPREAD_BINS, MAX_SPREAD * self.pair.bins)


def conditions(analysis: CurrentAnalysis, slip_analysis: SlipAnalysis) -> list[Conditions]:
    """Return the conditions of each recording."""
    rms_a = analysis.current_rms_a
    moves = demodulation.unsteadiness(analysis.envelope, analysis.rate_hz)
    return [
        Conditions(
            motor=motor,
            slip=slip_analysis.slips[i],
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
        for i, motor in enumerate(analysis.motors)
    ]


def observe(
    analysis: CurrentAnalysis, slip_analysis: SlipAnalysis, under: Sequence[Conditions]
) -> list[Observation]:
    """Return what each recording shows under its conditions."""
    pairs = sideband_pairs(analysis, slip_analysis)
    observations = [
        Observation(**{f.name: getattr(c, f.name) for f in fields(Conditions)}, pair=pair)
        for c, pair in zip(under, pairs, strict=True)
    ]
    observations = _with_tracking(observations, analysis, slip_analysis)
    return _with_movement(observations, analysis)


def _with_tracking(
    observations: list[Observation], analysis: CurrentAnalysis, slip_analysis: SlipAnalysis
) -> list[Observation]:
    """Return the observations, over the angle of slip where it moves far or a line is sharper."""
    rows = [
        i
        for i, o in enumerate(observations)
        if not analysis.problems[i] and o.slip.is_known and _can_be_tracked(o)
    ]
    if not rows:
        return observations
    tracked = tracked_pairs(analysis, slip_analysis, rows)
    for i, (pair, tracking) in zip(rows, tracked, strict=True):
        sharper = pair.is_line and tracking.line_follows
        if sharper or observations[i].spreads_sidebands:
            observations[i] = replace(observations[i], pair=pair, tracking=tracking)
    return observations


def _can_be_tracked(o: Observation) -> bool:
    moves = o.spread_bins > MIN_TRACKED_BINS and o.current_range <= MAX_TRACKED_RANGE
    return moves and o.motor.supply == "grid"


def _with_movement(observations: list[Observation], analysis: CurrentAnalysis) -> list[Observation]:
    """Return the observations, strong pairs compared with the movement of the load."""
    rows = [i for i, o in enumerate(observations) if o.pair.is_strong and not analysis.problems[i]]
    if not rows:
        return observations
    pairs = [observations[i].pair for i in rows]
    inner = demodulation.inner_points(analysis.envelope.shape[-1], analysis.rate_hz)
    amplitude = np.abs(analysis.envelope[rows, inner]).astype(np.float64)
    ratios = load_oscillation.over_square(
        amplitude,
        analysis.rate_hz,
        np.array([p.hz for p in pairs]),
        np.array([max(p.lower_dbc, p.upper_dbc) for p in pairs]),
    )
    for i, x, pair, ratio in zip(rows, amplitude, pairs, ratios.tolist(), strict=True):
        shift = place_shift(x, round(analysis.rate_hz / pair.hz), pair.bins)
        observations[i] = replace(observations[i], over_square=ratio, place_shift=shift)
    return observations
