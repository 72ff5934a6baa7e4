"""Slip of each recording with its source, and the modulation spectra it is searched in.

Slip comes from the best source a recording offers: speed sensor, slot harmonics (number of rotor
bars known), rotor speed sidebands, nameplate and load, or rated power and load. Each source is
searched within the interval that the coarser ones allow. If two exclude each other, the slip is
not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from vtox.motor.diagnosis.diagnosers.current import slip_agreement
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.pole_pairs import LARGEST_SLIP, pole_pairs, rated_slip
from vtox.motor.diagnosis.diagnosers.current.slip_agreement import SlipRange
from vtox.motor.diagnosis.diagnosers.current.slip_prior import ESTIMATES, Slip, no_slip, slip_prior
from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum, slot_harmonics
from vtox.motor.diagnosis.dsp.modulation_spectrum import (
    MIN_OVER_FLOOR_CLEAR,
    MIN_OVER_FLOOR_WIDE,
    PLACE_BINS,
)
from vtox.motor.values.arrays import Bool, Float64, Int

Observation = TypeVar("Observation")
# Slot harmonics count above these limits. docs/calibration/slip.md#slot-harmonics
MIN_SLOT_SCORE = 9.0
MIN_SLOT_LEAD = 1.5
# Slips of any duty: from this least one to this multiple of the rated slip.
LEAST_SLIP = 0.001
LARGEST_SLIP_RATIO = 1.5
# In the range of a rated power, rotor speed sidebands must be the only ones: no other line beyond
# so many bins from them may have this share of their level. A weaker line may be their skirt.
OTHER_LINE_BINS = 5.0
MIN_OTHER_SHARE = 1e-3


@dataclass(frozen=True, slots=True)
class SlipAnalysis:
    """Modulation spectra of currents and, if measured, voltages; slip per recording."""

    pole_pairs: tuple[int | None, ...]
    slips: tuple[Slip, ...]
    # (batch,) slips between which a line may be the rotor cage's although `slips` says otherwise;
    # NaN if none.
    other_low: Float64
    other_high: Float64
    modulation: modulation_spectrum.Modulation
    voltage: modulation_spectrum.Modulation | None

    def select(self, rows: Int) -> "SlipAnalysis":
        """Return the slips of some recordings of a batch, or of one several times.

        The spectra remain those of the batch.
        """
        return replace(
            self,
            pole_pairs=tuple(self.pole_pairs[i] for i in rows),
            slips=tuple(self.slips[i] for i in rows),
            other_low=self.other_low[rows],
            other_high=self.other_high[rows],
        )

    def select_spectra(self, rows: Int) -> "SlipAnalysis":
        """Return the slips of some recordings of a batch with their spectra."""
        return replace(
            self.select(rows),
            modulation=self.modulation.select(rows),
            voltage=self.voltage and self.voltage.select(rows),
        )


def analyse_slip(analysis: CurrentAnalysis) -> SlipAnalysis | None:
    """Return modulation spectra and slips, or None if the front end could compute nothing."""
    if analysis.envelope.shape[-1] < 16:
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
    priors = _priors(analysis, pairs)
    largest_slip = _largest_slip(analysis, pairs, priors)
    low = np.array([min(s.low, LARGEST_SLIP) for s in priors])
    high = np.array([min(s.high, LARGEST_SLIP) for s in priors])
    # First the range of the prior; then, if that is only an estimate, any duty of a motor.
    estimated = np.array([s.source in ESTIMATES for s in priors])
    slips = _refine_by_slot_harmonics(analysis, priors, low, high)
    slips = _refine_by_slot_harmonics(
        analysis, slips, np.where(estimated, LEAST_SLIP, np.nan), largest_slip
    )
    slips = _check_against_slot_harmonics(analysis, priors, slips, largest_slip)
    slips = _refine_by_sidebands(analysis, modulation, pairs, slips, low, high)
    confirmed = [
        p.source == "speed sensor" and s.source == "slot harmonics"
        for p, s in zip(priors, slips, strict=True)
    ]
    ranges = slip_agreement.nameplate_ranges(analysis, pairs)
    slips = slip_agreement.checked_against_nameplate(slips, confirmed, ranges)
    other_low, other_high = slip_agreement.other_slips(slips, ranges, LEAST_SLIP, largest_slip)
    return SlipAnalysis(
        pole_pairs=pairs,
        slips=tuple(slips),
        other_low=other_low,
        other_high=other_high,
        modulation=modulation,
        voltage=voltage,
    )


def _priors(analysis: CurrentAnalysis, pairs: Sequence[int | None]) -> list[Slip]:
    """Return the slips by speed sensor or nameplate."""
    rms_a = analysis.current_rms_a
    return [
        no_slip(problems[0])
        if problems
        else slip_prior(
            analysis.recordings[i],
            analysis.motors[i],
            pairs[i],
            float(analysis.f0_hz[i]),
            float(rms_a[i]),
        )
        for i, problems in enumerate(analysis.problems)
    ]


def _largest_slip(
    analysis: CurrentAnalysis, pairs: Sequence[int | None], priors: Sequence[Slip]
) -> Float64:
    """Return the largest slip at any duty: half more than rated, or the largest of the prior."""
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
    clear = _are_clear(s)
    return [
        Slip(float(s.slip[i]), float(s.half[i]), "slot harmonics", slip.reason, None, slip.rounding)
        if clear[i] and unrefined[i]
        else slip
        for i, slip in enumerate(slips)
    ]


def _check_against_slot_harmonics(
    analysis: CurrentAnalysis, priors: list[Slip], slips: list[Slip], largest_slip: Float64
) -> list[Slip]:
    """Return the slips, those by a speed held against slot harmonics at any duty.

    If these are clear at another slip, the slip is not known. If they are highest there but not
    clear, the sensor's counts. A broken rotor cage has sidebands 2sf from the slot harmonics, which
    fit a speed that is slightly wrong.
    """
    sensor = np.array([p.source == "speed sensor" for p in priors])
    bars = np.where(sensor, analysis.bars_per_pair, np.nan)
    if analysis.slot_band is None or not np.isfinite(bars).any():
        return slips
    s = slot_harmonics.slot_harmonics(
        analysis.slot_band,
        analysis.windowed_f0_hz,
        bars,
        np.where(sensor, LEAST_SLIP, np.nan),
        largest_slip,
    )
    clear, checked = _are_clear(s), list(slips)
    for i in np.flatnonzero(np.isfinite(bars)).tolist():
        slots = Slip(float(s.slip[i]), float(s.half[i]), "slot harmonics")
        if abs(slots.value - slips[i].value) <= slots.half + slips[i].half:
            continue
        checked[i] = priors[i]
        if clear[i]:
            other = SlipRange(max(slots.low, 0.0), slots.high, slots.source)
            checked[i] = no_slip(slip_agreement.sources_disagree(priors[i], other))
    return checked


def _are_clear(s: slot_harmonics.SlotLines) -> Bool:
    return np.asarray(
        (s.score > MIN_SLOT_SCORE) & (s.lead > MIN_SLOT_LEAD) & (s.strongest > MIN_OVER_FLOOR_CLEAR)
    )


def _refine_by_sidebands(
    analysis: CurrentAnalysis,
    modulation: modulation_spectrum.Modulation,
    pairs: Sequence[int | None],
    slips: list[Slip],
    low: Float64,
    high: Float64,
) -> list[Slip]:
    """Return the slips, estimated ones replaced if rotor speed sidebands are clear.

    Two-pole motors keep theirs: a line at their f - fr need not be the rotor's. It lies at s*f,
    next to the offset of the clamps, its drift, and noise that only the winding's resistance
    limits.
    """
    open_ = np.array([s.source in ESTIMATES and p != 1 for s, p in zip(slips, pairs, strict=True)])
    if not open_.any():
        return slips
    rotation_hz = np.where(open_, analysis.f0_hz / np.array([p or 1 for p in pairs]), np.nan)
    low_hz, high_hz = rotation_hz * (1 - high), rotation_hz * (1 - low)
    line = modulation_spectrum.strongest(modulation, low_hz, high_hz)
    hz = modulation_spectrum.refined_hz(modulation, line)
    half = PLACE_BINS * modulation.bin_hz / rotation_hz
    clear = open_ & (line.statistic > MIN_OVER_FLOOR_CLEAR) & np.isnan(line.neighbour_hz)
    guessed = np.array([s.is_guessed for s in slips])
    if (clear & guessed).any():
        clear &= ~guessed | _is_only_line(modulation, line, low_hz, high_hz)
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


def _is_only_line(
    m: modulation_spectrum.Modulation,
    line: modulation_spectrum.StrongestLine,
    low_hz: Float64,
    high_hz: Float64,
) -> Bool:
    """Return whether no other line is between two frequencies, shape (batch,)."""
    apart_hz = OTHER_LINE_BINS * m.bin_hz
    alone = np.ones(len(line.hz), bool)
    for low, high in ((low_hz, line.hz - apart_hz), (line.hz + apart_hz, high_hz)):
        searched = high > low
        other = modulation_spectrum.strongest(
            m, np.where(searched, low, np.nan), np.where(searched, high, np.nan)
        )
        limit = np.maximum(MIN_OVER_FLOOR_WIDE, MIN_OTHER_SHARE * line.statistic)
        alone &= other.statistic < limit
    return alone
