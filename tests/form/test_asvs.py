"""The table of OWASP ASVS 5.0.0, level 2: whole, with links that lead somewhere, and its shares."""

import csv
from collections import Counter

import pytest

from tests.paths import ROOT

FILE = ROOT / "docs/appendix/asvs-5.0.0-level-2.csv"
ROWS = list(csv.DictReader(FILE.read_text().splitlines()))
# Requirements of levels 1 and 2 in each section of 5.0.0.
SECTIONS = {
    "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4,
    "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3,
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
}  # fmt: skip
LINKED = {"met", "absent"}


def links(cell: str) -> list[str]:
    """The links of a cell: a path, or `path::text`, where the text may have blanks."""
    found: list[str] = []
    for word in cell.split():
        if "/" in word:
            found.append(word)
        else:
            found[-1] += f" {word}"
    return found


def test_each_requirement_has_one_row_in_order() -> None:
    numbers = [row["requirement"] for row in ROWS]
    assert numbers == [f"{s}.{n}" for s, most in SECTIONS.items() for n in range(1, most + 1)]
    assert all(row["level"] in "12" and row["asks"] and row["answer"] for row in ROWS)


def test_what_is_met_is_shown_and_nothing_else_is() -> None:
    states = LINKED | {"not applicable", "not met"}
    assert {row["state"] for row in ROWS} <= states
    assert [r for r in ROWS if bool(r["shown by"]) != (r["state"] in LINKED)] == []


@pytest.mark.parametrize("row", [r for r in ROWS if r["shown by"]], ids=lambda r: r["requirement"])
def test_each_link_leads_to_a_test_or_a_line(row: dict[str, str]) -> None:
    for link in links(row["shown by"]):
        path, _, text = link.partition("::")
        content = " ".join((ROOT / path).read_text().split())
        wanted = f"def {text}(" if text.startswith("test_") else text
        assert text, link
        assert wanted in content, link


def test_shares_are_as_promised() -> None:
    of = Counter(row["state"] for row in ROWS)
    assert (of["met"] + of["absent"]) / len(ROWS) >= 0.8
    assert of["not applicable"] / len(ROWS) <= 0.15
    page = (ROOT / "docs/appendix/access.md").read_text()
    for count in (len(ROWS), of["met"], of["absent"], of["not applicable"], of["not met"]):
        assert f" {count} " in page
