"""Spectra of currents: of one channel, and of the modulation in which the diagnoses read levels."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from vtox.motor.diagnosis.diagnosers.broken_bar import sidebands
from vtox.motor.diagnosis.diagnosers.broken_bar.evidence import conditions, evidence
from vtox.motor.diagnosis.diagnosers.broken_bar.starting import starts
from vtox.motor.diagnosis.diagnosers.current.slip import SlipAnalysis, analyse_slip
from vtox.motor.diagnosis.diagnosers.eccentricity.sidebands import rotation_sidebands
from vtox.motor.diagnosis.diagnosers.features import ROTATION_SIDEBANDS, SLIP_SIDEBANDS
from vtox.motor.diagnosis.diagnosers.shared_analysis import SharedAnalysis
from vtox.motor.diagnosis.dsp import demodulation, modulation_spectrum
from vtox.motor.diagnosis.dsp.modulation_spectrum import MIN_OVER_FLOOR_AT_PLACE
from vtox.motor.diagnosis.spectra.spectrum import (
    frequencies_hz,
    hann_amplitudes,
    noise_floor,
    read_between,
)
from vtox.motor.faults import OF_SLIP
from vtox.motor.values.arrays import Float64, db, power_db
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Reason
from vtox.motor.values.spectra import ExpectedLine, Spectrum

# Bins within which a place that the diagnosis found is read in the spectrum of a channel.
READ_BINS = 1.0


def channel_spectrum(
    shared: SharedAnalysis, channel: str, faults: Collection[str], baseline: Baseline | None
) -> Spectrum | Reason:
    """Return the spectrum of one current, dB of its supply line, or why there is none."""
    analysis = shared.analysis
    if analysis.problems[0]:
        return analysis.problems[0][0]
    x = analysis.recordings[0].channels[channel]
    f0_hz = float(analysis.f0_hz[0])
    amplitude, step_hz = hann_amplitudes(x, analysis.fs_hz)
    hz = frequencies_hz(len(amplitude), step_hz)
    near = np.abs(hz - f0_hz) <= analysis.fs_hz / len(x) * READ_BINS
    power = (amplitude / max(float(amplitude[near].max(initial=0.0)), 1e-30)) ** 2
    levels_db = power_db(power)
    bin_hz = analysis.fs_hz / len(x)
    return replace(
        _spectrum(shared, (channel,), hz, levels_db, power_db(noise_floor(power)), bin_hz),
        kind="current",
        lines=tuple(
            _read(line, hz, levels_db, bin_hz) for line in _lines(shared, faults, baseline)
        ),
    )


def demodulated_spectrum(
    shared: SharedAnalysis, faults: Collection[str], baseline: Baseline | None
) -> Spectrum | Reason:
    """Return the sidebands of the supply line, dB of it, or why there are none.

    Amplitude and phase modulation of all currents together make it below and above the supply line,
    which itself is removed. The diagnoses read their levels in this very spectrum.
    """
    analysis, slip = shared.analysis, _slip_analysis(shared)
    if analysis.problems[0]:
        return analysis.problems[0][0]
    assert slip is not None
    f0_hz = float(analysis.f0_hz[0])
    m = slip.modulation
    if not OF_SLIP.isdisjoint(faults) and slip.slips[0].is_known:
        m, _ = sidebands.strongest_line(analysis, slip)
    lower, upper = (x[0] for x in m.sideband_spectra())
    d_hz = frequencies_hz(len(lower), m.step_hz)
    shown = (d_hz >= modulation_spectrum.LINE_BINS * m.bin_hz) & (
        d_hz <= (1 - demodulation.FADE) * d_hz[-1]
    )
    below = shown & (d_hz < f0_hz)
    sides = [(f0_hz - d_hz[below], lower[below]), (f0_hz + d_hz[shown], upper[shown])]
    (low_hz, low), (high_hz, high) = sides
    floors = [power_db(noise_floor(x**2)) for x in (low, high)]
    hz = np.concatenate([low_hz[::-1], [f0_hz], high_hz])
    levels_db = np.concatenate([db(low)[::-1], [np.nan], db(high)])
    floor_db = np.concatenate([floors[0][::-1], [np.nan], floors[1]])
    return replace(
        _spectrum(shared, analysis.currents, hz, levels_db, floor_db, m.bin_hz),
        lines=tuple(
            line if line.fault else _read(line, hz, levels_db, m.bin_hz)
            for line in _lines(shared, faults, baseline)
        ),
    )


def _spectrum(
    shared: SharedAnalysis,
    channels: Sequence[str],
    hz: Float64,
    levels_db: Float64,
    floor_db: Float64,
    bin_hz: float,
) -> Spectrum:
    """Return a spectrum of currents with the slip and the speed that its lines rest on."""
    analysis, slip_analysis = shared.analysis, _slip_analysis(shared)
    f0_hz = float(analysis.f0_hz[0])
    slip = slip_analysis.slips[0] if slip_analysis else None
    pairs = slip_analysis.pole_pairs[0] if slip_analysis else None
    known = slip is not None and slip.is_known
    return Spectrum(
        kind="demodulated",
        channels=tuple(channels),
        reference="supply line",
        hz=hz,
        levels_db=levels_db,
        floor_db=floor_db,
        resolution_hz=bin_hz,
        supply_hz=f0_hz,
        slip=slip.value if slip and known else None,
        slip_source=slip.source if slip and known else None,
        shaft_hz=f0_hz / pairs * (1 - slip.value) if slip and known and pairs else None,
        shaft_source=(slip.source,) if slip and known and pairs else (),
    )


def _slip_analysis(shared: SharedAnalysis) -> SlipAnalysis | None:
    return shared.slip or analyse_slip(shared.analysis)


def _lines(
    shared: SharedAnalysis, faults: Collection[str], baseline: Baseline | None
) -> Iterator[ExpectedLine]:
    """Yield the supply line and its sidebands, those of `faults` as their diagnoses measure them.

    The other ones are in the record too, but no diagnosis examines them there.
    """
    f0_hz = float(shared.analysis.f0_hz[0])
    yield ExpectedLine(name="supply", formula="f", hz=f0_hz, low_hz=f0_hz, high_hz=f0_hz)
    slip = _slip_analysis(shared)
    if slip is None or not slip.slips[0].is_known:
        return
    pairs = [*_slip_sidebands(shared, slip, baseline)]
    if slip.pole_pairs[0]:
        pairs += _rotation_sidebands(shared, slip, baseline)
    for line in pairs:
        examined = line.fault in faults
        yield line if examined else replace(line, fault=None, decided_in=None, found=None)


def _slip_sidebands(
    shared: SharedAnalysis, slip_analysis: SlipAnalysis, baseline: Baseline | None
) -> Iterator[ExpectedLine]:
    analysis = shared.analysis
    c = conditions(analysis, slip_analysis, starts(analysis))
    x = evidence(analysis, slip_analysis, c, [None], np.zeros(1, int))
    f0_hz, slip = float(x.f0_hz[0]), slip_analysis.slips[0]
    healthy = baseline.level(SLIP_SIDEBANDS, float(x.load_a[0])) if baseline else None
    for name, formula, sign, level_dbc in (
        ("lower sideband 2sf", "f(1-2s)", -1, x.lower_dbc),
        ("upper sideband 2sf", "f(1+2s)", 1, x.upper_dbc),
    ):
        near, far = (f0_hz * (1 + 2 * sign * s) for s in (slip.low, slip.high))
        yield ExpectedLine(
            name=name,
            formula=formula,
            hz=f0_hz + sign * float(x.distance_hz[0]),
            low_hz=min(near, far),
            high_hz=max(near, far),
            found_hz=f0_hz + sign * float(x.hz[0]),
            level_db=float(level_dbc[0]),
            floor_db=float(x.floor_dbc[0]),
            # The deciding level is learnt: of the lower one, or of both.
            baseline_db=healthy.mean if healthy and sign < 0 else None,
            fault="broken_bar",
            decided_in="demodulated",
            found=bool(x.is_line[0]),
        )


def _rotation_sidebands(
    shared: SharedAnalysis, slip_analysis: SlipAnalysis, baseline: Baseline | None
) -> Iterator[ExpectedLine]:
    lines = rotation_sidebands(shared.analysis, slip_analysis)
    slip, pole_pairs = slip_analysis.slips[0], slip_analysis.pole_pairs[0]
    assert pole_pairs
    f0_hz = float(shared.analysis.f0_hz[0])
    load_a = float(shared.analysis.current_rms_a[0])
    synchronous_hz = f0_hz / pole_pairs
    least_db = 10 * np.log10(MIN_OVER_FLOOR_AT_PLACE)
    for side, (name, formula, sign) in enumerate(
        (
            ("lower rotation sideband", "f-fr", -1),
            ("upper rotation sideband", "f+fr", 1),
        )
    ):
        ends = [f0_hz + sign * synchronous_hz * (1 - s) for s in (slip.low, slip.high, slip.value)]
        healthy = baseline.level(ROTATION_SIDEBANDS[side], load_a) if baseline else None
        level_db, floor_db = float(lines.levels_dbc[side, 0]), float(lines.floors_dbc[side, 0])
        yield ExpectedLine(
            name=name,
            formula=formula,
            hz=ends[2],
            low_hz=min(ends[:2]),
            high_hz=max(ends[:2]),
            found_hz=f0_hz + sign * float(lines.rotation_hz[0]),
            level_db=level_db,
            floor_db=floor_db,
            baseline_db=healthy.mean if healthy else None,
            fault="eccentricity",
            decided_in="demodulated",
            found=level_db - floor_db >= least_db,
        )


def _read(line: ExpectedLine, hz: Float64, levels_db: Float64, bin_hz: float) -> ExpectedLine:
    """Return a line as it appears in this spectrum, at the place its diagnosis found, if any."""
    at = line.hz if line.found_hz is None else line.found_hz
    reach = READ_BINS * bin_hz
    return read_between(line, hz, levels_db, at - reach, at + reach)
