"""Recordings from files: which columns are channels, their units, and the sampling rate."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vtox.domain import CHANNEL_UNITS, Array, Recording
from vtox.errors import RecordingError
from vtox.files.columns import SUFFIXES, Column, Header, read_columns, read_header
from vtox.files.time_axis import plain_name, sampling_rate, seconds_per_unit

STANDARD_GRAVITY = 9.80665
# Unit of a channel -> unit as written in a column name or in --unit -> factor between them.
UNITS: dict[str, dict[str, float]] = {
    "A": {"a": 1.0, "ma": 1e-3, "ua": 1e-6, "µa": 1e-6, "ka": 1e3},
    "V": {"v": 1.0, "mv": 1e-3, "kv": 1e3},
    "m/s^2": {
        "m/s^2": 1.0,
        "m/s2": 1.0,
        "m_s2": 1.0,
        "ms2": 1.0,
        "mm/s^2": 1e-3,
        "g": STANDARD_GRAVITY,
        "mg": STANDARD_GRAVITY * 1e-3,
    },
}
# Other names of channels: `de` (drive end) of bearing data sets, and tables `i`, `v` of three
# columns.
ALIASES = {"de": "vibration"} | {
    f"{table}:{i}": f"{table}{phase}" for table in "iv" for i, phase in enumerate("abc", start=1)
}
RATES = ("fs_hz", "fs", "fs_claimed_hz")
SPEEDS = ("speed_rpm", "rpm")
TEMPERATURES = ("temperature_c",)
# A speed or temperature whose range over its mean is larger is not that of the whole recording.
MAX_RELATIVE_RANGE = 0.02


@dataclass(frozen=True, slots=True)
class Options:
    """What the user states about files: columns and units of channels, rate and speed."""

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    fs_hz: float | None = None
    speed_rpm: float | None = None


def options(
    *,
    mapping: Iterable[str] = (),
    unit: Iterable[str] = (),
    fs_hz: float | None = None,
    speed_rpm: float | None = None,
) -> Options:
    """Return options from `--map ia=ia_a,vibration=de_g` and `--unit vibration=g`.

    Raises
    ------
    RecordingError
        A pair names no channel, or a unit that the channel cannot have.
    """
    units = _pairs("--unit", unit)
    for channel, name in units.items():
        known = UNITS[CHANNEL_UNITS[channel]]
        if name.lower() not in known:
            raise RecordingError(
                f"--unit {channel}={name}: expected one of {', '.join(known)} for {channel}"
            )
    if fs_hz is not None and not fs_hz > 0:
        raise RecordingError(f"--fs {fs_hz:g}: expected a positive number of Hz")
    if speed_rpm is not None and not speed_rpm >= 0:
        raise RecordingError(f"--speed-rpm {speed_rpm:g}: expected 0 or more")
    return Options(_pairs("--map", mapping), units, fs_hz, speed_rpm)


def find(paths: Sequence[Path], opts: Options) -> tuple[list[Path], dict[Path, str]]:
    """Return the recordings among `paths`, and why the other files of folders are none.

    A path may be a file, a folder or a pattern (`data/SC_HLT_*.csv`). A file that is named itself
    is returned untested: `read` reports why it cannot be read.

    Raises
    ------
    RecordingError
        There is no recording.
    """
    found: list[Path] = []
    skipped: dict[Path, str] = {}
    for path in paths:
        for file in _expand(path):
            if file == path or not (why := _not_a_recording(file, opts)):
                found.append(file)
            else:
                skipped[file] = why
    if not found:
        reasons = "".join(f"\n  {file.name}: {why}" for file, why in list(skipped.items())[:5])
        raise RecordingError(
            f"{', '.join(map(str, paths))}: no recording there, expected .csv or .npz files with a "
            f"channel{reasons}"
        )
    return found, skipped


def read(path: Path, opts: Options | None = None) -> Recording:
    """Return the recording in `path`, in the units of its channels.

    Raises
    ------
    RecordingError
        There is no channel or no sampling rate, or a value is not a number.
    """
    opts = opts or Options()
    header = read_header(path)
    channels = channels_in(header, opts)
    if not channels:
        raise RecordingError(
            f"{path}: no channel among the columns {', '.join(header.names) or '(none)'}; "
            "name them, for example --map ia=COLUMN (channels: " + ", ".join(CHANNEL_UNITS) + ")"
        )
    extra = _extra_columns(header, opts)
    data = read_columns(header, list(dict.fromkeys([*channels.values(), *extra.values()])))
    fs_hz = opts.fs_hz or _scalar(header, RATES) or _rate(path, extra.get("time"), data)
    speed_rpm = opts.speed_rpm
    if speed_rpm is None:
        speed_rpm = _constant_value(header, SPEEDS, extra.get("speed"), data)
    return Recording(
        channels={
            c: _scale(data[column], _factor(c, column, opts)) for c, column in channels.items()
        },
        fs_hz=fs_hz,
        speed_rpm=speed_rpm,
        temperature_c=_constant_value(header, TEMPERATURES, extra.get("temperature"), data),
    )


def channels_in(header: Header, opts: Options) -> dict[str, str]:
    """Return channel -> column: those that are mapped, and the others by their names.

    Raises
    ------
    RecordingError
        A mapped column does not exist, or two columns could be the same channel.
    """
    mapped = {c: _column(header, wanted) for c, wanted in opts.columns.items()}
    channels = dict(mapped)
    for column in header.names:
        channel, _ = _meaning(column)
        if channel is None or channel in mapped or column in mapped.values():
            continue
        if channel in channels:
            raise RecordingError(
                f"{header.path}: columns {channels[channel]!r} and {column!r} could both be "
                f"{channel}; choose with --map {channel}={column}"
            )
        channels[channel] = column
    return {c: channels[c] for c in CHANNEL_UNITS if c in channels}


def _pairs(option: str, texts: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in (part for t in texts for part in t.split(",")):
        channel, _, value = (p.strip() for p in text.partition("="))
        if not value or channel not in CHANNEL_UNITS:
            raise RecordingError(
                f"{option} {text}: expected CHANNEL=VALUE with a channel among "
                f"{', '.join(CHANNEL_UNITS)}"
            )
        pairs[channel] = value
    return pairs


def _expand(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.iterdir() if p.is_file())
    if not path.exists() and any(c in path.name for c in "*?["):
        return sorted(path.parent.glob(path.name))
    return [path]


def _not_a_recording(path: Path, opts: Options) -> str:
    """Return why a file in a folder is not a recording, empty if it is one."""
    if path.suffix.lower() not in SUFFIXES:
        return f"not {' or '.join(SUFFIXES)}"
    header = read_header(path)
    named = set(opts.columns.values()) <= {*header.names, *map(str, range(1, 65))}
    if not named:
        return f"no column {' or '.join(sorted(set(opts.columns.values()) - set(header.names)))}"
    return "" if channels_in(header, opts) else "no channel among its columns"


def _meaning(column: str) -> tuple[str | None, str]:
    """Return channel and unit of a column name such as `ia`, `ia_mA`, `Ia [mA]`, `de_g`."""
    name = plain_name(column)
    bare = ALIASES.get(name, name)
    if bare in CHANNEL_UNITS:
        return bare, ""
    for channel in [*CHANNEL_UNITS, *ALIASES]:
        target = ALIASES.get(channel, channel)
        unit = name.removeprefix(f"{channel}_")
        if unit != name and unit in UNITS[CHANNEL_UNITS[target]]:
            return target, unit
    return None, ""


def _column(header: Header, wanted: str) -> str:
    """Return the column called `wanted`, or the one of that number, counted from 1."""
    if wanted in header.names:
        return wanted
    if wanted.isdigit() and 1 <= int(wanted) <= len(header.names):
        return header.names[int(wanted) - 1]
    raise RecordingError(
        f"{header.path}: no column {wanted!r}, expected one of {', '.join(header.names) or 'none'}"
    )


def _extra_columns(header: Header, opts: Options) -> dict[str, str]:
    """Return the columns of `time`, `speed` and `temperature`, so far as they are needed."""
    lower = {n.lower(): n for n in header.names}
    extra = {}
    if not (opts.fs_hz or _scalar(header, RATES)):
        names = [t for t in lower if seconds_per_unit(t) is not None]
        if names:
            extra["time"] = lower[names[0]]
    for key, candidates in (("speed", SPEEDS), ("temperature", TEMPERATURES)):
        if key == "speed" and opts.speed_rpm is not None:
            continue
        if name := next((lower[c] for c in candidates if c in lower), None):
            extra[key] = name
    return extra


def _rate(path: Path, column: str | None, data: Mapping[str, Column]) -> float:
    if column is None:
        raise RecordingError(f"{path}: no sampling rate: no column time_s; give --fs HZ")
    unit = seconds_per_unit(column)
    assert unit is not None
    return sampling_rate(data[column], unit, f"{path}: column {column!r}")


def _scalar(header: Header, names: Iterable[str]) -> float | None:
    values = (header.scalars[n] for n in names if n in header.scalars)
    return next((v for v in values if np.isfinite(v)), None)


def _constant_value(
    header: Header, names: Iterable[str], column: str | None, data: Mapping[str, Column]
) -> float | None:
    """Return the mean of a column that is constant enough, or the single number of the file."""
    if column is None:
        return _scalar(header, names)
    x = data[column]
    mean = float(np.mean(x))
    return mean if float(np.ptp(x)) <= MAX_RELATIVE_RANGE * abs(mean) else None


def _factor(channel: str, column: str, opts: Options) -> float:
    known = UNITS[CHANNEL_UNITS[channel]]
    if channel in opts.units:
        return known[opts.units[channel].lower()]
    name = plain_name(column)
    return next((f for unit, f in known.items() if name.endswith(f"_{unit}")), 1.0)


def _scale(x: Column, factor: float) -> Array:
    return x if factor == 1.0 else x * x.dtype.type(factor)
