"""`vtox diagnose`: recordings in files, judged offline by the code that the workers run."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

import vtox
from vtox.cli import options
from vtox.cli.diagnosis_table import FOUND, plain, show
from vtox.domain import Diagnosis, Motor, Recording
from vtox.errors import InputError, RecordingError
from vtox.faults import FAULTS
from vtox.files.recordings import Options, find, read
from vtox.files.recordings import options as reader_options

HEALTHY, SOMETHING, BAD_INPUT, UNDECIDED = 0, 1, 2, 3

if TYPE_CHECKING:
    from vtox.baseline import Baseline

Judged = tuple[Path, Recording, list[Diagnosis]]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("diagnose")(diagnose_command)


def diagnose_command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Recordings (CSV, .npz) or folders.")
    ],
    motor: options.MotorFile = None,
    fs: options.Rate = None,
    mapping: options.Map = None,
    unit: options.Unit = None,
    speed_rpm: options.Speed = None,
    baseline: options.Healthy = None,
    faults: Annotated[
        str | None,
        typer.Option(metavar="FAULT,...", help=f"Only these: {', '.join(FAULTS)}."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Diagnose recordings in files, offline.

    Exit status: 0 healthy as far as it could be decided, 1 a warning or a fault, 2 bad input,
    3 nothing could be decided.
    """
    errors = Console(stderr=True)
    try:
        opts = reader_options(mapping=mapping or (), unit=unit or (), fs_hz=fs, speed_rpm=speed_rpm)
        asked = _faults(faults)
        plate = options.motor_from(motor)
        healthy = options.baseline_from(baseline, opts, plate)
        found, skipped = find(files, opts)
    except InputError as error:
        errors.print(f"vtox: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(BAD_INPUT) from error
    for path, why in skipped.items():
        errors.print(f"skipped {path.name}: {why}", style="dim", markup=False, highlight=False)
    judged: list[Judged] = []
    for path in found:
        try:
            judged.append(_judged(path, opts, plate, healthy, asked))
        except InputError as error:
            errors.print(f"vtox: {error}", style="red", markup=False, highlight=False)
            continue
        if not as_json:
            _show(judged[-1], first=len(judged) == 1)
    if as_json:
        typer.echo(json.dumps([line for j in judged for line in _lines(j)], allow_nan=False))
    elif len(found) > 1:
        _sum_up(judged)
    if len(judged) < len(found):
        raise typer.Exit(BAD_INPUT)
    states = {d.state for _, _, ds in judged for d in ds}
    if states == {"unknown"}:
        errors.print("nothing could be decided; each reason says what it takes", style="yellow")
        raise typer.Exit(UNDECIDED)
    raise typer.Exit(SOMETHING if states & set(FOUND) else HEALTHY)


def _faults(text: str | None) -> set[str] | None:
    if text is None:
        return None
    asked = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := asked - set(FAULTS):
        raise RecordingError(
            f"--faults {', '.join(sorted(unknown))}: expected some of {', '.join(FAULTS)}"
        )
    return asked


def _judged(
    path: Path,
    opts: Options,
    motor: Motor | None,
    healthy: "Baseline | None",
    faults: set[str] | None,
) -> Judged:
    recording = read(path, opts)
    # By the package's lazy name: other commands must not pay for scipy.
    return path, recording, vtox.diagnose(recording, motor, faults=faults, baseline=healthy)


def _show(judged: Judged, *, first: bool) -> None:
    path, recording, diagnoses = judged
    console = Console(highlight=False)
    if not first:
        console.print()
    title = Text(path.name, style="bold")
    facts = [f"{recording.duration_s:.4g} s at {recording.fs_hz:.6g} Hz"]
    facts.append(" ".join(recording.channels))
    if recording.speed_rpm is not None:
        facts.append(f"{recording.speed_rpm:.5g} rpm")
    console.print(title.append(" · " + " · ".join(facts), style="not bold dim"))
    show(console, diagnoses)


def _sum_up(judged: list[Judged]) -> None:
    alarmed = sum(any(d.state in FOUND for d in diagnoses) for _, _, diagnoses in judged)
    undecided = sum(all(d.state == "unknown" for d in diagnoses) for _, _, diagnoses in judged)
    typer.echo(
        f"\n{len(judged)} recordings: {alarmed} with a warning or fault, "
        f"{len(judged) - alarmed - undecided} without, {undecided} not decided"
    )


def _lines(judged: Judged) -> list[dict[str, Any]]:
    path, recording, diagnoses = judged
    about = {
        "file": str(path),
        "fs_hz": recording.fs_hz,
        "duration_s": recording.duration_s,
        "channels": list(recording.channels),
        "speed_rpm": recording.speed_rpm,
    }
    return [plain(about | asdict(d)) for d in diagnoses]
