"""Names and values that a report lists: of the machine and its records."""

from collections.abc import Iterator, Mapping

from vtox.motor.values.nameplate_fields import FIELDS
from vtox.motor.values.nameplate_ranges import RANGES
from vtox.motor.values.plain_data import digits
from vtox.reporting.reports.contents import ReportedMachine, ReportRecord, baseline_of
from vtox.reporting.reports.elements import indicator_name, utc
from vtox.reporting.reports.texts import say

# Shown in another way: the place in the subject, the bearing by its designation or orders.
_NO_ROWS = {"site", "asset_path", "feeder"}
_PLATE = tuple(f.name for f in FIELDS if "." not in f.name and f.name not in _NO_ROWS)


def record_about(record: ReportRecord, text: Mapping[str, str]) -> Iterator[str]:
    """Yield length, channels and circumstances of a record."""
    seconds = digits(record.channels[0].samples / record.fs_hz)
    yield say(text, "record_facts", seconds=seconds, rate=digits(record.fs_hz))
    yield " ".join(c.name for c in record.channels)
    if record.t_start is not None:
        yield say(text, "record_start", when=utc(record.t_start))
    if record.speed_rpm is not None:
        yield say(text, "record_speed", rpm=digits(record.speed_rpm))
    if record.temperature_c is not None:
        yield say(text, "record_temperature", celsius=digits(record.temperature_c))
    if record.family:
        yield record.name


def machine_rows(machine: ReportedMachine, text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield names and values of the nameplate and the baseline."""
    if machine.nameplate:
        yield from _plate_rows(machine.nameplate, text)
    yield from _baseline_rows(machine, text)


def _plate_rows(plate: Mapping[str, object], text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _PLATE:
        if name in plate:
            value, unit = plate[name], indicator_name(name, text)[1]
            if name in RANGES and isinstance(value, int | float):
                value, prefix = RANGES[name].scale_unit(value)
                unit = prefix + unit
            known = digits(value)
            known = text.get(f"plate_{name}_{known}", known)
            yield text[f"plate_{name}"], f"{known} {unit}".strip()
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
