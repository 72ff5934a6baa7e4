"""The tables of codes of the faults, written from the rules that decide.

    python -m handbook.fault_codes

A table has a row for each code in the order of the rules; the first rule that holds decides. Then
come their doubts, then codes that an earlier step states. Order and states are those of the rules,
advice is that of the sentences. The meaning of a code is written manually on the page, and kept; so
is the state of a code that no rule names.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from handbook.fault_quality import with_quality
from handbook.sources import DOCS
from vtox.motor.diagnosis.diagnosers.decision import DecisionTable, Rule
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import State
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.rendering import advice

FOLDER = DOCS / "reference" / "codes"
HEAD = "| code | state | meaning | what to do |\n|---|---|---|---|\n"
ROW = re.compile(r"^\| (`\w+`|\*[\w ]+\*) \|.*\|$", re.MULTILINE)
STATES: tuple[State, ...] = ("unknown", "normal", "warning", "fault")
# Shown until an author writes the meaning.
UNWRITTEN = "?"


def with_codes(fault: str, page: str) -> str:
    """Return the text of a page with the table of codes that its rules give."""
    overview = _meanings((FOLDER / "general.md").read_text())
    written = _rows(page)
    meanings = overview | _meanings(page)
    lines = []
    for name, state in _in_order(fault):
        what = advice_of(name.strip("`")) if name.startswith("`") else ""
        kept = written[name][1] if name in written else UNWRITTEN
        cells = (name, state or kept, meanings.get(name, UNWRITTEN), what)
        lines.append(f"| {' | '.join(cells)} |\n")
    table = HEAD + "".join(lines)
    return re.sub(rf"{re.escape(HEAD)}(?:\|.*\n)*", lambda _: table, page, count=1)


def advice_of(code: str) -> str:
    """Return the advice for a code, at each level if the levels differ."""
    warned, at_fault = advice(code), advice(code, level="fault")
    return warned if warned == at_fault else f"`warning`: {warned} `fault`: {at_fault}"


def _rows(page: str) -> Mapping[str, list[str]]:
    """Return the cells of the rows of a page by the first of them."""
    cells = ([c.strip() for c in m[0].split("|")[1:-1]] for m in ROW.finditer(page))
    return {row[0]: row for row in cells}


def _meanings(page: str) -> dict[str, str]:
    return {name: row[-2] for name, row in _rows(page).items()}


def _in_order(fault: str) -> Iterator[tuple[str, str]]:
    """Yield the first cell of each row and its states, none if the page says them."""
    table: DecisionTable[Any] = import_module(
        f"vtox.motor.diagnosis.diagnosers.{fault}.rules"
    ).RULES
    doubts = [d for r in table.rules for d in r.doubts]
    states: dict[str, list[str]] = {}
    for r in table.rules:
        states.setdefault(_name(r), []).append(r.state)
    for d in doubts:
        states.setdefault(_name(d), [])
    for name, found in states.items():
        yield name, " or ".join(f"`{x}`" for x in STATES if x in found) or "doubt"
    yield from (
        (f"`{code}`", "") for code in catalogue("en").topics[fault] if f"`{code}`" not in states
    )


def _name(r: Rule[Any]) -> str:
    """Return the code of a rule, or in words the column whose reasons it hands on."""
    return f"*{r.stated.replace('_', ' ')}*" if r.stated else f"`{r.code}`"


def main() -> None:
    """Write the tables of codes, and of results and gaps, on the pages of all faults."""
    for fault in FAULTS:
        codes, page = FOLDER / f"{fault}.md", DOCS / "faults" / f"{fault}.md"
        codes.write_text(with_codes(fault, codes.read_text()))
        page.write_text(with_quality(fault, page.read_text()))


if __name__ == "__main__":
    main()
