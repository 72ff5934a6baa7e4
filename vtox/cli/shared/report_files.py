"""Reports as files: of recordings just diagnosed, and how they are written."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from vtox.cli.shared.fleet_packages import check_fleet
from vtox.motor.errors import InputError
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Diagnosis, Motor, Recording
from vtox.motor.values.nameplate import motor_to_dict
from vtox.motor.words.languages import DEFAULT, LANGUAGES

if TYPE_CHECKING:
    from vtox.reporting.reports.contents import Contents

Lang = Annotated[
    str, typer.Option("--lang", metavar="|".join(LANGUAGES), help="Language of reasons and report.")
]
SUFFIXES = (".html", ".htm")


def check_target(path: Path | None, language: str) -> None:
    """Make sure that a report can be written there, before anything is computed.

    Raises `InputError`: it would not be an HTML file, there is no such folder, or no such language.
    """
    if language not in LANGUAGES:
        raise InputError(f"--lang {language}: expected one of {', '.join(LANGUAGES)}")
    if path is None:
        return
    check_fleet("--report")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: expected a name ending in .html")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder")


def file_contents(
    results: Sequence[tuple[str, Recording, list[Diagnosis]]],
    motor: Motor | None,
    baseline: Baseline | None,
    language: str = DEFAULT,
) -> "Contents":
    """Return the contents of a report of recordings in files.

    The verdicts are computed once more, by one thread, as `vtox verify` will.
    """
    # Not at the top: they load scipy, which other commands do not need.
    from vtox.reporting.reports import making
    from vtox.reporting.reports.contents import Contents, ReportedMachine, checked
    from vtox.reporting.reports.environment import environment

    records = []
    for name, recording, diagnoses in results:
        faults = [d.fault for d in diagnoses]
        verdicts = making.verdicts(recording, motor, baseline, faults)
        energy = making.energy(recording, motor, faults)
        records.append(making.record(name, recording, verdicts, energy))
    made = Contents(
        made_t=round(time.time(), 3),
        language=language,
        environment=environment(),
        machine=ReportedMachine(
            nameplate=motor_to_dict(motor) if motor else None,
            baseline=baseline.to_json() if baseline else None,
        ),
        records=records,
    )
    return checked(made)


def write_report(path: Path, text: str) -> None:
    """Write a report, whole or not at all, and say where it is.

    Raises `InputError`: it cannot be written.
    """
    try:
        # Another user may have put a link into the folder, but not into this new one.
        with TemporaryDirectory(prefix=".report-", dir=path.parent) as drafts:
            draft = Path(drafts) / path.name
            draft.write_text(text, encoding="utf-8")
            os.replace(draft, path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    size = f"{len(text) / 1e6:.1f} MB"
    typer.echo(f"{path}: {size}, `vtox verify {path}` computes its verdicts again", err=True)
