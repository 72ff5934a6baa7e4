"""What a report holds: enough to compute its verdicts, and to draw its page, again.

A report may come from anybody: all that is read is checked against these shapes, and each part
against its hash, before anything is computed from it.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vtox.motor.errors import BaselineError, InputError
from vtox.motor.faults import FAULTS
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CHANNEL_UNITS, Motor, Recording
from vtox.motor.values.nameplate import motor_from_dict
from vtox.reporting.reports.errors import ReportError
from vtox.reporting.reports.samples import Packed, compress, decompress, unpack

FORM = 1
# Times lie before the year 5138.
T_END = 1e11
MAX_RECORDS = 100

Text = Annotated[str, Field(max_length=1000)]
# Plain data of JSON: what a verdict says, rows of a table.
Table = dict[str, Any]


class _Part(BaseModel):
    """Strict: no other fields, no conversions, no numbers that are none."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Environment(_Part):
    """What computed the verdicts. `source` is a hash of the code of VTOX."""

    vtox: Text
    source: Text
    numpy: Text
    scipy: Text
    python: Text
    machine: Text
    processor: Text


class _Channel(_Part):
    """The samples of one channel: `vtox.reporting.reports.samples.Packed`, compressed."""

    name: Text
    kind: Literal["i2", "i4", "f4", "f8"]
    samples: int = Field(ge=1)
    scales: list[list[float]] = []
    decimals: int | None = Field(None, ge=0, le=30)
    data: str


class Energy(_Part):
    """What the record says of energy: figures, and codes with values where some are not known."""

    figures: dict[Text, float]
    power_code: Text
    power_values: Table
    load_code: Text
    load_values: Table


class ReportRecord(_Part):
    """One recording, and the verdicts on it in the order of `vtox.motor.faults.FAULTS`."""

    name: Text
    family: Text = ""
    t_start: float | None = None
    fs_hz: float
    speed_rpm: float | None = None
    temperature_c: float | None = None
    channels: list[_Channel] = Field(min_length=1, max_length=len(CHANNEL_UNITS))
    verdicts: list[Table] = Field(min_length=1, max_length=len(FAULTS))
    energy: Energy | None = None

    @property
    def faults(self) -> list[str]:
        """The faults that it was diagnosed for."""
        return [str(v.get("fault")) for v in self.verdicts]


class ReportedMachine(_Part):
    """What was known of the machine: nameplate, baseline (JSON of `Baseline`), both may be none."""

    machine_id: Text | None = None
    nameplate: Table | None = None
    baseline: str | None = None
    baseline_about: Table = {}


class TrendColumns(_Part):
    """The trend of one fault as columns of one length; null where there is no record."""

    t: list[float]
    state: list[Text | None]
    n: list[int]
    minimum: list[float | None]
    mean: list[float | None]
    maximum: list[float | None]
    threshold: list[float | None]

    @model_validator(mode="after")
    def of_one_length(self) -> Self:
        """Refuse columns of different lengths."""
        if len({len(column) for _, column in self}) != 1:
            raise ValueError("columns of different lengths")
        return self


class ReportedTrend(_Part):
    """Trends from the history, s since 1970 (UTC), in steps."""

    from_t: float = Field(ge=0, lt=T_END)
    to_t: float = Field(ge=0, lt=T_END)
    step_s: int = Field(ge=1)
    series: dict[Text, TrendColumns] = Field(max_length=len(FAULTS))

    @model_validator(mode="after")
    def forwards(self) -> Self:
        """Refuse an end that is not after the beginning."""
        if self.from_t >= self.to_t:
            raise ValueError("ends before it begins")
        return self


class Contents(_Part):
    """A whole report, but for its page. `trend`, `growth` and `events` come from the history.

    `growth` has by fault how long its state has lasted, and how its level moves: codes with values.
    `scalars` are the latest ones that the history keeps.
    """

    form: int
    made_t: float = Field(ge=0, lt=T_END)
    language: Text = "en"
    environment: Environment
    machine: ReportedMachine
    records: list[ReportRecord] = Field(min_length=1, max_length=MAX_RECORDS)
    events: list[Table] = []
    trend: ReportedTrend | None = None
    scalars: list[Table] = []
    growth: dict[Text, list[Table]] = Field({}, max_length=len(FAULTS))
    left_out: int = Field(0, ge=0)


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


def contents_from_json(text: str) -> Contents:
    """Return the contents of a text that may come from anybody.

    Raises `ReportError`: it has another shape, or is of a later form.
    """
    try:
        found = Contents.model_validate_json(text)
    except ValidationError as error:
        if (form := _form(text)) is not None and form > FORM:
            raise ReportError(
                "later_form",
                f"a report of form {form}, this version reads {FORM}",
                remedy="verify it with the version of VTOX that it names",
            ) from None
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(x) for x in first["loc"]) or "contents"
        raise ReportError("damaged", f"{where[:80]}: {first['msg']}", part=where[:80]) from None
    if found.form != FORM:
        raise ReportError("later_form", f"a report of form {found.form}, this version reads {FORM}")
    return found


def part_hashes(contents: Contents) -> dict[str, str]:
    """Return the SHA-256 of every part, by its name for people.

    Of samples it is that of the unpacked bytes.

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
    about = contents.model_dump(exclude={"records", "machine", "events", "trend"})
    yield "about", _canonical(about)
    machine = contents.machine
    yield "nameplate", _canonical([machine.machine_id, machine.nameplate])
    yield "baseline", _canonical([machine.baseline, machine.baseline_about])
    yield "events", _canonical(contents.events)
    yield "trend", _canonical(contents.trend.model_dump() if contents.trend else None)
    for number, record in enumerate(contents.records, start=1):
        here = f"record {number}"
        yield f"{here}, head", _canonical(record.model_dump(exclude={"channels", "verdicts"}))
        yield f"{here}, verdicts", _canonical(record.verdicts)
        for channel in record.channels:
            name = f"{here}, samples of {channel.name}"
            try:
                raw = _packed(channel).raw
            except ReportError as error:
                raise ReportError("damaged", f"{name}: {error}", part=name) from error
            yield name, _canonical(channel.model_dump(exclude={"data"})) + raw


def _packed(channel: _Channel) -> Packed:
    if any(len(pair) != 2 for pair in channel.scales):
        raise ReportError("damaged", "a scale is not a number of samples and a factor")
    size = channel.samples * int(channel.kind[1])
    scales = tuple((int(n), scale) for n, scale in channel.scales)
    raw = decompress(channel.data, size)
    return Packed(channel.kind, raw, scales, channel.decimals)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _form(text: str) -> int | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    form = found.get("form") if isinstance(found, dict) else None
    return form if isinstance(form, int) else None
