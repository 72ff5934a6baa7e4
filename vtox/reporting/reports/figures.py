"""The drawings of a record with what they say: spectra and their lines, waveforms, phasors."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from html import escape

from vtox.motor.diagnosis.spectra.phasors import phasors
from vtox.motor.diagnosis.spectra.record import spectrum
from vtox.motor.diagnosis.spectra.spectrum import ExpectedLine, Kind, Spectrum, thinned
from vtox.motor.errors import SpectrumError
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CHANNEL_UNITS, Motor, Recording
from vtox.motor.values.plain_data import digits
from vtox.reporting.reports import charts, views
from vtox.reporting.reports.cards import fault_name, words, worst_first
from vtox.reporting.reports.contents import ReportRecord
from vtox.reporting.reports.elements import facts, minus
from vtox.reporting.reports.texts import say
from vtox.reporting.reports.views import SpectrumView

# Rows of a table of lines; of a comb all that were found are among them.
MAX_ROWS = 14


def record_figures(
    record: ReportRecord,
    recording: Recording,
    motor: Motor | None,
    baseline: Baseline | None,
    hidden: Collection[str],
    text: Mapping[str, str],
) -> str:
    """Return all drawings of a record, without what is `hidden` (`views.hidden_parts`)."""
    whole: dict[Kind, Spectrum | SpectrumError] = {}
    parts = [f'<p class="small soft">{escape(text["key"])}</p>']
    ranked = worst_first(record.verdicts)
    for view in views.spectrum_views(ranked, recording.channels, hidden):
        if view.kind not in whole:
            try:
                whole[view.kind] = spectrum(
                    recording, motor, baseline, kind=view.kind, channel=None, faults=record.faults
                )
            except SpectrumError as error:
                whole[view.kind] = error
        parts.append(_spectrum_figure(whole[view.kind], view, text))
    for names, seconds in views.waveform_groups(recording.channels, hidden):
        shown = {n: recording.channels[n] for n in names}
        chart = charts.waveform_chart(shown, recording.fs_hz, seconds, text)
        part = say(
            text,
            "waveform_part",
            seconds=digits(min(seconds, recording.duration_s)),
            whole=digits(round(recording.duration_s, 3)),
        )
        parts.append(_figure(f"{text['waveform']}: {', '.join(names)}", part, chart))
    if "phasors" not in hidden:
        parts.append(_phasor_figure(recording, motor, text))
    return "".join(parts)


def _spectrum_figure(
    found: Spectrum | SpectrumError, view: SpectrumView, text: Mapping[str, str]
) -> str:
    title = text[f"kind_{view.kind}"]
    reader = (
        say(text, "decides", fault=fault_name(view.fault, text)) if view.fault else text["overview"]
    )
    if isinstance(found, SpectrumError):
        why = escape(say(text, "no_spectrum", reason=found))
        return _figure(title, reader, f'<p class="soft">{why}</p>')
    end_hz = float(found.hz[-1])
    high_hz = view.high_hz or end_hz
    if view.harmonics and found.supply_hz:
        high_hz = view.harmonics * found.supply_hz
    high_hz = min(high_hz, end_hz)
    low_hz = min(view.low_hz, 0.9 * high_hz)
    part = thinned(found, low_hz, high_hz, charts.POINTS)
    about = f'<p class="small soft">{escape(" · ".join(_about(part, text)))}</p>'
    if not view.fault:
        # So wide that the names of lines would cover each other: another drawing has them.
        nameless = replace(part, lines=tuple(_without_name(x) for x in part.lines))
        chart = charts.spectrum_chart(nameless, low_hz, high_hz, text)
        return _figure(title, reader, f"{chart}{about}")
    part = replace(part, lines=tuple(x for x in part.lines if _concerns(x, view)))
    chart = charts.spectrum_chart(part, low_hz, high_hz, text)
    return _figure(title, reader, f"{chart}{about}{_diagnosed_lines(part.lines, text)}")


def _concerns(line: ExpectedLine, view: SpectrumView) -> bool:
    """Return whether a line is of the diagnosis that is shown, or of none."""
    return line.fault in (view.fault, None)


def _without_name(line: ExpectedLine) -> ExpectedLine:
    return line if line.name in ("supply", "shaft") else replace(line, name="")


def _figure(title: str, about: str, body: str) -> str:
    head = f'<figcaption><b>{escape(title)}</b> <span class="soft">{escape(about)}</span>'
    return f"<figure>{head}</figcaption>{body}</figure>"


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


def _diagnosed_lines(lines: tuple[ExpectedLine, ...], text: Mapping[str, str]) -> str:
    """Return the lines of a diagnosis; found ones first, the rest if it fits."""
    examined = [x for x in lines if x.fault]
    if not examined:
        return ""
    ranked = sorted(examined, key=lambda x: (not x.found, x.hz))
    shown = ranked[: max(MAX_ROWS, sum(bool(x.found) for x in ranked))]
    names = ("name", "formula", "expected", "measured", "level", "above", "baseline")
    head = "".join(
        f'<th scope="col"{"" if i < 2 else " class=n"}>{escape(text[f"line_{n}"])}</th>'
        for i, n in enumerate(names)
    )
    rows = "".join(_line_row(x, text) for x in shown)
    more = len(ranked) - len(shown)
    note = escape(say(text, "lines_more", count=more)) if more else ""
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div>" + (f'<p class="small soft">{note}</p>' if note else "")
    )


def _line_row(x: ExpectedLine, text: Mapping[str, str]) -> str:
    above = None if x.level_db is None or x.floor_db is None else x.level_db - x.floor_db
    numbers = (
        f"{x.hz:.3f} Hz",
        "–" if x.found_hz is None else f"{x.found_hz:.3f} Hz",
        *(_decibel(v) for v in (x.level_db, above, x.baseline_db)),
    )
    cells = "".join(f'<td class="n">{escape(v)}</td>' for v in numbers)
    name = escape(charts.line_name(x.name, text))
    return (
        f'<tr class="{charts.tone(x)}"><th scope="row">{name}</th>'
        f"<td><code>{escape(x.formula)}</code></td>{cells}</tr>"
    )


def _decibel(value: float | None) -> str:
    return "–" if value is None else f"{minus(f'{value:.2f}')} dB"


def _phasor_figure(recording: Recording, motor: Motor | None, text: Mapping[str, str]) -> str:
    """Return the phasors; nothing where the currents have none."""
    try:
        found = phasors(recording, motor)
    except SpectrumError:
        return ""
    values = [
        (
            p.channel,
            say(
                text,
                "phasor",
                rms=digits(p.rms),
                unit=CHANNEL_UNITS[p.channel],
                degrees=_degrees(p.angle_deg),
            ),
        )
        for p in found.phasors
    ]
    for name in ("negative_sequence_ratio", "voltage_unbalance_ratio", "zero_sequence_ratio"):
        ratio = getattr(found, name)
        shown = text["not_measured"] if ratio is None else f"{100 * ratio:.2f} %"
        values.append((text[f"phasor_{name}"], shown))
    lag = found.lag_deg
    values.append(
        (text["phasor_lag"], text["not_measured"] if lag is None else f"{_degrees(lag)}°")
    )
    body = f'<div class="beside">{charts.phasor_chart(found)}{facts(values)}</div>'
    return _figure(text["phasors"], f"{found.supply_hz:.3f} Hz", body)


def _degrees(angle_deg: float) -> str:
    return minus(f"{round(angle_deg, 1) + 0.0:.1f}")
