"""What several commands ask of the user in the same words: files, columns, units, motor."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

import vtox
from vtox.domain import Motor
from vtox.errors import BaselineError, InputError
from vtox.files.recordings import Options, find, read
from vtox.nameplate import read_motor

if TYPE_CHECKING:
    from vtox.baseline import Baseline

MotorFile = Annotated[
    Path | None,
    typer.Option("--motor", metavar="FILE", help="Nameplate: a motor.toml (see docs/motors)."),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="CHANNEL=COLUMN,...",
        help="Columns by name or by number from 1, where their names do not tell: ia=2,ib=3.",
    ),
]
Unit = Annotated[
    list[str] | None,
    typer.Option("--unit", metavar="CHANNEL=UNIT,...", help="Unit of a column: vibration=g."),
]
Rate = Annotated[
    float | None,
    typer.Option("--fs", metavar="HZ", help="Sampling rate, instead of what the file says."),
]
Speed = Annotated[
    float | None,
    typer.Option("--speed-rpm", metavar="N", help="Shaft speed, instead of what the file says."),
]
Healthy = Annotated[
    list[Path] | None,
    typer.Option(
        "--baseline",
        metavar="FILE_OR_FOLDER",
        help="Healthy recordings of this machine to compare with; may be given again, "
        "and may be a pattern in quotes. Or a baseline exported as .json.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs instead of text.")]


def motor_from(path: Path | None) -> Motor | None:
    """Return the nameplate in a file, None without one."""
    return read_motor(path) if path else None


def baseline_from(
    paths: Sequence[Path] | None, opts: Options, motor: Motor | None
) -> "Baseline | None":
    """Return the baseline learnt from healthy recordings or exported, None without any.

    Recordings that show a fault already are told of on stderr, and learnt all the same: whether
    the machine was healthy is the operator's word.

    Raises
    ------
    InputError
        Nothing can be learnt from any of the files, and why of the first; or an exported baseline
        that is none, or among recordings.
    """
    if not paths:
        return None
    if exported := [p for p in paths if p.suffix.lower() == ".json"]:
        if len(paths) > 1:
            raise InputError(f"{exported[0].name} is a whole baseline: give no other file with it")
        return _exported(exported[0])
    files, _ = find(paths, opts)
    recordings = [read(f, opts) for f in files]
    # By the package's lazy name: other commands must not pay for scipy.
    baseline: Baseline = vtox.learn_baseline(recordings, motor)
    if baseline.empty:
        why = vtox.diagnose(recordings[0], motor)[0].reason
        raise InputError(f"no baseline: nothing can be learnt from {files[0].name}: {why}")
    told = Console(stderr=True, highlight=False)
    for path, recording in zip(files, recordings, strict=True):
        for d in vtox.diagnose(recording, motor):
            if d.state in ("warning", "fault"):
                text = f"{path.name} is not healthy by itself: {d.fault} {d.state}, {d.reason}"
                told.print(text, style="yellow", markup=False)
    return baseline


def _exported(path: Path) -> "Baseline":
    try:
        baseline: Baseline = vtox.Baseline.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BaselineError) as error:
        raise InputError(
            f"{path.name}: {error}; expected what `vtox baseline export` prints"
        ) from error
    return baseline
