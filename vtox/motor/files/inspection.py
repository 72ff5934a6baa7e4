"""The findings on a file and the missing parts, for `vtox inspect`: nothing here ends early."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vtox.motor.errors import FileError
from vtox.motor.files.channel_names import QUANTITY_UNITS, factor
from vtox.motor.files.formats import format_of
from vtox.motor.files.matching import Match, ReadOptions, channels_of, match_columns
from vtox.motor.files.recordings import SPEEDS, convert_to_unit, rate, recording, selected_tables
from vtox.motor.files.table import Certainty, Rate, Remark, Samples, Table
from vtox.motor.files.time_axis import SLOW_HZ, sampling_rate
from vtox.motor.values.domain import (
    CHANNEL_UNITS,
    CURRENTS,
    LINE_VOLTAGES,
    VIBRATIONS,
    VOLTAGES,
    Array,
)

# Columns and samples that a proposal of channels looks at: text is parsed once for each column.
MOST_LOOKED_AT, SAMPLES_LOOKED_AT = 8, 1 << 16
# A drift or a ramp has fewer in a file.
FEWEST_CYCLES = 3


@dataclass(frozen=True, slots=True)
class _ChannelFacts:
    """A column that is a channel, a speed or a temperature; its values in `unit`."""

    quantity: str
    column: str
    certainty: Certainty
    unit: str
    written_unit: str
    mean: float
    rms: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TableFacts:
    """The findings on one recording; `doubts` are codes, each with its subject.

    `written_unit` of a channel is empty if its own unit is assumed. `errors` says why it cannot
    be read, empty if it can. `proposal` maps channels to columns if none is known by name.
    """

    name: str
    samples: int = 0
    rate: Rate | None = None
    started: str = ""
    channels: tuple[_ChannelFacts, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[FileError, ...] = ()
    proposal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The findings on a file."""

    path: Path
    format: str
    remarks: tuple[Remark, ...] = ()
    tables: tuple[TableFacts, ...] = field(default=())


def file_facts(path: Path, opts: ReadOptions) -> FileFacts:
    """Return the findings on a file.

    Raises `FileError`: it cannot be opened as any format.
    """
    form = format_of(path)
    tables = selected_tables(form.open(path), opts.part)
    remarks = tuple(dict.fromkeys(r for t in tables for r in t.remarks))
    return FileFacts(path, form.name, remarks, tuple(_table_facts(t, opts) for t in tables))


def _table_facts(table: Table, opts: ReadOptions) -> TableFacts:
    try:
        matches = match_columns(table, opts)
    except FileError as error:
        return TableFacts(table.name, ignored=table.names, errors=(error,))
    errors: list[FileError] = []
    data: dict[str, Samples] = {}
    facts = []
    for quantity, match in matches.items():
        try:
            x = table.samples([match.column])[match.column]
            data[match.column] = x
            if quantity != "time":
                facts.append(_channel_facts(match, convert_to_unit(table, match, x)))
        except FileError as error:
            errors.append(error)
    found = _rate(table, matches, data, opts, errors)
    if found and channels_of(matches) and not errors:
        try:
            recording(table, matches, opts)
        except FileError as error:
            errors.append(error)
    columns = {m.column for m in matches.values()}
    return TableFacts(
        table.name,
        samples=max((len(x) for x in data.values()), default=0),
        rate=found,
        started=table.started,
        channels=tuple(facts),
        ignored=tuple(n for n in table.names if n not in columns),
        missing=_missing(matches, opts, table),
        doubts={**table.doubts, **_doubts(facts, found)},
        errors=tuple(errors),
        proposal=_proposal(table, matches, opts),
    )


def _channel_facts(match: Match, x: Array) -> _ChannelFacts:
    y = x.astype(np.float64)
    return _ChannelFacts(
        quantity=match.quantity,
        column=match.column,
        certainty=match.certainty,
        unit=QUANTITY_UNITS[match.quantity],
        written_unit=match.unit,
        mean=float(y.mean()),
        rms=float(np.sqrt(np.mean(y**2))),
        low=float(y.min()),
        high=float(y.max()),
    )


def _rate(
    table: Table,
    matches: Mapping[str, Match],
    data: Mapping[str, Samples],
    opts: ReadOptions,
    errors: list[FileError],
) -> Rate | None:
    time = matches.get("time")
    readable = time if time and time.column in data else None
    try:
        return rate(table, readable, data, opts)
    except FileError as error:
        # A column of times that cannot be read is an error already, no missing column.
        if readable or not time:
            errors.append(error)
        return None


def _missing(matches: Mapping[str, Match], opts: ReadOptions, table: Table) -> tuple[str, ...]:
    """Return the missing quantities: whole groups of channels, else single phases; the speed."""
    missing = []
    two_lines = sum(c in matches for c in LINE_VOLTAGES) >= 2
    for group in (CURRENTS,) if two_lines else (CURRENTS, VOLTAGES):
        absent = [c for c in group if c not in matches]
        missing += [" ".join(group)] if len(absent) == len(group) else absent
    if not any(c in matches for c in VIBRATIONS):
        missing.append(VIBRATIONS[0])
    missing += [c for c in CHANNEL_UNITS if c == "leakage" and c not in matches]
    stated = opts.speed_rpm is not None or any(n.lower() in SPEEDS for n in table.scalars)
    return tuple(missing) if "speed" in matches or stated else (*missing, "speed")


def _doubts(facts: list[_ChannelFacts], found: Rate | None) -> dict[str, str]:
    """Return code -> its subject."""
    channels = [f for f in facts if f.quantity in CHANNEL_UNITS]
    about = {
        "constant": [f.quantity for f in channels if f.low == f.high],
        "offset": [f.quantity for f in channels if abs(f.mean) > f.rms / 2 and f.low < f.high],
        "unit_assumed": [f.quantity for f in channels if not f.written_unit],
        "slow": [f"{found.fs_hz:.6g}"] if found and found.fs_hz < SLOW_HZ else [],
        "jitter": [found.doubt] if found and found.doubt else [],
    }
    return {code: ", ".join(names) for code, names in about.items() if names}


def _proposal(table: Table, matches: Mapping[str, Match], opts: ReadOptions) -> dict[str, str]:
    """Return a possible mapping: a first column of times, and channels if none is known.

    Up to three other columns that look like currents are proposed, because most files have those.
    """
    proposal = {q: m.column for q, m in matches.items() if q in opts.columns}
    used = {m.column for m in matches.values()}
    free = [n for n in table.names if n not in used]
    if free and "time" not in matches and free[0] == table.names[0] and _rises(table, free[0]):
        proposal["time"] = free.pop(0)
    if not channels_of(matches):
        alike = [n for n in free[:MOST_LOOKED_AT] if _looks_like_a_current(table, n)]
        # Without a channel there is nothing to try.
        proposal = proposal | dict(zip(CURRENTS, alike, strict=False)) if alike else {}
    return proposal


def _looks_like_a_current(table: Table, name: str) -> bool:
    """Whether a column swings about zero with most of its power in one line, as a supply's is."""
    unit = next(c.unit for c in table.columns if c.name == name)
    if unit and factor(CURRENTS[0], unit) is None:
        return False
    try:
        x = table.samples([name])[name][:SAMPLES_LOOKED_AT].astype(np.float64)
    except FileError:
        return False
    with np.errstate(over="ignore", invalid="ignore"):  # numbers of a damaged file, not limited yet
        mean, swing = x.mean(), x.std()
    if not abs(mean) < swing < np.inf:
        return False
    power = np.abs(np.fft.rfft((x - mean) / swing * np.hanning(len(x)))) ** 2
    line = int(power.argmax())
    return line >= FEWEST_CYCLES and bool(power[line - 2 : line + 3].sum() > power.sum() / 2)


def _rises(table: Table, name: str) -> bool:
    """Whether a column has the times of samples: it rises in equal steps."""
    try:
        sampling_rate(table.samples([name])[name], 1.0, table.path, name)
    except FileError:
        return False
    return True
