"""Answers of many records on a terminal: a row a run, a mark a record."""

import re
from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vtox.cli.diagnosis_table import STYLES
from vtox.faults import FAULTS
from vtox.senders.results_reader import Answers

MARKS = {"normal": "·", "warning": "▲", "fault": "■", "unknown": "?"}
PLAIN_MARKS = {"normal": ".", "warning": "w", "fault": "F", "unknown": "?"}
# More records than this are counted, not drawn.
MOST_MARKS = 24


def show(console: Console, runs: Mapping[str, str], answers: Answers) -> None:
    """Print the answers for `runs` (run -> title), and why some are unknown."""
    decided = [f for f in FAULTS if any(set(answers.counts(r, f)) - {"unknown"} for r in runs)]
    marks = MARKS if console.encoding.lower().startswith("utf") else PLAIN_MARKS
    if decided:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("recording", no_wrap=True)
        for fault in decided:
            table.add_column(fault)
        for run, title in runs.items():
            table.add_row(title, *(_cell(answers, run, f, marks) for f in decided))
        console.print(table)
        legend = "  ".join(f"{mark} {state}" for state, mark in marks.items())
        console.print(f"\n{legend}  (a mark a record)", style="dim")
    for fault in FAULTS:
        abstained = [a.reason for r in runs for a in answers.of(r, fault) if a.state == "unknown"]
        # Reasons that differ in their figures only are one reason, shown by its first example.
        alike = Counter(_without_figures(reason) for reason in abstained)
        for kind, count in alike.most_common(3):
            example = next(reason for reason in abstained if _without_figures(reason) == kind)
            console.print(f"{fault} unknown ({count}): {example}", style="dim", markup=False)


def _without_figures(reason: str) -> str:
    return re.sub(r"\d+(\.\d+)?", "#", reason)


def _cell(answers: Answers, run: str, fault: str, marks: Mapping[str, str]) -> Text:
    found = answers.of(run, fault)
    if len(found) <= MOST_MARKS:
        return Text.assemble(*((marks[a.state], STYLES[a.state]) for a in found))
    counts = answers.counts(run, fault)
    return Text(", ").join(Text(f"{n} {s}", style=STYLES[s]) for s, n in counts.items())
