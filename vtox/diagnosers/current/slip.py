"""Slip of each recording with its source, and the modulation spectra it is searched in.

Slip comes from the best source a recording offers: speed sensor, slot harmonics (number of rotor
bars known), rotor speed sidebands, or nameplate and load. Each source is searched within the
interval that the coarser ones allow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import Literal, TypeVar

import numpy as np

from vtox.arrays import Float64
from vtox.diagnosers.current.front_end import CurrentAnalysis
from vtox.diagnosers.current.pole_pairs import LARGEST_SLIP, pole_pairs, rated_hz, rated_slip
from vtox.domain import Diagnosis, Motor, Reason, Recording, abstain, reason
from vtox.dsp import demodulation, modulation_spectrum, slot_harmonics

SlipSource = Literal[
    "speed sensor", "slot harmonics", "rotor speed sidebands", "nameplate and load", "none"
]
Observation = TypeVar("Observation")
# A measured speed is good to 0.1 % of synchronous speed and to half its last digit, 1/min.
SENSOR_HALF_WIDTH = 1e-3
SENSOR_HALF_WIDTH_RPM = 0.5
# The rated speed to the last digit counts as measured only where the current is the rated one
# within this ratio, which moves 2sf by 6 %.
RATED_CURRENT_TOLERANCE = 0.05
# Rated slip may differ from the nameplate by 20 % (30 % below 1 kW, IEC 60034-1 table 20) and by
# the temperature of the rotor cage, 20 % between cold and hot.
RATED_SLIP_TOLERANCE = 0.35
# Magnetising over rated current of usual induction motors, large to small; and the highest of those
# below `SMALL_MOTOR_W`, at 6 % over rated voltage.
MAGNETISING_RATIOS = (0.25, 0.75)
SMALL_MAGNETISING_RATIO = 0.9
SMALL_MOTOR_W = 1000.0
# Power factor times efficiency of a motor whose rated power is not given.
TYPICAL_ACTIVE_RATIO = 0.6
# Load over rated load where the rated current is not known.
ANY_LOAD = (0.1, 1.2)
# A motor that draws so much of its rated current is starting or overloaded beyond any duty.
MAX_CURRENT_RATIO = 2.0
# Slot harmonics count above these limits. docs/calibration/slip.md#slot-harmonics
MIN_SLOT_SCORE = 9.0
MIN_SLOT_LEAD = 1.5
MIN_SLOT_LINE = 30.0
# Slips of any duty: from this least one to so many times the rated slip.
LEAST_SLIP = 0.001
LARGEST_SLIP_RATIO = 1.5
# Rotor speed sidebands count as speed where their power over the floor exceeds this.
MIN_SIDEBAND_STATISTIC = 30.0
# They give the speed to this part of a bin of 1/T.
SIDEBAND_HALF_WIDTH_BINS = 0.25
# Points of the complex envelope without which there is nothing to analyse.
MIN_ENVELOPE_POINTS = 16


@dataclass(frozen=True, slots=True)
class Slip:
    """Slip of one recording: it lies within `half` of `value`; `source` says how it is known."""

    value: float
    half: float
    source: SlipSource
    # Why there is no better source, or none at all.
    reason: Reason | None = None

    @property
    def low(self) -> float:
        """Smallest slip possible."""
        return max(self.value - self.half, 0.0)

    @property
    def high(self) -> float:
        """Largest slip possible."""
        return self.value + self.half

    @property
    def is_known(self) -> bool:
        """Whether any source gave a slip."""
        return self.source != "none" and isfinite(self.value)

    @property
    def is_measured(self) -> bool:
        """Whether the slip was measured rather than estimated from nameplate and load."""
        return self.source in ("speed sensor", "slot harmonics", "rotor speed sidebands")

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """What stands against a slip that is known: a speed that was not believed."""
        return (self.reason,) if self.reason and self.is_known else ()


@dataclass(frozen=True, slots=True)
class SlipAnalysis:
    """Modulation spectra of currents and, where measured, voltages; slip per recording."""

    pole_pairs: tuple[int | None, ...]
    slips: tuple[Slip, ...]
    largest_slip: Float64  # (batch,) of a motor at any duty
    modulation: modulation_spectrum.Modulation
    voltage: modulation_spectrum.Modulation | None


def analyse_slip(analysis: CurrentAnalysis) -> SlipAnalysis | None:
    """Return modulation spectra and slips, or None where the front end could compute nothing."""
    if analysis.envelope.shape[-1] < MIN_ENVELOPE_POINTS:
        return None
    modulation = modulation_spectrum.spectra(
        *demodulation.modulation(analysis.envelope, analysis.rate_hz), analysis.rate_hz
    )
    voltage = None
    if analysis.envelope_v.shape[-1]:
        voltage = modulation_spectrum.spectra(
            *demodulation.modulation(analysis.envelope_v, analysis.rate_hz), analysis.rate_hz
        )
    pairs = tuple(map(pole_pairs, analysis.motors, analysis.recordings, analysis.f0_hz))
    rms_a = analysis.current_rms_a()
    priors = [_prior(analysis, i, pairs[i], float(rms_a[i])) for i in range(len(pairs))]
    largest_slip = _largest_slip(analysis, pairs, priors)
    low = np.array([min(s.low, LARGEST_SLIP) for s in priors])
    high = np.array([min(s.high, LARGEST_SLIP) for s in priors])
    # First what the prior allows; then, where that is only an estimate, any duty of a motor.
    estimated = np.array([s.source == "nameplate and load" for s in priors])
    slips = _refine_by_slot_harmonics(analysis, priors, low, high)
    slips = _refine_by_slot_harmonics(
        analysis, slips, np.where(estimated, LEAST_SLIP, np.nan), largest_slip
    )
    slips = _check_against_slot_harmonics(analysis, priors, slips, largest_slip)
    slips = _refine_by_sidebands(analysis, modulation, pairs, slips, low, high)
    return SlipAnalysis(
        pole_pairs=pairs,
        slips=tuple(slips),
        largest_slip=largest_slip,
        modulation=modulation,
        voltage=voltage,
    )


def observations_or_abstentions(
    fault: str,
    analysis: CurrentAnalysis,
    slip_analysis: SlipAnalysis | None,
    observe: Callable[[CurrentAnalysis, SlipAnalysis], Sequence[Observation]],
    abstention: Callable[[Observation], Diagnosis | None],
) -> list[Observation | Diagnosis]:
    """Return what a fault measures in each recording, or the abstention of one that shows nothing.

    Parameters
    ----------
    fault : str
    analysis : CurrentAnalysis
    slip_analysis : SlipAnalysis or None
        Of the same recordings; computed where it is None.
    observe : callable
        Returns one value a recording.
    abstention : callable
        Returns the abstention on such a value, None where it decides.
    """
    slip_analysis = slip_analysis or analyse_slip(analysis)
    if slip_analysis is None:
        return [abstain(fault, *problems) for problems in analysis.problems]
    return [
        abstain(fault, *problems) if problems else abstention(observation) or observation
        for problems, observation in zip(
            analysis.problems, observe(analysis, slip_analysis), strict=True
        )
    ]


def _prior(analysis: CurrentAnalysis, i: int, pairs: int | None, rms_a: float) -> Slip:
    """Return the slip by speed sensor or nameplate."""
    f0_hz, motor = float(analysis.f0_hz[i]), analysis.motors[i]
    if analysis.problems[i]:
        return _no_slip(analysis.problems[i][0])
    if not pairs:
        return _no_slip(reason("pole_pairs_unknown"))
    measured = _slip_by_sensor(analysis.recordings[i], motor, pairs, f0_hz, rms_a)
    if isinstance(measured, Slip):
        return measured
    rated = rated_slip(motor, pairs, f0_hz)
    if rated is None:
        return _no_slip(measured or _why_no_rated_slip(motor, pairs, f0_hz))
    rated_a = motor.rated_current_a
    if rated_a and rms_a > MAX_CURRENT_RATIO * rated_a:
        return _no_slip(reason("current_far_above_rated", load_a=rms_a, rated_a=rated_a))
    if motor.supply == "inverter":
        # At constant flux a torque slows the rotor by as many rpm at any frequency.
        rated *= (motor.supply_hz or f0_hz) / f0_hz
    low, high = _load_range(rms_a, motor)
    low, high = low * rated * (1 - RATED_SLIP_TOLERANCE), high * rated * (1 + RATED_SLIP_TOLERANCE)
    return Slip((low + high) / 2, (high - low) / 2, "nameplate and load", measured)


def _no_slip(why: Reason) -> Slip:
    return Slip(np.nan, np.nan, "none", why)


def _slip_by_sensor(
    recording: Recording, motor: Motor, pairs: int, f0_hz: float, rms_a: float
) -> Slip | Reason | None:
    """Return the slip by the speed sensor, why its speed is not believed, or None without one."""
    speed_rpm = recording.speed_rpm
    if not speed_rpm:
        return None
    synchronous_rpm = 60 * f0_hz / pairs
    slip = 1 - speed_rpm / synchronous_rpm
    half = max(SENSOR_HALF_WIDTH, SENSOR_HALF_WIDTH_RPM / synchronous_rpm)
    if not -half < slip < LARGEST_SLIP:
        return reason("speed_implausible", speed_rpm=speed_rpm, f0_hz=f0_hz, pole_pairs=pairs)
    if _is_nameplate_speed(speed_rpm, rms_a, motor):
        return reason("speed_copied_from_nameplate", speed_rpm=speed_rpm)
    return Slip(max(slip, 0.0), half, "speed sensor")


def _is_nameplate_speed(speed_rpm: float, rms_a: float, motor: Motor) -> bool:
    """Return whether a speed is the rated one, sent where none was measured."""
    rated_a = motor.rated_current_a
    at_rated_load = rated_a is not None and abs(rms_a / rated_a - 1) <= RATED_CURRENT_TOLERANCE
    return speed_rpm == motor.rated_speed_rpm and not at_rated_load


def _why_no_rated_slip(motor: Motor, pairs: int, f0_hz: float) -> Reason:
    if not motor.rated_speed_rpm:
        return reason("rated_speed_unknown")
    supply_hz = rated_hz(motor, f0_hz)
    if not supply_hz:
        return reason("rated_supply_unknown", rated_speed_rpm=motor.rated_speed_rpm)
    return reason(
        "rated_speed_implausible",
        rated_speed_rpm=motor.rated_speed_rpm,
        pole_pairs=pairs,
        supply_hz=supply_hz,
    )


def _load_range(rms_a: float, motor: Motor) -> tuple[float, float]:
    """Return least and largest torque over rated torque that a current allows.

    i^2 = m^2 + (1 - m^2) load^2, with m the magnetising over the rated current. That is part of the
    reactive one, which leaves at least power factor times efficiency for the rest.
    """
    if not motor.rated_current_a:
        return ANY_LOAD
    i, active = rms_a / motor.rated_current_a, motor.active_share
    least, most = MAGNETISING_RATIOS
    if _rated_w(motor) < SMALL_MOTOR_W:
        most = SMALL_MAGNETISING_RATIO
    if active is not None:
        most = min(most, max(least, sqrt(1 - active**2)))
    squares = [(i * i - m * m) / (1 - m * m) for m in (least, most)]
    loads = sorted(float(np.sqrt(max(q, 0.0))) for q in squares)
    return loads[0], loads[1]


def _rated_w(motor: Motor) -> float:
    """Return the rated power, W, estimated from volts and amperes where it is not given."""
    if motor.rated_power_w:
        return motor.rated_power_w
    volts, amps = motor.rated_voltage_v, motor.rated_current_a
    return TYPICAL_ACTIVE_RATIO * sqrt(3) * volts * amps if volts and amps else inf


def _largest_slip(
    analysis: CurrentAnalysis, pairs: Sequence[int | None], priors: Sequence[Slip]
) -> Float64:
    """Return the largest slip at any duty: half more than rated, or what the prior allows."""
    rated = [
        rated_slip(m, p, float(f)) or 0.0
        for m, p, f in zip(analysis.motors, pairs, analysis.f0_hz, strict=True)
    ]
    largest = [max(LARGEST_SLIP_RATIO * r, s.high) for r, s in zip(rated, priors, strict=True)]
    return np.asarray(np.minimum(largest, LARGEST_SLIP), np.float64)


def _refine_by_slot_harmonics(
    analysis: CurrentAnalysis, slips: list[Slip], low: Float64, high: Float64
) -> list[Slip]:
    """Return the slips, those replaced for which slot harmonics are clear from `low` to `high`."""
    unrefined = np.array([s.source != "slot harmonics" for s in slips])
    bars = np.where(unrefined, analysis.bars_per_pair, np.nan)
    if analysis.slot_band is None or not (np.isfinite(bars) & np.isfinite(low)).any():
        return slips
    s = slot_harmonics.slot_harmonics(analysis.slot_band, analysis.windowed_f0_hz, bars, low, high)
    clear = (s.score > MIN_SLOT_SCORE) & (s.lead > MIN_SLOT_LEAD) & (s.strongest > MIN_SLOT_LINE)
    return [
        replace(slip, value=float(s.slip[i]), half=float(s.half[i]), source="slot harmonics")
        if clear[i] and unrefined[i]
        else slip
        for i, slip in enumerate(slips)
    ]


def _check_against_slot_harmonics(
    analysis: CurrentAnalysis, priors: list[Slip], slips: list[Slip], largest_slip: Float64
) -> list[Slip]:
    """Return the slips, the sensor's again where slot harmonics are higher at another slip.

    The sidebands 2sf from the slot harmonics of a broken rotor cage fit a speed that is slightly
    wrong.
    """
    refined = np.array(
        [
            p.source == "speed sensor" and s.source != p.source
            for p, s in zip(priors, slips, strict=True)
        ]
    )
    if analysis.slot_band is None or not refined.any():
        return slips
    s = slot_harmonics.slot_harmonics(
        analysis.slot_band,
        analysis.windowed_f0_hz,
        np.where(refined, analysis.bars_per_pair, np.nan),
        np.where(refined, LEAST_SLIP, np.nan),
        largest_slip,
    )
    return [
        prior if refined[i] and abs(s.slip[i] - slip.value) > s.half[i] + slip.half else slip
        for i, (prior, slip) in enumerate(zip(priors, slips, strict=True))
    ]


def _refine_by_sidebands(
    analysis: CurrentAnalysis,
    modulation: modulation_spectrum.Modulation,
    pairs: Sequence[int | None],
    slips: list[Slip],
    low: Float64,
    high: Float64,
) -> list[Slip]:
    """Return the slips, estimated ones replaced where rotor speed sidebands are clear.

    Not of two-pole motors: f - fr lies at s*f, beside the offset of the clamps, its drift, and
    noise that only the winding's resistance limits, so a line there need not be the rotor's.
    """
    open_ = np.array(
        [s.source == "nameplate and load" and p != 1 for s, p in zip(slips, pairs, strict=True)]
    )
    if not open_.any():
        return slips
    rotation_hz = np.where(open_, analysis.f0_hz / np.array([p or 1 for p in pairs]), np.nan)
    line = modulation_spectrum.strongest(
        modulation, rotation_hz * (1 - high), rotation_hz * (1 - low)
    )
    hz = modulation_spectrum.refined_hz(modulation, line)
    half = SIDEBAND_HALF_WIDTH_BINS * modulation.bin_hz / rotation_hz
    clear = open_ & (line.statistic > MIN_SIDEBAND_STATISTIC) & np.isnan(line.neighbour_hz)
    return [
        replace(
            slip,
            value=1 - float(hz[i] / rotation_hz[i]),
            half=float(half[i]),
            source="rotor speed sidebands",
        )
        if clear[i] and half[i] < slip.half
        else slip
        for i, slip in enumerate(slips)
    ]
