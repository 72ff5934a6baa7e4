"""Spectra of vibration: as it is, and the envelope spectrum in which bearings are diagnosed."""

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import numpy as np

from vtox.motor.diagnosis.diagnosers.bearing.diagnoser import Examination
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews
from vtox.motor.diagnosis.diagnosers.bearing.row import examine_bearing
from vtox.motor.diagnosis.diagnosers.bearing.search import CombSearch
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SLIPPAGE
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import SHAFT_MULTIPLES, Speed
from vtox.motor.diagnosis.diagnosers.shared_analysis import SharedAnalysis
from vtox.motor.diagnosis.dsp import comb, comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import BEARING_CAGE, HARMONICS, OUTSIDE_BINS, PLAIN
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.diagnosis.spectra.spectrum import (
    frequencies_hz,
    hann_amplitudes,
    noise_floor,
    read_between,
)
from vtox.motor.values.arrays import TINY, Float64, Int, power_db
from vtox.motor.values.domain import Reason
from vtox.motor.values.spectra import ExpectedLine, Spectrum

# Distance of the sidebands of a comb, as written in formulas.
SIDEBANDS = {PLAIN: "", comb_plan.SHAFT: "fr", BEARING_CAGE: "FTF"}


def vibration_spectrum(shared: SharedAnalysis, channel: str) -> Spectrum:
    """Return the spectrum of one vibration channel, dB of 1 m/s^2 rms, with the shaft's lines."""
    recording = shared.analysis.recordings[0]
    x = recording.channels[channel]
    amplitude, step_hz = hann_amplitudes(x, recording.fs_hz)
    power = (amplitude / sqrt(2)) ** 2
    examination = examine_bearing(shared)
    speed = _speed(examination)
    hz, bin_hz = frequencies_hz(len(power), step_hz), recording.fs_hz / len(x)
    levels_db, floor_db = power_db(power), power_db(noise_floor(power))
    lines = _machine_lines(speed, examination.views) if speed else ()
    return Spectrum(
        kind="vibration",
        channels=(channel,),
        reference="1 m/s^2 rms",
        hz=hz,
        levels_db=levels_db,
        floor_db=floor_db,
        resolution_hz=bin_hz,
        lines=tuple(_read(line, hz, levels_db, floor_db, bin_hz) for line in lines),
        shaft_hz=speed.hz if speed else None,
        shaft_source=speed.source if speed else (),
    )


def envelope_spectrum_of(shared: SharedAnalysis, channel: str | None) -> Spectrum | Reason:
    """Return the envelope spectrum in which a defect shows best, dB of the mean envelope.

    It is a view of the search for combs: the band, of `channel` or of any, in which the leading
    comb of the diagnosis is highest. If no comb was searched, the result is the reason.
    """
    examination = examine_bearing(shared)
    views, signs = examination.views, examination.signs
    if views is None:
        return examination.problems[0]
    search = signs.search if signs else None
    view = _view(examination, channel)
    own_channel, low_hz, high_hz = views.band(view)
    bins = views.lines.shape[1]
    power = views.power[view, :bins].astype(np.float64)
    # The mean of the envelope lies in the first bins, and is removed.
    power[: int(np.argmax(power > 0))] = np.nan
    over = np.maximum(views.lines[view].astype(np.float64), TINY)
    speed = search.speed if search else views.setup.speed
    hz = frequencies_hz(bins, views.df_hz)
    levels_db, floor_db = power_db(power), power_db(power / over)
    machine = _machine_lines(speed, views)
    return Spectrum(
        kind="envelope",
        channels=(own_channel,),
        reference="mean envelope",
        hz=hz,
        levels_db=levels_db,
        floor_db=floor_db,
        resolution_hz=views.df_hz,
        lines=(
            *(_read(line, hz, levels_db, floor_db, views.df_hz) for line in machine),
            *(_combs(views, search, view) if search else ()),
        ),
        supply_hz=views.setup.supply_hz,
        shaft_hz=speed.hz,
        shaft_source=speed.source,
        band_hz=(low_hz, high_hz),
    )


def _speed(examination: Examination) -> Speed | None:
    if examination.signs:
        return examination.signs.search.speed
    return examination.views.setup.speed if examination.views else None


def _view(examination: Examination, channel: str | None) -> int:
    """Return the view in which the leading comb is highest, of a channel or of all."""
    views, signs = examination.views, examination.signs
    assert views is not None
    per_channel = len(views.lines) // len(views.channels)
    first = views.channels.index(channel) * per_channel if channel else 0
    stop = first + per_channel if channel else len(views.lines)
    if signs is None or signs.leading is None:
        return stop - 1  # all bands, with equal weight
    view = signs.leading.finding.view
    if first <= view < stop:
        return view
    search = signs.search
    levels = comb.candidate_levels(search.rows[None], [search.plan])
    best = levels[:, search.plan.spans[signs.leading.defect]].max(axis=(0, 1))
    return first + int(np.argmax(best[first:stop]))


def _machine_lines(speed: Speed, views: EnvelopeViews | None) -> Iterator[ExpectedLine]:
    """Yield the lines of shaft and supply, which no diagnosis takes for a defect.

    The first multiples of the speed of rotation, and the magnetic pull at twice the frequency of a
    supply that is known.
    """
    for k in range(1, SHAFT_MULTIPLES + 1):
        hz = k * speed.hz
        yield ExpectedLine(
            name="shaft" if k == 1 else f"{k} x shaft",
            formula="fr" if k == 1 else f"{k}fr",
            hz=hz,
            low_hz=hz * (1 - speed.tolerance),
            high_hz=hz * (1 + speed.tolerance),
        )
    if views and views.setup.supply_hz:
        hz = 2 * views.setup.supply_hz
        yield ExpectedLine(name="2 x supply", formula="2f", hz=hz, low_hz=hz, high_hz=hz)


def _read(
    line: ExpectedLine, hz: Float64, levels_db: Float64, floor_db: Float64, bin_hz: float
) -> ExpectedLine:
    """Return a line with its highest level in its band, and the noise there."""
    found = read_between(line, hz, levels_db, line.low_hz - bin_hz / 2, line.high_hz + bin_hz / 2)
    if found.found_hz is None:
        return found
    return replace(found, floor_db=float(floor_db[np.searchsorted(hz, found.found_hz)]))


def _combs(views: EnvelopeViews, search: CombSearch, view: int) -> Iterator[ExpectedLine]:
    """Yield the harmonics of each defect, and the sidebands of a comb that has some."""
    for name, finding in search.findings.items():
        order = views.setup.orders[name]
        tolerance = SLIPPAGE + views.setup.order_tolerance + search.speed.tolerance
        plain = comb_plan.comb_bins(np.array([finding.number]), OUTSIDE_BINS)[:HARMONICS, 0]
        for k, at in enumerate(plain.tolist(), start=1):
            hz = k * order * search.speed.hz
            yield from _comb_line(
                views,
                view,
                int(at),
                name=f"{'' if k == 1 else f'{k} x '}{name}",
                formula=f"{k * order:.4g}fr",
                hz=hz,
                half_hz=tolerance * hz,
                found=finding.ratio >= 1,
            )
        if finding.sidebands != PLAIN and finding.ratio >= 1:
            yield from _sidebands(views, search, view, name, finding)


def _sidebands(
    views: EnvelopeViews, search: CombSearch, view: int, name: str, finding: Finding
) -> Iterator[ExpectedLine]:
    shift = search.plan.shifts[finding.sidebands]
    bins: Int = comb_plan.comb_bins(np.array([finding.number]), shift)[HARMONICS:, 0]
    word = SIDEBANDS[finding.sidebands]
    order = views.setup.orders[name]
    step_hz = shift * views.df_hz
    tolerance = SLIPPAGE + views.setup.order_tolerance + search.speed.tolerance
    for place, at in enumerate(bins.tolist()):
        k, sign = place % HARMONICS + 1, "-" if place < HARMONICS else "+"
        hz = k * order * search.speed.hz + (step_hz if sign == "+" else -step_hz)
        yield from _comb_line(
            views,
            view,
            int(at),
            name=f"{'' if k == 1 else f'{k} x '}{name} {sign} {word}",
            formula=f"{k * order:.4g}fr{sign}{word}",
            hz=hz,
            half_hz=tolerance * abs(hz),
            found=True,
        )


def _comb_line(
    views: EnvelopeViews,
    view: int,
    at: int,
    *,
    name: str,
    formula: str,
    hz: float,
    half_hz: float,
    found: bool,
) -> Iterator[ExpectedLine]:
    """Yield a line of a comb at a bin, nothing if that lies outside the spectrum."""
    if not 0 < at < views.lines.shape[1]:
        return
    power, over = float(views.power[view, at]), float(views.lines[view, at])
    yield ExpectedLine(
        name=name,
        formula=formula,
        hz=hz,
        low_hz=hz - half_hz,
        high_hz=hz + half_hz,
        found_hz=at * views.df_hz,
        level_db=float(power_db(power)),
        floor_db=float(power_db(power / over)) if over > 0 else None,
        fault="bearing",
        decided_in="envelope",
        found=found,
    )
