"""COMTRADE records of relays and fault recorders (IEEE C37.111-1991, 1999, 2013) as tables.

Values come out in primary amperes and volts: those written as secondary are multiplied by the ratio
of their transformer. Each sampling rate of a record is a separate table.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vtox.motor.errors import FileError
from vtox.motor.files.channel_names import PHASES, between_phases, factor, meaning
from vtox.motor.files.libraries import guard_library, require_package
from vtox.motor.files.readers.comtrade_lines import wrong_line
from vtox.motor.files.table import Column, Remark, Samples, Table, check_values
from vtox.motor.files.text_encoding import encoding_of
from vtox.motor.values.domain import CURRENTS, VOLTAGES

# The library takes some ten times as much memory as the samples have bytes.
MAX_BYTES = 1 << 28
_CHANNELS = re.compile(rb"\A[^\r\n]*\r?\n\s*\d+\s*,\s*(\d+)\s*A\s*,\s*(\d+)\s*D", re.IGNORECASE)
_SECTION = re.compile(
    rb"^--- file type: ([a-z]+)(?:[ ]+([a-z0-9]+))?(?:[ ]*:[ ]*(\d+))?[ ]*---[ ]*\r?\n?",
    re.IGNORECASE | re.MULTILINE,
)
# Times of whole seconds, which the library does not read.
_WHOLE_SECONDS = re.compile(r"^(\s*\d+/\d+/\d+\s*,\s*\d+:\d+:\d+)[ \t]*$", re.MULTILINE)
_DATE = re.compile(r"^(\s*)(\d{1,2})/(\d{1,2})(/\d{2,4}\s*,)", re.MULTILINE)
Doubles = npt.NDArray[np.float64]
_BYTES = {"BINARY": 2, "BINARY32": 4, "FLOAT32": 4}
# 1991 writes missing binary values as -1, which samples near zero are too. Those of a gap follow
# one another, and a waveform does not stay at -1 for so many.
GAP_1991 = 3


@dataclass(frozen=True, slots=True)
class _Content:
    """The two parts of a record that matter: configuration and data."""

    cfg: str
    dat: bytes
    encoding: Remark
    impossible_dates: tuple[str, ...] = ()


def is_comtrade(head: bytes) -> bool:
    """Whether a file begins as a configuration (`.cfg`) or as a combined file (`.cff`)."""
    return bool(_CHANNELS.match(head)) or head[:14].lower() == b"--- file type:"


def sibling(path: Path, suffix: str) -> Path | None:
    """Return the file of the same name with another ending, in capitals or not."""
    return next((p for s in (suffix, suffix.upper()) if (p := path.with_suffix(s)).is_file()), None)


def open_comtrade(path: Path) -> list[Table]:
    """Return the tables of a record, given its `.cfg`, `.dat` or `.cff`.

    Raises `FileError`: it is damaged, or has fewer samples than its configuration says.
    """
    with require_package(path, "comtrade", extra="comtrade"):
        import comtrade
    content = _content(path)
    if wrong := wrong_line(content.cfg):
        raise FileError("damaged", path, wrong)
    with guard_library(path, "COMTRADE"):
        cfg = comtrade.Cfg(ignore_warnings=True)
        cfg.read(content.cfg)
        total = int(cfg.sample_rates[-1][1])
        _check_samples(path, cfg, content.dat, total)
        return _tables(path, content, cfg)


def _content(path: Path) -> _Content:
    if path.suffix.lower() == ".dat":
        path = sibling(path, ".cfg") or path
    head = _bytes(path)
    if head[:14].lower() == b"--- file type:":
        return _split_cff(path, head)
    dat = sibling(path, ".dat")
    if dat is None:
        raise FileError(
            "damaged",
            path,
            f"a COMTRADE configuration without its data, expected {path.stem}.dat next to it",
        )
    return _decoded(path, head, _bytes(dat))


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise FileError(
            "too_large",
            path,
            f"{path.stat().st_size >> 20} MiB, expected at most {MAX_BYTES >> 20} MiB of COMTRADE",
        )
    return path.read_bytes()


def _split_cff(path: Path, whole: bytes) -> _Content:
    """Return the parts of a combined file; binary data are as long as their heading says."""
    parts: dict[str, bytes] = {}
    match = _SECTION.search(whole)
    while match:
        name, end = match[1].decode().upper(), None
        if match[3]:
            end = match.end() + int(match[3])
        following = _SECTION.search(whole, end or match.end())
        if end is None:
            end = following.start() if following else len(whole)
        parts[name] = whole[match.end() : end]
        match = following
    if "CFG" not in parts or "DAT" not in parts:
        lacking = " and ".join(sorted({"CFG", "DAT"} - set(parts)))
        raise FileError("damaged", path, f"a COMTRADE file without the part {lacking}")
    return _decoded(path, parts["CFG"], parts["DAT"])


def _decoded(path: Path, cfg: bytes, dat: bytes) -> _Content:
    match = _CHANNELS.match(cfg)
    lines = cfg.count(b"\n") + 1
    # The library makes room for as many channels as are claimed, before it reads them.
    if not match or max(int(match[1]), int(match[2])) > lines:
        raise FileError("damaged", path, "line 2: expected the numbers of channels, as in 8,6A,2D")
    encoding = encoding_of(path, cfg.replace(b"\x1a", b""))
    text = cfg.replace(b"\x1a", b"").decode(encoding.value, "replace").replace("\r\n", "\n")
    plain = _plain_times(text)
    impossible = tuple(m[0].strip(" ,") for m in _DATE.finditer(plain) if not _exists(plain, m))
    possible = _DATE.sub(lambda m: m[0] if _exists(plain, m) else f"{m[1]}01/01{m[4]}", plain)
    return _Content(possible, dat, encoding, impossible)


def _plain_times(cfg: str) -> str:
    """Return a configuration whose dates and times the library can read.

    1991 writes the month first, later revisions the day; some recorders do the other, which shows
    if the month would be more than 12.
    """
    month_first = _month_first(cfg)

    def swapped(match: re.Match[str]) -> str:
        month, day = (match[2], match[3]) if month_first else (match[3], match[2])
        if int(month) <= 12 or int(day) > 12:
            return match[0]
        return f"{match[1]}{match[3]}/{match[2]}{match[4]}"

    return _DATE.sub(swapped, _WHOLE_SECONDS.sub(r"\1.0", cfg))


def _month_first(cfg: str) -> bool:
    """Whether dates are written as 1991 writes them."""
    first = cfg.partition("\n")[0]
    return first.count(",") < 2 or first.rstrip().endswith("1991")


def _exists(cfg: str, match: re.Match[str]) -> bool:
    """Whether a date of a configuration is one of the calendar."""
    month, day = (match[2], match[3]) if _month_first(cfg) else (match[3], match[2])
    year = int(match[4].strip("/ ,\t"))
    try:
        date(year if year > 99 else year + 1900, int(month), int(day))
    except ValueError:
        return False
    return True


def _check_samples(path: Path, cfg: Any, dat: bytes, total: int) -> None:
    """Make sure that the data are as long as the configuration says: the library adds zeros."""
    form = cfg.ft.strip().upper()
    if form in _BYTES:
        row = 8 + _BYTES[form] * cfg.analog_count + 2 * math.ceil(cfg.status_count / 16)
        rows = len(dat) // row
    else:
        rows = sum(bool(line.strip(b" \t\r\x1a")) for line in dat.split(b"\n"))
    if total < 1 or rows < total:
        raise FileError("damaged", path, f"{rows} samples in the data, expected {total} by the cfg")
    check_values(path, total * (cfg.analog_count + cfg.status_count))


def _tables(path: Path, content: _Content, cfg: Any) -> list[Table]:
    names = _unique_names(cfg.analog_channels)
    channels = dict(zip(names, cfg.analog_channels, strict=True))
    remarks = (
        content.encoding,
        Remark("revision", cfg.rev_year, "stated"),
        Remark("supply_hz", f"{cfg.frequency:g}", "stated"),
        Remark("trigger_s", f"{_trigger_s(cfg):.6g}", "stated"),
        *(_ratio(name, c) for name, c in channels.items() if c.uu.strip()),
    )
    critical = cfg.timestamp_critical
    impossible = ", ".join(dict.fromkeys(content.impossible_dates))
    columns = tuple(_column(name, c) for name, c in channels.items())
    ends = [0, *(int(end) for _, end in cfg.sample_rates)]
    return [
        Table(
            path=path,
            columns=(Column("time", "s", "time"), *columns) if critical else columns,
            load=partial(_load, path, content, channels, slice(first, end)),
            name=f"{fs_hz:g} Hz" if len(ends) > 2 else "",
            fs_hz=fs_hz if fs_hz > 0 and not critical else None,
            rate_source="the configuration",
            started=_start(cfg.start_timestamp) if first == 0 and not impossible else "",
            remarks=remarks,
            doubts={"impossible_date": impossible} if impossible else {},
        )
        for (first, end), (fs_hz, _) in zip(pairwise(ends), cfg.sample_rates, strict=True)
    ]


def _column(name: str, channel: Any) -> Column:
    """Return the column of a channel: its unit and phase say which it is, else its name does."""
    unit = channel.uu.strip()
    phase = PHASES.get(channel.ph.strip().lower())
    quantity = ""
    if phase is not None:
        if factor("ia", unit) is not None:
            quantity = CURRENTS[phase]
        elif factor("va", unit) is not None:
            quantity = VOLTAGES[phase]
    elif lines := between_phases(channel.ph.strip().lower()):
        quantity = lines if factor(lines, unit) is not None else ""
    elif not channel.ph.strip() and (means := meaning(name)):
        quantity = means.quantity
    return Column(name, unit, quantity)


def _unique_names(channels: Sequence[Any]) -> list[str]:
    """Return a name for each channel; those of one name get a phase, then a number."""
    names = [c.name or f"channel {c.n}" for c in channels]
    if len(set(names)) < len(names):
        names = [f"{n} {c.ph}".strip() for n, c in zip(names, channels, strict=True)]
    return [n if names.count(n) == 1 else f"{n} #{i}" for i, n in enumerate(names, start=1)]


def _scale(channel: Any) -> float:
    """Return the factor of the values of a channel to the primary side."""
    if channel.pors.strip().upper() != "S" or not channel.primary or not channel.secondary:
        return 1.0
    return float(channel.primary / channel.secondary)


def _ratio(name: str, channel: Any) -> Remark:
    side = channel.pors.strip().upper()
    ratio = f"{channel.primary:g}/{channel.secondary:g}"
    if side == "P":
        return Remark(f"ratio of {name}", f"{ratio}, primary", "stated")
    if side == "S" and channel.primary and channel.secondary:
        return Remark(f"ratio of {name}", f"{ratio}, secondary, multiplied", "stated")
    return Remark(f"ratio of {name}", "none, taken as primary", "guess")


def _trigger_s(cfg: Any) -> float:
    return float((cfg.trigger_timestamp - cfg.start_timestamp).total_seconds())


def _start(t: datetime) -> str:
    """Return the time of the first sample; 1991 writes two digits of the year."""
    if t.year < 100:
        t = t.replace(year=t.year + (1900 if t.year >= 70 else 2000))
    return t.isoformat()


def _load(
    path: Path,
    content: _Content,
    channels: dict[str, Any],
    part: slice,
    names: Sequence[str],
) -> dict[str, Samples]:
    with require_package(path, "comtrade", extra="comtrade"):
        import comtrade
    with guard_library(path, "COMTRADE"):
        record = comtrade.Comtrade(
            ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True
        )
        record.read(content.cfg, content.dat)
        order = list(channels)
        read: dict[str, Callable[[], Samples]] = {
            n: partial(_values, record, channels[n], order.index(n)) for n in names if n in channels
        }
        return {n: (read[n]() if n in read else record.time)[part] for n in names}


def _values(record: Any, channel: Any, i: int) -> Samples:
    x = np.asarray(record.analog[i], dtype=np.float64)
    if record.rev_year == "1991" and record.ft.strip().upper() == "BINARY":
        x = _without_single_gaps(x, channel.b - channel.a)
    # The revision of 2013 writes missing FLOAT32 values as the most negative one.
    x = np.where(np.abs(x - channel.b) >= 3.4e38 * abs(channel.a), np.nan, x)
    return x * _scale(channel)


def _without_single_gaps(x: Doubles, value: float) -> Doubles:
    """Return values in which only gaps of `GAP_1991` samples and more count as missing."""
    edges = np.flatnonzero(np.diff(np.isnan(x), prepend=False, append=False))
    x = x.copy()
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if end - first < GAP_1991:
            x[first:end] = value
    return x
