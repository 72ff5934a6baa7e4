"""Diagnoses on a terminal: a block for each fault, reason and advice first, then the numbers."""

from collections.abc import Iterable, Mapping

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vtox.domain import Diagnosis, Reason, Value
from vtox.plain_data import digits
from vtox.sentences.languages import DEFAULT, Language
from vtox.sentences.rendering import advice, render_all
from vtox.store.entries import Result

STYLES = {"normal": "green", "warning": "yellow", "fault": "bold red", "unknown": "dim"}
DETECTED = ("warning", "fault")


def show(
    console: Console, diagnoses: Iterable[Diagnosis | Result], language: Language = DEFAULT
) -> None:
    """Print diagnoses, just made or stored, wrapped to the width of the terminal."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for d in diagnoses:
        details = [Text(_reason(d, language))]
        if what_to_do := advice(d.code, language):
            details.append(Text(what_to_do, style="italic"))
        numbers = (_codes(d), _numbers(d), _values(d.indicators))
        details += [Text(line, style="dim") for line in numbers if line]
        grid.add_row(Text(d.fault), Text(d.state, style=STYLES[d.state]), Group(*details))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _reason(d: Diagnosis | Result, language: Language) -> str:
    """Return the reason in a language; what was written without a code stays as it is."""
    if language == DEFAULT or not d.code:
        return d.reason
    return render_all(((r.code, r.values) for r in (d, *d.doubts)), language)


def _codes(d: Diagnosis | Result) -> str:
    """Return the code with its values, and the same of each doubt."""
    reasons = [Reason(d.code, d.values), *d.doubts] if d.code else []
    return "; ".join(f"{r.code} {_values(r.values)}".rstrip() for r in reasons)


def _numbers(d: Diagnosis | Result) -> str:
    if d.statistic is None:
        return ""
    parts = []
    if d.severity is not None:
        parts.append(f"severity {d.severity:.2f}")
    if d.confidence is not None:
        parts.append(f"confidence {d.confidence:.2f}")
    if d.threshold is not None:
        sign = ">" if d.statistic > d.threshold else "≤"
        parts.append(f"statistic {digits(d.statistic)} {sign} {digits(d.threshold)}")
    return " · ".join(parts)


def _values(values: Mapping[str, Value | tuple[str, ...]]) -> str:
    return " · ".join(f"{n} {digits(v)}" for n, v in values.items() if v is not None)
