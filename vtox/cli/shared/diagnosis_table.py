"""Diagnoses on a terminal: a block for each fault, reason and advice first, then the numbers."""

from collections.abc import Collection, Iterable, Mapping

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from vtox.motor.values.domain import Diagnosis, Reason, Value
from vtox.motor.values.plain_data import digits
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language
from vtox.motor.words.rendering import advice, join, name_of, render
from vtox.pipeline.store.stream.entries import Result

STYLES = {"normal": "green", "warning": "yellow", "fault": "bold red", "unknown": "dim"}
DETECTED = ("warning", "fault")


def show(
    console: Console,
    diagnoses: Iterable[Diagnosis | Result],
    language: Language = DEFAULT,
    told: Collection[Reason] = (),
) -> None:
    """Print diagnoses, just made or stored, wrapped to the width of the terminal.

    Reasons in `told` are printed above; only their code is repeated.
    """
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    # Chinese has no spaces: a text longer than a line is broken there, not cut off.
    grid.add_column(overflow="fold")
    for d in diagnoses:
        details = [Text(_reason(d, language, told))]
        above = Reason(d.code, d.values) in told
        what_to_do = "" if above else advice(d.code, d.values, language, level=d.state)
        if what_to_do:
            details.append(Text(what_to_do, style="italic"))
        numbers = (_codes(d, told), _numbers(d), _indicators(d))
        details += [Text(line, style="dim") for line in numbers if line]
        grid.add_row(Text(d.fault), Text(d.state, style=STYLES[d.state]), Group(*details))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _reason(d: Diagnosis | Result, language: Language, told: Collection[Reason]) -> str:
    """Return the reason in a language; one written without a code stays as it is."""
    reasons = _reasons(d)
    if not reasons or (language == DEFAULT and not any(r in told for r in reasons)):
        return d.reason
    above = catalogue(language).messages["see_start"]
    return join(
        (above if r in told else render(r.code, r.values, language) for r in reasons), language
    )


def _reasons(d: Diagnosis | Result) -> list[Reason]:
    return [Reason(d.code, d.values), *d.doubts] if d.code else []


def _codes(d: Diagnosis | Result, told: Collection[Reason]) -> str:
    """Return the code with its values, and the same of each doubt."""
    return "; ".join(
        r.code if r in told else f"{r.code} {_values(r.values)}".rstrip() for r in _reasons(d)
    )


def _indicators(d: Diagnosis | Result) -> str:
    """Return the indicators, without the ones among the values of the codes."""
    said = [pair for r in _reasons(d) for pair in r.values.items()]
    return _values({n: v for n, v in d.indicators.items() if (n, v) not in said})


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
        name = name_of("statistic", d.fault)
        parts.append(f"{name} {digits(d.statistic)} {sign} {digits(d.threshold)}")
    return " · ".join(parts)


def _values(values: Mapping[str, Value | tuple[str, ...]]) -> str:
    return " · ".join(f"{n} {digits(v)}" for n, v in values.items() if v is not None)
