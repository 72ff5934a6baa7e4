"""The drawings of a record with their texts: spectra and their lines, waveforms, phasors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from vtox.motor.diagnosis.spectra.phasors import phasors
from vtox.motor.diagnosis.spectra.record import spectrum
from vtox.motor.diagnosis.spectra.spectrum import thinned
from vtox.motor.errors import SpectrumError
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CHANNEL_UNITS, Motor
from vtox.motor.values.plain_data import digits
from vtox.motor.values.spectra import ExpectedLine, Phasors, Spectrum, SpectrumKind
from vtox.reporting.reports import charts, views
from vtox.reporting.reports.cards import fault_name, words, worst_first
from vtox.reporting.reports.contents import ReportRecord, recording_of
from vtox.reporting.reports.elements import minus
from vtox.reporting.reports.svg import Drawing
from vtox.reporting.reports.texts import say
from vtox.reporting.reports.views import SpectrumView

# Rows of a table of lines; of a comb all that were found are among them.
MAX_ROWS = 14


@dataclass(frozen=True, slots=True)
class _Figure:
    """A drawing with its title, and the lines or phasors that it shows."""

    title: str
    about: str
    drawing: Drawing | None = None
    note: str = ""
    lines: Sequence[ExpectedLine] = ()
    # Lines that the table has no room for.
    more: int = 0
    phasors: Phasors | None = None


def record_figures(
    record: ReportRecord,
    motor: Motor | None,
    baseline: Baseline | None,
    hidden: Collection[str],
    text: Mapping[str, str],
) -> Iterator[_Figure]:
    """Yield all drawings of a record, without the `hidden` ones (`views.hidden_parts`)."""
    recording = recording_of(record)
    # A record of another version may have verdicts on others.
    faults = [f for f in record.faults if f in FAULTS]
    whole: dict[SpectrumKind, Spectrum | SpectrumError] = {}
    ranked = worst_first(record.verdicts)
    for view in views.spectrum_views(ranked, recording.channels, hidden):
        if view.kind not in whole:
            try:
                whole[view.kind] = spectrum(
                    recording, motor, baseline, kind=view.kind, channel=None, faults=faults
                )
            except SpectrumError as error:
                whole[view.kind] = error
        yield _spectrum_figure(whole[view.kind], view, text)
    for names, seconds in views.waveform_groups(recording.channels, hidden):
        shown = {n: recording.channels[n] for n in names}
        chart = charts.waveform_chart(shown, recording.fs_hz, seconds, text)
        part = say(
            text,
            "waveform_part",
            seconds=digits(min(seconds, recording.duration_s)),
            whole=digits(round(recording.duration_s, 3)),
        )
        yield _Figure(f"{text['waveform']}: {', '.join(names)}", part, chart)
    if "phasors" not in hidden:
        # Some currents have none.
        with suppress(SpectrumError):
            found = phasors(recording, motor)
            yield _Figure(text["phasors"], f"{found.supply_hz:.3f} Hz", phasors=found)


def phasor_rows(found: Phasors, text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names and values of phasors and of their ratios."""
    for p in found.phasors:
        unit, degrees = CHANNEL_UNITS[p.channel], _degrees(p.angle_deg)
        yield p.channel, say(text, "phasor", rms=digits(p.rms), unit=unit, degrees=degrees)
    for name in ("negative_sequence_ratio", "voltage_unbalance_ratio", "zero_sequence_ratio"):
        ratio = getattr(found, name)
        shown = text["not_measured"] if ratio is None else f"{100 * ratio:.2f} %"
        yield text[f"phasor_{name}"], shown
    lag = found.lag_deg
    yield text["phasor_lag"], text["not_measured"] if lag is None else f"{_degrees(lag)}°"


def _spectrum_figure(
    found: Spectrum | SpectrumError, view: SpectrumView, text: Mapping[str, str]
) -> _Figure:
    title = text[f"kind_{view.kind}"]
    reader = (
        say(text, "decides", fault=fault_name(view.fault, text)) if view.fault else text["overview"]
    )
    if isinstance(found, SpectrumError):
        return _Figure(title, reader, note=say(text, "no_spectrum", reason=found))
    end_hz = float(found.hz[-1])
    high_hz = view.high_hz or end_hz
    if view.harmonics and found.supply_hz:
        high_hz = view.harmonics * found.supply_hz
    high_hz = min(high_hz, end_hz)
    low_hz = min(view.low_hz, 0.9 * high_hz)
    part = thinned(found, low_hz, high_hz, charts.POINTS)
    about = " · ".join(_about(part, text))
    if not view.fault:
        # So wide that the names of lines would cover each other: another drawing has them.
        nameless = replace(part, lines=tuple(_without_name(x) for x in part.lines))
        return _Figure(title, reader, charts.spectrum_chart(nameless, low_hz, high_hz, text), about)
    part = replace(part, lines=tuple(x for x in part.lines if _concerns(x, view)))
    # Found ones first, the rest if it fits.
    ranked = sorted((x for x in part.lines if x.fault), key=lambda x: (not x.found, x.hz))
    shown = ranked[: max(MAX_ROWS, sum(bool(x.found) for x in ranked))]
    chart = charts.spectrum_chart(part, low_hz, high_hz, text)
    return _Figure(title, reader, chart, about, shown, len(ranked) - len(shown))


def _concerns(line: ExpectedLine, view: SpectrumView) -> bool:
    """Return whether a line is of the diagnosis that is shown, or of none."""
    return line.fault in (view.fault, None)


def _without_name(line: ExpectedLine) -> ExpectedLine:
    return line if line.name in ("supply", "shaft") else replace(line, name="")


def _about(s: Spectrum, text: Mapping[str, str]) -> Iterator[str]:
    yield say(text, "about_channel", channels=" + ".join(s.channels))
    if s.band_hz:
        yield say(text, "about_band", low=digits(s.band_hz[0]), high=digits(s.band_hz[1]))
    if s.supply_hz:
        yield say(text, "about_supply", hz=f"{s.supply_hz:.3f}")
    if s.slip is not None:
        yield say(
            text,
            "about_slip",
            percent=f"{100 * s.slip:.3f}",
            source=words(s.slip_source or "", text),
        )
    if s.shaft_hz:
        yield say(text, "about_shaft", hz=f"{s.shaft_hz:.3f}", rpm=f"{60 * s.shaft_hz:.1f}")
    yield say(text, "about_resolution", hz=digits(s.resolution_hz))


def _degrees(angle_deg: float) -> str:
    return minus(f"{round(angle_deg, 1) + 0.0:.1f}")
