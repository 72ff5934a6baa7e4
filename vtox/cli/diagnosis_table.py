"""Diagnoses on a terminal: one block a fault, the reason first, numbers beneath it."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vtox.domain import Diagnosis, Value

STYLES = {"normal": "green", "warning": "yellow", "fault": "bold red", "unknown": "dim"}
FOUND = ("warning", "fault")


def show(console: Console, diagnoses: Iterable[Diagnosis]) -> None:
    """Print diagnoses, wrapped to whatever width the terminal has."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column()
    for d in diagnoses:
        details = [Text(d.reason)]
        details += [Text(line, style="dim") for line in (_numbers(d), _indicators(d)) if line]
        grid.add_row(Text(d.fault), Text(d.state, style=STYLES[d.state]), Group(*details))
    console.print(Padding(grid, (0, 0, 0, 2)))


def plain(value: Any) -> Any:
    """Return `value` for JSON: numpy's numbers as Python's, what is not finite as null."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _numbers(d: Diagnosis) -> str:
    if d.statistic is None:
        return ""
    parts = []
    if d.severity is not None:
        parts.append(f"severity {d.severity:.2f}")
    parts.append(f"confidence {d.confidence:.2f}")
    if d.threshold is not None:
        sign = ">" if d.statistic > d.threshold else "≤"
        parts.append(f"statistic {number(d.statistic)} {sign} {number(d.threshold)}")
    return " · ".join(parts)


def _indicators(d: Diagnosis) -> str:
    return " · ".join(f"{n} {number(v)}" for n, v in d.indicators.items() if v is not None)


def number(value: Value) -> str:
    """Return a value in at most four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
