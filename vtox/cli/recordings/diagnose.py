"""`vtox diagnose`: recordings in files, diagnosed offline by the same code as in the workers."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from vtox.cli.recordings.start_lines import show_start, start_values
from vtox.cli.shared import options
from vtox.cli.shared.diagnosis_table import DETECTED, show
from vtox.cli.shared.energy_lines import reading_lines
from vtox.cli.shared.report_files import Lang, check_target, file_contents, write_report
from vtox.motor.errors import InputError, RecordingError
from vtox.motor.faults import FAULTS
from vtox.motor.files.matching import ReadOptions
from vtox.motor.files.matching import options as reader_options
from vtox.motor.files.recordings import find, named_recordings
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Diagnosis, Motor, Recording
from vtox.motor.values.energy import MeterReading
from vtox.motor.values.plain_data import plain
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language, language

# Exit statuses.
HEALTHY, DETECTED_FAULT, BAD_INPUT, UNDECIDED = 0, 1, 2, 3

# File, name of the recording, recording, diagnoses.
Result = tuple[Path, str, Recording, list[Diagnosis]]


def diagnose_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recordings or folders.")],
    motor: options.MotorFile = None,
    fs: options.Rate = None,
    mapping: options.Map = None,
    unit: options.Unit = None,
    speed_rpm: options.Speed = None,
    part: options.Part = None,
    baseline: options.Healthy = None,
    faults: Annotated[
        str | None,
        typer.Option(metavar="FAULT,...", help=f"Only these faults, of {', '.join(FAULTS)}."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a report (.html): verdicts, drawings and the samples."
        ),
    ] = None,
    lang: Lang = DEFAULT,
    as_json: options.Json = False,
) -> None:
    """Diagnose recordings in files, offline.

    Exit status: 0 no fault detected, 1 a warning or a fault, 2 bad input, 3 all unknown.
    """
    errors = Console(stderr=True)
    words = language(lang) or DEFAULT
    try:
        opts = reader_options(
            mapping=mapping or (), unit=unit or (), fs_hz=fs, speed_rpm=speed_rpm, part=part
        )
        requested = _parse_faults(faults)
        nameplate = options.motor_from(motor)
        healthy = options.baseline_from(baseline, opts, nameplate)
        paths, skipped = find(files, opts)
        check_target(report, lang)
    except InputError as error:
        errors.print(f"vtox: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(BAD_INPUT) from error
    for path, reason in skipped.items():
        errors.print(f"skipped {path.name}: {reason}", style="dim", markup=False, highlight=False)
    results: list[Result] = []
    failed = 0
    for path in paths:
        try:
            of_file = _diagnose(path, opts, nameplate, healthy, requested)
        except InputError as error:
            errors.print(f"vtox: {error}", style="red", markup=False, highlight=False)
            failed += 1
            continue
        for result in of_file:
            results.append(result)
            if not as_json:
                _show(result, nameplate, words, first=len(results) == 1)
    if as_json:
        typer.echo(
            json.dumps([line for r in results for line in _lines(r, nameplate)], allow_nan=False)
        )
    elif len(results) > 1 or len(paths) > 1:
        typer.echo(f"\n{_counted(results, words)}")
    if report and results:
        write_report(report, _report_text(results, nameplate, healthy, lang))
    if failed:
        raise typer.Exit(BAD_INPUT)
    states = {d.state for *_, diagnoses in results for d in diagnoses}
    if states == {"unknown"}:
        errors.print(catalogue(words).messages["recordings_undecided"], style="yellow")
        raise typer.Exit(UNDECIDED)
    raise typer.Exit(DETECTED_FAULT if states & set(DETECTED) else HEALTHY)


def _parse_faults(text: str | None) -> set[str] | None:
    if text is None:
        return None
    requested = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := requested - set(FAULTS):
        raise RecordingError(
            f"--faults {', '.join(sorted(unknown))}: expected some of {', '.join(FAULTS)}"
        )
    return requested


def _diagnose(
    path: Path,
    opts: ReadOptions,
    motor: Motor | None,
    healthy: Baseline | None,
    faults: set[str] | None,
) -> list[Result]:
    # Not at the top: it loads scipy, which other commands do not need.
    from vtox.motor.diagnosis.diagnosis import diagnose

    return [
        (path, name, recording, diagnose(recording, motor, faults=faults, baseline=healthy))
        for name, recording in named_recordings(path, opts)
    ]


def _show(result: Result, motor: Motor | None, lang: Language, *, first: bool) -> None:
    _, name, recording, diagnoses = result
    console = Console(highlight=False)
    if not first:
        console.print()
    title = Text(name, style="bold")
    length = catalogue(lang).messages["recordings_length"]
    facts = [length.format(duration_s=recording.duration_s, fs_hz=recording.fs_hz)]
    facts.append(" ".join(recording.channels))
    if recording.speed_rpm is not None:
        facts.append(f"{recording.speed_rpm:.5g} rpm")
    console.print(title.append(" · " + " · ".join(facts), style="not bold dim"))
    told = show_start(console, recording, diagnoses, motor, lang)
    show(console, diagnoses, lang, told)
    for line in reading_lines(_energy(recording, motor), told, lang):
        console.print(line, style="dim")


def _report_text(
    results: list[Result], motor: Motor | None, baseline: Baseline | None, language: str
) -> str:
    # Not at the top: they draw figures, which a diagnosis alone does not need.
    from vtox.reporting.reports.document import document
    from vtox.reporting.reports.page import page

    contents = file_contents([r[1:] for r in results], motor, baseline, language)
    return document(contents, page(contents))


def _energy(recording: Recording, motor: Motor | None) -> MeterReading | None:
    """Return the energy of a recording, None without currents."""
    from vtox.motor.diagnosis.diagnosis import read_energy

    return read_energy(recording, motor) if any(c in recording.channels for c in CURRENTS) else None


def _counted(results: list[Result], lang: Language) -> str:
    """Return how many recordings show something, in words."""
    detected = sum(any(d.state in DETECTED for d in diagnoses) for *_, diagnoses in results)
    undecided = sum(all(d.state == "unknown" for d in diagnoses) for *_, diagnoses in results)
    counts = {"recordings": len(results), "detected": detected, "undecided": undecided}
    healthy = len(results) - detected - undecided
    return catalogue(lang).messages["recordings_counted"].format(healthy=healthy, **counts)


def _energy_values(reading: MeterReading | None) -> dict[str, Any] | None:
    if reading is None:
        return None
    codes = {"power_code": reading.power_code, "load_code": reading.load_code}
    return {**reading.figures, **{name: code for name, code in codes.items() if code}}


def _lines(result: Result, motor: Motor | None) -> list[dict[str, Any]]:
    path, name, recording, diagnoses = result
    about = {
        "file": str(path),
        "recording": name,
        "fs_hz": recording.fs_hz,
        "duration_s": recording.duration_s,
        "channels": list(recording.channels),
        "speed_rpm": recording.speed_rpm,
        "start": start_values(recording, diagnoses, motor),
        "energy": _energy_values(_energy(recording, motor)),
    }
    return [plain(about | asdict(d) | {"reason": d.reason}) for d in diagnoses]
