"""Diagnoses of many records on a terminal: a row for each run, a mark for each record."""

from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from vtox.cli.shared.columns import columns
from vtox.cli.shared.diagnosis_table import STYLES
from vtox.motor.faults import FAULTS
from vtox.pipeline.sending.senders.results_reader import Answers
from vtox.pipeline.store.stream.entries import Result

MARKS = {"normal": "·", "warning": "▲", "fault": "■", "unknown": "?"}
PLAIN_MARKS = {"normal": ".", "warning": "w", "fault": "F", "unknown": "?"}
# If there are more records than this, the states are counted instead.
MARKS_MAX = 24
# Reasons shown for each fault that is unknown, the most frequent ones.
REASONS_MAX = 3


def show(console: Console, runs: Mapping[str, str], answers: Answers) -> None:
    """Print the diagnoses of `runs` (run -> title), and why some are unknown."""
    decided = [f for f in FAULTS if any(set(answers.counts(r, f)) - {"unknown"} for r in runs)]
    marks = MARKS if console.encoding.lower().startswith("utf") else PLAIN_MARKS
    if decided:
        table = columns("recording", *decided, wrapped=decided)
        for run, title in runs.items():
            table.add_row(title, *(_cell(answers, run, f, marks) for f in decided))
        console.print(table)
        legend = "  ".join(f"{mark} {state}" for state, mark in marks.items())
        console.print(f"\n{legend}  (one mark per record)", style="dim")
    for fault in FAULTS:
        unknown = [a for r in runs for a in answers.of(r, fault) if a.state == "unknown"]
        examples = {_code(a): a.reason for a in reversed(unknown)}  # the first of each code
        for code, count in Counter(map(_code, unknown)).most_common(REASONS_MAX):
            line = f"{fault} unknown ({count}): {examples[code]}"
            console.print(line, style="dim", markup=False)


def _code(result: Result) -> str:
    return result.code or result.reason


def _cell(answers: Answers, run: str, fault: str, marks: Mapping[str, str]) -> Text:
    row = answers.of(run, fault)
    if len(row) <= MARKS_MAX:
        return Text.assemble(*((marks[a.state], STYLES[a.state]) for a in row))
    counts = answers.counts(run, fault)
    return Text(", ").join(Text(f"{n} {s}", style=STYLES[s]) for s, n in counts.items())
