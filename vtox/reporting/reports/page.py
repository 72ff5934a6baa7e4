"""The page of a report for people: one HTML text without scripts and without any other file.

Drawn from the contents alone, so that the same contents give the same page.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from html import escape
from pathlib import Path

from threadpoolctl import threadpool_limits

from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate_ranges import RANGES
from vtox.motor.values.plain_data import digits
from vtox.motor.words.catalogue import catalogue
from vtox.reporting.reports.cards import fault_name, state_pill, verdict_card, worst_first
from vtox.reporting.reports.contents import (
    Contents,
    ReportedMachine,
    ReportRecord,
    Table,
    baseline_of,
    motor_of,
    recording_of,
)
from vtox.reporting.reports.document import PLACE, hash_of_data
from vtox.reporting.reports.elements import facts, indicator_name, utc
from vtox.reporting.reports.energy import energy_card
from vtox.reporting.reports.events import event_section
from vtox.reporting.reports.figures import record_figures
from vtox.reporting.reports.texts import language_of, say, texts
from vtox.reporting.reports.trend_charts import trend_section
from vtox.reporting.reports.views import hidden_parts

STYLE = Path(__file__).parent / "report.css"
# Nothing is run and nothing is fetched, by any texts in it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
# Shown in another way: the place in the subject, the bearing by its designation or orders.
_NO_ROWS = {"bearing", "site", "asset_path", "feeder"}
PLATE = tuple(f.name for f in fields(Motor) if f.name not in _NO_ROWS)


def page(contents: Contents) -> str:
    """Return the page, with `vtox.reporting.reports.document.PLACE` where the data belong.

    Raises `ReportError`: the contents are no records of a machine.
    """
    text = texts(contents.language)
    title = f"{text['title']}: {_subject(contents)}"
    with threadpool_limits(1):
        body = "".join(_body(contents, text))
    return (
        f'<!doctype html>\n<html lang="{catalogue(language_of(text)).tag}">\n<head>\n'
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE.read_text('utf-8')}</style>\n</head>\n"
        f"<body>\n{body}\n{PLACE}\n</body>\n</html>\n"
    )


def _subject(contents: Contents) -> str:
    return contents.machine.machine_id or ", ".join(r.name for r in contents.records[:3])


def _body(contents: Contents, text: Mapping[str, str]) -> Iterator[str]:
    motor, baseline = motor_of(contents.machine), baseline_of(contents.machine)
    made = say(text, "made", when=utc(contents.made_t))
    by = say(text, "by", version=contents.environment.vtox)
    yield (
        f'<header class="top"><p class="brand">VTOX <span>{escape(text["title"])}</span></p>'
        f'<h1>{escape(_subject(contents))}</h1><p class="soft">{escape(made)} {escape(by)}</p>'
        f"{_summary(contents, text)}</header>\n<main>"
    )
    yield event_section(contents, text)
    for number, record in enumerate(contents.records, start=1):
        yield _record(number, record, contents, text)
        recording = recording_of(record)
        hidden = hidden_parts(record.family, {r.family for r in contents.records})
        figures = record_figures(record, recording, motor, baseline, hidden, text)
        yield f'<section class="figures">{figures}</section></section>'
    if contents.scalars:
        yield _scalars(contents.scalars, text)
    if contents.machine.machine_id:
        yield trend_section(contents.trend, text, contents.growth)
    yield _machine(contents.machine, text)
    yield _checking(contents, text)
    yield f'<p class="small soft">{escape(text["standard"])}</p></main>'


def _summary(contents: Contents, text: Mapping[str, str]) -> str:
    """Return the newest verdict on each fault, the worst first."""
    oldest_first = sorted(contents.records, key=lambda r: r.t_start or 0.0)
    newest = {v["fault"]: v for record in oldest_first for v in record.verdicts}
    items = "".join(
        f"<li>{escape(fault_name(v['fault'], text))} {state_pill(v['state'], text)}</li>"
        for v in worst_first(list(newest.values()))
    )
    return f'<ul class="summary">{items}</ul>'


def _record(number: int, record: ReportRecord, contents: Contents, text: Mapping[str, str]) -> str:
    """Return the diagnoses of a record; its section is open, for the drawings follow."""
    samples = record.channels[0].samples
    about = [
        say(
            text, "record_facts", seconds=digits(samples / record.fs_hz), rate=digits(record.fs_hz)
        ),
        " ".join(c.name for c in record.channels),
    ]
    if record.t_start is not None:
        about.append(say(text, "record_start", when=utc(record.t_start)))
    if record.speed_rpm is not None:
        about.append(say(text, "record_speed", rpm=digits(record.speed_rpm)))
    if record.temperature_c is not None:
        about.append(say(text, "record_temperature", celsius=digits(record.temperature_c)))
    of = f"{text['record']} {number}: " if len(contents.records) > 1 else f"{text['record']}: "
    name = record.name
    if record.family:
        about.append(record.name)
        name = ", ".join(fault_name(f, text) for f in record.faults)
    cards = "".join(verdict_card(v, text) for v in worst_first(record.verdicts))
    return (
        f'<section class="record"><h2>{escape(of)}{escape(name)}</h2>'
        f'<p class="soft">{escape(" · ".join(about))}</p>'
        f'<h2 class="minor">{escape(text["diagnosis"])}</h2><div class="cards">{cards}</div>'
        f"{energy_card(record.energy, text)}"
        f'<h2 class="minor">{escape(text["signals"])}</h2>'
    )


def _scalars(scalars: list[Table], text: Mapping[str, str]) -> str:
    """Return the latest scalars: value, zone, state by its limits, and when."""
    rows = []
    for s in scalars:
        parts = [f"{digits(s['value'])} {s['unit']}"]
        parts += [say(text, "scalar_zone", zone=s["zone"])] if "zone" in s else []
        parts += [text.get(f"state_{s['state']}", "")] if s["state"] else []
        rows.append((str(s["name"]).replace("_", " "), " · ".join([*parts, utc(s["t"])])))
    return f"<section><h2>{escape(text['scalars'])}</h2>{facts(rows)}</section>"


def _machine(machine: ReportedMachine, text: Mapping[str, str]) -> str:
    plate = machine.nameplate
    rows = list(_plate_rows(plate, text)) if plate else []
    body = facts([*rows, *_baseline_rows(machine, text)])
    if not plate:
        body = f'<p class="soft">{escape(text["nameplate_none"])}</p>{body}'
    return f"<section><h2>{escape(text['machine'])}</h2>{body}</section>"


def _plate_rows(plate: Mapping[str, object], text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in PLATE:
        if name in plate:
            value, unit = plate[name], indicator_name(name, text)[1]
            if name in RANGES and isinstance(value, int | float):
                value, prefix = RANGES[name].for_people(value)
                unit = prefix + unit
            known = digits(value)
            yield text[f"plate_{name}"], f"{text.get(f'plate_{known}', known)} {unit}".strip()
    bearing = plate.get("bearing")
    if not isinstance(bearing, dict):
        return
    if designation := bearing.get("designation"):
        yield text["plate_bearing"], str(designation)
    if orders := bearing.get("orders"):
        for name, order in orders.items():
            value = say(text, "plate_order", order=digits(order))
            yield f"{text['plate_bearing']} {name}", value
    elif bearing.get("balls") is not None:
        values = [bearing.get(k) for k in ("balls", "ball_diameter_mm", "pitch_diameter_mm")]
        balls, ball, pitch = map(digits, values)
        balls_text = say(text, "plate_balls", balls=balls, ball=ball, pitch=pitch)
        yield text["plate_bearing"], balls_text


def _baseline_rows(machine: ReportedMachine, text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    baseline, about = baseline_of(machine), machine.baseline_about
    if baseline is None:
        yield text["baseline"], text["baseline_none"]
        return
    seconds = digits(round(baseline.seconds, 1))
    learnt = say(text, "baseline_learnt", records=baseline.records, seconds=seconds)
    if "version" in about:
        version = say(text, "baseline_version", version=about["version"])
        learnt = f"{version}, {learnt}"
    yield text["baseline"], learnt
    loads = [(b.low_a, b.high_a) for b in baseline.bands if b.high_a]
    if loads:
        low, high = min(a for a, _ in loads), max(b for _, b in loads)
        shown = say(text, "baseline_load", low=digits(low), high=digits(high))
        yield text["baseline_loads"], shown


def _checking(contents: Contents, text: Mapping[str, str]) -> str:
    environment = [
        (text[f"environment_{name}"], value)
        for name, value in contents.environment.model_dump().items()
    ]
    samples = "".join(_samples_rows(contents, text))
    return (
        f'<section class="checking"><h2>{escape(text["checking"])}</h2>'
        f"<p>{escape(text['checking_text'])}</p><pre>vtox verify report.html</pre>"
        f"<p>{escape(text['checking_promise'])}</p>{facts(environment)}"
        f"<h3>{escape(text['samples'])}</h3><dl class=facts>{samples}</dl>"
        f"<h3>{escape(text['hash'])}</h3>"
        f'<p class="hash"><code>{hash_of_data(contents)}</code></p></section>'
    )


def _samples_rows(contents: Contents, text: Mapping[str, str]) -> Iterator[str]:
    for number, record in enumerate(contents.records, start=1):
        for channel in record.channels:
            form = "integer" if channel.kind[0] == "i" else "float"
            value = say(
                text,
                "samples_channel",
                samples=channel.samples,
                bits=8 * int(channel.kind[1]),
                form=text[f"form_{form}"],
            )
            name = f"{number}: {channel.name}" if len(contents.records) > 1 else channel.name
            yield f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
