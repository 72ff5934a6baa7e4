"""Recordings from files of every format: `vtox.read`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np

from vtox.motor.errors import FileError
from vtox.motor.files.channel_names import GUESSED_RATES, GUESSED_STEPS, RATES
from vtox.motor.files.formats import is_part_of_comtrade, suffixes, tables_in
from vtox.motor.files.matching import Match, ReadOptions, channels_of, match_columns
from vtox.motor.files.table import Certainty, Rate, Samples, Table, shortened
from vtox.motor.files.time_axis import epoch_unit, sampling_rate
from vtox.motor.values.domain import CHANNEL_UNITS, Array, Recording

SPEEDS = ("speed_rpm", "rpm")
TEMPERATURES = ("temperature_c",)
# A speed or temperature whose range over its mean is larger is not that of the whole recording.
MAX_RELATIVE_RANGE = 0.02
# No sensor gives more amperes, volts or m/s^2; larger values are bytes that are no numbers.
LARGEST = 1e12
# A number with a short name is taken for a rate only if waveforms have one like it.
GUESS_HZ = (100.0, 1e7)
# Errors of files that lie among recordings and are none.
_NO_RECORDING = ("no_samples", "unknown_format", "wrong_content")


def read(path: str | os.PathLike[str], opts: ReadOptions | None = None) -> list[Recording]:
    """Return the recordings in a file, in the units of their channels.

    Most files hold one; those with groups of different rates hold one for each.

    Raises
    ------
    FileError
        There is no channel or no sampling rate, a value is not a number, or the file is damaged.
    """
    return [recording for _, recording in named_recordings(Path(path), opts)]


def named_recordings(path: Path, opts: ReadOptions | None = None) -> list[tuple[str, Recording]]:
    """Return the recordings in a file with their names: that of the file, and of the group.

    Raises
    ------
    FileError
        As with `read`.
    """
    opts = opts or ReadOptions()
    tables = selected_tables(tables_in(path), opts.part)
    found = [
        (t, m) for t in tables if channels_of(m := match_columns(t, _options_for(t, tables, opts)))
    ]
    if not found:
        names = shortened([n for t in tables for n in t.names]) or "(none)"
        raise FileError(
            "no_channel",
            path,
            f"no channel among the columns {names}; name them, for example --map ia=COLUMN "
            f"(channels: {', '.join(CHANNEL_UNITS)})",
        )
    return [
        (f"{path.name}:{t.name}" if len(found) > 1 else path.name, recording(t, m, opts))
        for t, m in found
    ]


def selected_tables(tables: Sequence[Table], part: str) -> list[Table]:
    """Return the table called `part`, or the ones that are read without being asked for.

    Raises
    ------
    FileError
        None has that name.
    """
    if not part:
        return [t for t in tables if not t.on_request]
    if found := [t for t in tables if t.name == part]:
        return found
    path = tables[0].path if tables else ""
    names = shortened([t.name for t in tables if t.name])
    raise FileError("no_such_part", path, f"no part {part!r}, expected one of {names or 'none'}")


def recording(table: Table, matches: Mapping[str, Match], opts: ReadOptions) -> Recording:
    """Return the recording that a table is, its columns being known.

    Raises
    ------
    FileError
        There is no sampling rate, or a value is not a number.
    """
    channels = channels_of(matches)
    beside = [matches[q].column for q in ("time", "speed", "temperature") if q in matches]
    if opts.fs_hz is not None and "time" in matches:
        beside.remove(matches["time"].column)
    data = table.samples([*(m.column for m in channels.values()), *beside])
    speed_rpm = opts.speed_rpm
    if speed_rpm is None:
        speed_rpm = _constant_value(table, SPEEDS, matches.get("speed"), data)
    fs_hz = rate(table, matches.get("time"), data, opts).fs_hz
    if not 0 < fs_hz < inf:
        raise FileError("no_rate", table.path, f"a rate of {fs_hz} Hz", remedy="give --rate HZ")
    return Recording(
        channels={q: convert_to_unit(table, m, data[m.column]) for q, m in channels.items()},
        fs_hz=fs_hz,
        speed_rpm=speed_rpm,
        temperature_c=_constant_value(table, TEMPERATURES, matches.get("temperature"), data),
    )


def convert_to_unit(table: Table, match: Match, x: Samples) -> Array:
    """Return the samples of a column in the unit of its quantity.

    Raises
    ------
    FileError
        A value is larger than any that is measured.
    """
    peak = float(np.abs(x).max()) * abs(match.factor)
    if peak > LARGEST:
        raise FileError(
            "not_finite",
            table.path,
            f"column {match.column!r}: values up to {peak:.3g}, expected at most {LARGEST:g}",
            channel=match.column,
        )
    return x if match.factor == 1.0 else x * x.dtype.type(match.factor)


def rate(table: Table, time: Match | None, data: Mapping[str, Samples], opts: ReadOptions) -> Rate:
    """Return the sampling rate of a table.

    Raises
    ------
    FileError
        Nothing says it, or the sample times do not rise in equal steps.
    """
    if opts.fs_hz is not None:
        return Rate(opts.fs_hz, "stated", "--rate")
    if table.fs_hz is not None and table.rate_certainty == "stated":
        return Rate(table.fs_hz, "stated", table.rate_source)
    if (fs_hz := _scalar(table, RATES)) is not None and fs_hz > 0:
        return Rate(fs_hz, "stated", "a number in the file")
    if time is not None:
        return _rate_of_times(table, time, data[time.column])
    if table.fs_hz is not None:
        return Rate(table.fs_hz, table.rate_certainty, table.rate_source)
    if guessed := _guessed_rate(table):
        return guessed
    raise FileError(
        "no_rate", table.path, "no sampling rate: no column of times", remedy="give --rate HZ"
    )


def find(paths: Sequence[Path], opts: ReadOptions) -> tuple[list[Path], dict[Path, str]]:
    """Return the recordings among `paths`, and why the other files of folders are none.

    A path may be a file, a folder or a pattern (`data/SC_HLT_*.csv`). A file that is named itself
    is returned untested: `read` reports why it cannot be read.

    Raises
    ------
    FileError
        There is no recording.
    """
    found: list[Path] = []
    skipped: dict[Path, str] = {}
    for path in paths:
        for file in _expand(path):
            if file == path or not (why := _skip_reason(file, opts)):
                found.append(file)
            else:
                skipped[file] = why
    if not found:
        reasons = "".join(f"\n  {file.name}: {why}" for file, why in list(skipped.items())[:5])
        raise FileError(
            "no_such_file",
            ", ".join(map(str, paths)),
            f"no recording there, expected files with a channel{reasons}",
        )
    return found, skipped


def _options_for(table: Table, tables: Sequence[Table], opts: ReadOptions) -> ReadOptions:
    """Return the options without the columns that only other tables of the file have."""
    if len(tables) == 1:
        return opts
    here = {q: c for q, c in opts.columns.items() if c in table.names}
    elsewhere = {c for t in tables for c in t.names}
    missing = {q: c for q, c in opts.columns.items() if c not in elsewhere}
    return replace(opts, columns=here | missing)


def _expand(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.is_file())
    if not path.exists() and any(c in path.name for c in "*?["):
        return sorted(path.parent.glob(path.name))
    return [path]


def _skip_reason(path: Path, opts: ReadOptions) -> str:
    """Return why a file in a folder is not a recording, empty if it is one or is damaged."""
    if path.suffix.lower() not in suffixes():
        return "no ending of a recording"
    if is_part_of_comtrade(path):
        return "read with its .cfg"
    try:
        tables = selected_tables(tables_in(path), "")
        named = {n for t in tables for n in t.names} | set(map(str, range(1, 65)))
        if lacking := sorted(set(opts.columns.values()) - named):
            return f"no column {' or '.join(lacking)}"
        matched = any(channels_of(match_columns(t, _options_for(t, tables, opts))) for t in tables)
    except FileError as error:
        return error.observed.removeprefix(f"{path}: ") if error.code in _NO_RECORDING else ""
    return "" if matched else "no channel among its columns"


def _rate_of_times(table: Table, time: Match, t: Samples) -> Rate:
    unit_s, source = time.factor, f"column {time.column!r}"
    certainty: Certainty = "stated"
    if not time.unit:
        unit = epoch_unit(float(t[0])) if len(t) else None
        unit_s, name = unit or (1.0, "s")
        certainty = "likely"
        source += f" without a unit, taken as {name}" + (" since 1970" if unit else "")
    steps = sampling_rate(t, unit_s, table.path, time.column)
    if not steps.jitter:
        return Rate(steps.fs_hz, certainty, source)
    doubt = f"steps of {time.column!r} differ by {steps.jitter:.1%} (RMS)"
    return Rate(steps.fs_hz, "likely", f"regression of {source}", doubt)


def _guessed_rate(table: Table) -> Rate | None:
    """Return the rate that a number with a short name may be, if it is one of a waveform."""
    for names, power in ((GUESSED_RATES, 1), (GUESSED_STEPS, -1)):
        for name, value in table.scalars.items():
            if name.lower() in names and value > 0 and GUESS_HZ[0] <= value**power <= GUESS_HZ[1]:
                return Rate(value**power, "guess", f"the number {name!r}")
    return None


def _scalar(table: Table, names: Sequence[str]) -> float | None:
    scalars = {name.lower(): value for name, value in table.scalars.items()}
    values = (scalars[n] for n in names if n in scalars)
    return next((v for v in values if np.isfinite(v)), None)


def _constant_value(
    table: Table, names: Sequence[str], match: Match | None, data: Mapping[str, Samples]
) -> float | None:
    """Return the mean of a column that is constant enough, or the single number of the file."""
    if match is None:
        return _scalar(table, names)
    x = data[match.column]
    mean = float(np.mean(x, dtype=np.float64))
    return mean * match.factor if float(np.ptp(x)) <= MAX_RELATIVE_RANGE * abs(mean) else None
