"""Options that several commands share: files, columns, units, nameplate, baseline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from vtox.cli.shared.diagnosis_table import DETECTED
from vtox.motor.errors import BaselineError, InputError
from vtox.motor.files.matching import ReadOptions
from vtox.motor.files.recordings import find, read
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import read_motor

MotorFile = Annotated[
    Path | None,
    typer.Option(
        "--motor", metavar="FILE", help="Nameplate of the machine, a motor.toml (see docs/motors)."
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="CHANNEL=COLUMN,...",
        help="Column of a channel (or time, speed, temperature) by name or number (from 1) if the "
        "file does not say: ia=2,ib=3.",
    ),
]
Unit = Annotated[
    list[str] | None,
    typer.Option(
        "--unit",
        metavar="CHANNEL=UNIT,...",
        help="Unit of a column, or the number to multiply it by: vibration=g,ia=20.",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", "--fs", metavar="HZ", help="Sampling rate, instead of the one in the file."
    ),
]
Speed = Annotated[
    float | None,
    typer.Option("--speed-rpm", metavar="N", help="Shaft speed, instead of the one in the file."),
]
Part = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="NAME",
        help="The one to read of a file that holds several: a sheet, a group, a structure.",
    ),
]
Healthy = Annotated[
    list[Path] | None,
    typer.Option(
        "--baseline",
        metavar="FILE_OR_FOLDER",
        help="Healthy recordings of this machine to compare with (a pattern in quotes is allowed), "
        "or an exported baseline (.json). Can be repeated.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


UNITS_S = {"h": 3600, "d": 86400, "w": 7 * 86400}


def duration_s(text: str, option: str) -> float | None:
    """Return the duration in a text such as 12h, 90d or 8w, s; None of an empty one."""
    if not text:
        return None
    number, unit = text[:-1], text[-1]
    if unit not in UNITS_S or not number.isdecimal() or not 0 < int(number) < 10_000:
        raise InputError(f"{option} {text}: expected a number and h, d or w, as in 90d")
    return float(int(number) * UNITS_S[unit])


def motor_from(path: Path | None) -> Motor | None:
    """Return the nameplate in a file, None without one."""
    return read_motor(path) if path else None


def baseline_from(
    paths: Sequence[Path] | None, opts: ReadOptions, motor: Motor | None
) -> Baseline | None:
    """Return the baseline learnt from healthy recordings or exported, None without any.

    Recordings in which a fault is detected are reported on stderr and learnt all the same: the
    operator decides whether the machine was healthy.

    Raises `InputError`: nothing can be learnt from the files; or an exported baseline is damaged,
    or given together with recordings.
    """
    if not paths:
        return None
    if exported := [p for p in paths if p.suffix.lower() == ".json"]:
        if len(paths) > 1:
            raise InputError(
                f"{exported[0].name} is a whole baseline", remedy="give no other file with it"
            )
        return _read_exported(exported[0])
    # Not at the top: it loads scipy, which other commands do not need.
    from vtox.motor.diagnosis.diagnosis import diagnose
    from vtox.motor.diagnosis.learning.fit import learn_baseline

    files, _ = find(paths, opts)
    named = [(f.name, recording) for f in files for recording in read(f, opts)]
    recordings = [recording for _, recording in named]
    baseline = learn_baseline(recordings, motor)
    if baseline.empty:
        reason = diagnose(recordings[0], motor)[0].reason
        raise InputError(f"no baseline can be learnt from {files[0].name}: {reason}")
    errors = Console(stderr=True, highlight=False)
    for name, recording in named:
        for d in diagnose(recording, motor):
            if d.state in DETECTED:
                text = f"{name} does not look healthy: {d.fault} {d.state}, {d.reason}"
                errors.print(text, style="yellow", markup=False)
    return baseline


def _read_exported(path: Path) -> Baseline:
    try:
        return Baseline.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BaselineError) as error:
        raise InputError(
            f"{path.name}: {error}; expected what `vtox baseline export` prints"
        ) from error
