"""The contents of a report: enough to compute its verdicts, and to draw its page, again.

A report may come from anybody: all that is read is checked against these shapes, and each part
against its hash, before anything is computed from it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from msgspec import Meta, ValidationError, convert

from vtox.motor.errors import BaselineError, InputError
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.codec import encode, loads
from vtox.motor.values.domain import CHANNEL_UNITS, Motor, Recording
from vtox.motor.values.nameplate import motor_from_dict
from vtox.reporting.reports.errors import ReportError
from vtox.reporting.reports.samples import Packed, compress, decompress, unpack

FORM = 1
# Times lie before the year 5138.
T_END = 1e11
MAX_RECORDS = 100

Text = Annotated[str, Meta(max_length=1000)]
_Positive = Annotated[int, Meta(ge=1)]
_Time = Annotated[float, Meta(ge=0, lt=T_END)]
# Plain data of JSON: a verdict, rows of a table.
Table = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Software that computed the verdicts. `source` is a hash of the code of VTOX."""

    vtox: Text
    source: Text
    numpy: Text
    scipy: Text
    python: Text
    machine: Text
    processor: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    """The samples of one channel: `vtox.reporting.reports.samples.Packed`, compressed."""

    name: Text
    kind: Literal["i2", "i4", "f4", "f8"]
    samples: _Positive
    scales: list[list[float]] = field(default_factory=list)
    decimals: Annotated[int, Meta(ge=0, le=30)] | None = None
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """Energy of the record: figures, and codes with values if some are not known."""

    figures: dict[Text, float]
    power_code: Text
    power_values: Table
    load_code: Text
    load_values: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecord:
    """One recording, and the verdicts on it in the order of `vtox.motor.faults.FAULTS`."""

    name: Text
    family: Text = ""
    t_start: float | None = None
    fs_hz: float
    speed_rpm: float | None = None
    temperature_c: float | None = None
    channels: Annotated[list[_Channel], Meta(min_length=1, max_length=len(CHANNEL_UNITS))]
    verdicts: Annotated[list[Table], Meta(min_length=1, max_length=len(FAULTS))]
    energy: Energy | None = None

    @property
    def faults(self) -> list[str]:
        """The faults that it was diagnosed for."""
        return [str(v.get("fault")) for v in self.verdicts]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedMachine:
    """The machine as known: nameplate, baseline (JSON of `Baseline`), both may be none."""

    machine_id: Text | None = None
    nameplate: Table | None = None
    baseline: str | None = None
    baseline_about: Table = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendColumns:
    """The trend of one fault as columns of one length; null if there is no record."""

    t: list[float]
    state: list[Text | None]
    n: list[int]
    minimum: list[float | None]
    mean: list[float | None]
    maximum: list[float | None]
    threshold: list[float | None]

    def __post_init__(self) -> None:
        if len({len(column) for column in asdict(self).values()}) != 1:
            raise ValueError("columns of different lengths")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """A span of the history in steps, s since 1970 (UTC)."""

    from_t: _Time
    to_t: _Time
    step_s: _Positive

    def __post_init__(self) -> None:
        if self.from_t >= self.to_t:
            raise ValueError("ends before it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTrend(_Steps):
    """Trends from the history, by fault."""

    series: Annotated[dict[Text, TrendColumns], Meta(max_length=len(FAULTS))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A whole report, but for its page. `trend`, `growth` and `events` come from the history.

    `growth` has by fault how long its state has lasted, and how its level moves: codes with values.
    `scalars` are the latest ones that the history keeps.
    """

    form: int = FORM
    made_t: _Time
    language: Text = "en"
    environment: Environment
    machine: ReportedMachine
    records: Annotated[list[ReportRecord], Meta(min_length=1, max_length=MAX_RECORDS)]
    events: list[Table] = field(default_factory=list)
    trend: ReportedTrend | None = None
    scalars: list[Table] = field(default_factory=list)
    growth: Annotated[dict[Text, list[Table]], Meta(max_length=len(FAULTS))] = field(
        default_factory=dict
    )
    left_out: Annotated[int, Meta(ge=0)] = 0


def channel_of(name: str, packed: Packed) -> _Channel:
    """Return the channel that holds these samples."""
    return _Channel(
        name=name,
        kind=packed.kind,  # type: ignore[arg-type]
        samples=packed.samples,
        scales=[[float(n), scale] for n, scale in packed.scales],
        decimals=packed.decimals,
        data=compress(packed.raw),
    )


def checked(contents: Contents) -> Contents:
    """Return contents as a reader of the file gets them: numbers of the types of their fields.

    Raises `ReportError`: no reader would take them.
    """
    return contents_from_json(encode(contents).decode())


def contents_from_json(text: str) -> Contents:
    """Return the contents of a text that may come from anybody.

    Raises `ReportError`: it has another shape, or is of a later form.
    """
    data: Any = None
    try:
        data = loads(text)
        found = convert(data, Contents)
    except ValueError as error:
        form = data.get("form") if isinstance(data, dict) else None
        if isinstance(form, int) and form > FORM:
            raise _later_form(form) from None
        raise _damaged(error) from None
    if found.form != FORM:
        raise _later_form(found.form)
    if path := _unknown_field(data, asdict(found)):
        raise ReportError("damaged", f"{path[:80]}: no such field", part=path[:80])
    return found


def _later_form(form: int) -> ReportError:
    return ReportError(
        "later_form",
        f"a report of form {form}, this version reads {FORM}",
        remedy="verify it with the version of VTOX that it names",
    )


def _damaged(error: ValueError) -> ReportError:
    """Return the error of a text that is no JSON, or of a field that its type forbids."""
    detail, _, path = str(error).partition(" - at `$.")
    where = path.rstrip("`")[:80] if isinstance(error, ValidationError) else ""
    return ReportError(
        "damaged", f"{where or 'contents'}: {detail}"[:300], part=where or "contents"
    )


def _unknown_field(given: Any, known: Any) -> str:
    """Return the path of a field that no part has, empty if there is none."""
    if isinstance(given, list):
        pairs = [(str(i), a, b) for i, (a, b) in enumerate(zip(given, known, strict=True))]
    elif isinstance(given, dict):
        if unknown := given.keys() - known.keys():
            return str(min(unknown))
        pairs = [(name, a, known[name]) for name, a in given.items()]
    else:
        return ""
    found = ((name, _unknown_field(a, b)) for name, a, b in pairs)
    return next((f"{name}.{inner}" for name, inner in found if inner), "")


def part_hashes(contents: Contents) -> dict[str, str]:
    """Return the SHA-256 of every part, by its name for people.

    The hash of samples is that of the unpacked bytes.

    Raises `ReportError`: Samples cannot be unpacked.
    """
    return {name: hashlib.sha256(data).hexdigest() for name, data in _parts(contents)}


def data_hash(hashes: dict[str, str]) -> str:
    """Return the one SHA-256 of all parts, that of their names and hashes as JSON."""
    return hashlib.sha256(_canonical(hashes)).hexdigest()


def recording_of(record: ReportRecord) -> Recording:
    """Return the samples of a record, as they were diagnosed.

    Raises `ReportError`: they are no recording.
    """
    try:
        return Recording(
            {c.name: unpack(_packed(c)) for c in record.channels},
            record.fs_hz,
            speed_rpm=record.speed_rpm,
            temperature_c=record.temperature_c,
        )
    except ReportError:
        raise
    except InputError as error:
        raise ReportError("damaged", f"{record.name}: {error}", part=record.name) from error


def motor_of(machine: ReportedMachine) -> Motor | None:
    """Return the nameplate, None without one.

    Raises `ReportError`: it is impossible.
    """
    try:
        return None if machine.nameplate is None else motor_from_dict(machine.nameplate)
    except (InputError, TypeError) as error:
        raise ReportError("damaged", f"nameplate: {error}", part="nameplate") from error


def baseline_of(machine: ReportedMachine) -> Baseline | None:
    """Return the baseline, None without one.

    Raises `ReportError`: it cannot be read.
    """
    try:
        return None if machine.baseline is None else Baseline.from_json(machine.baseline)
    except (BaselineError, AttributeError, IndexError, RecursionError) as error:
        raise ReportError("damaged", f"baseline: {error}", part="baseline") from error


def _parts(contents: Contents) -> Iterator[tuple[str, bytes]]:
    parts = {"records", "machine", "events", "trend"}
    yield "about", _canonical(_without(contents, parts))
    machine = contents.machine
    yield "nameplate", _canonical([machine.machine_id, machine.nameplate])
    yield "baseline", _canonical([machine.baseline, machine.baseline_about])
    yield "events", _canonical(contents.events)
    yield "trend", _canonical(asdict(contents.trend) if contents.trend else None)
    for number, record in enumerate(contents.records, start=1):
        here = f"record {number}"
        yield f"{here}, head", _canonical(_without(record, {"channels", "verdicts"}))
        yield f"{here}, verdicts", _canonical(record.verdicts)
        for channel in record.channels:
            name = f"{here}, samples of {channel.name}"
            try:
                raw = _packed(channel).raw
            except ReportError as error:
                raise ReportError("damaged", f"{name}: {error}", part=name) from error
            yield name, _canonical(_without(channel, {"data"})) + raw


def _packed(channel: _Channel) -> Packed:
    if any(len(pair) != 2 for pair in channel.scales):
        raise ReportError("damaged", "a scale is not a number of samples and a factor")
    size = channel.samples * int(channel.kind[1])
    scales = tuple((int(n), scale) for n, scale in channel.scales)
    raw = decompress(channel.data, size)
    return Packed(channel.kind, raw, scales, channel.decimals)


def _without(part: Contents | ReportRecord | _Channel, names: set[str]) -> Table:
    return {name: value for name, value in asdict(part).items() if name not in names}


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
