"""A start in a recording, in words on a terminal and as values in JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vtox.motor.values.domain import Diagnosis, Motor, Reason, Recording
from vtox.motor.values.operating_state import operating_state
from vtox.motor.words.languages import Language
from vtox.motor.words.rendering import advice, render


def show_start(
    console: Console,
    recording: Recording,
    diagnoses: Sequence[Diagnosis],
    motor: Motor | None,
    language: Language,
) -> tuple[Reason, ...]:
    """Print a line for each thing that is known, or not known, of a start, with its advice.

    Returns the reasons that are printed: none without a start.
    """
    if not _starts(diagnoses):
        return ()
    # Not at the top: it loads scipy, which other commands do not need.
    from vtox.motor.diagnosis.diagnosers.current.motor_start import motor_start

    if (start := motor_start(recording, motor)) is None:
        return ()
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for k, why in enumerate(start.reasons):
        style = "dim" if why in start.unknown else ""
        grid.add_row(
            Text("" if k else "start"), Text(render(why.code, why.values, language), style=style)
        )
        if what_to_do := advice(why.code, why.values, language):
            grid.add_row(Text(""), Text(what_to_do, style="italic"))
    console.print(Padding(grid, (0, 0, 0, 2)))
    return start.reasons


def start_values(
    recording: Recording, diagnoses: Sequence[Diagnosis], motor: Motor | None
) -> dict[str, Any] | None:
    """Return the figures of a start and the codes of its unknown figures; None without one."""
    if not _starts(diagnoses):
        return None
    from vtox.motor.diagnosis.diagnosers.current.motor_start import motor_start

    if (start := motor_start(recording, motor)) is None:
        return None
    return asdict(start) | {"unknown": [why.code for why in start.unknown]}


def _starts(diagnoses: Sequence[Diagnosis]) -> bool:
    codes = [code for d in diagnoses for code in (d.code, *(r.code for r in d.doubts))]
    return operating_state(codes) == "start"
