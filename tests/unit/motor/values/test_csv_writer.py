"""The writer of CSV: no text runs as a formula, numbers stay numbers, every text comes back."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtox.motor.values.csv_writer import MARK, write_csv

SIGNS = ("=", "+", "-", "@", "\t", "\r")
# Texts with a sign in front are rare among texts at random.
CELLS = st.builds(
    str.__add__,
    st.text(alphabet="'=+-@\t\r\n \",;", max_size=4),
    st.text(st.characters(exclude_categories=["Cs"])),
)


def written(*rows: list[Any]) -> list[list[str]]:
    """The cells that a reader of CSV finds."""
    file = io.StringIO(newline="")
    assert write_csv(file, rows) == len(rows)
    text = file.getvalue()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


@given(st.lists(CELLS, min_size=1))
def test_no_text_begins_like_a_formula_and_each_comes_back(row: list[str]) -> None:
    (found,) = written(row)
    assert not any(cell.startswith(SIGNS) for cell in found)
    assert [MARK.sub(r"\1", cell) for cell in found] == row


@given(st.lists(st.integers() | st.floats(allow_nan=False), min_size=1))
def test_numbers_stay_numbers(row: list[float]) -> None:
    (found,) = written(row)
    assert list(map(float, found)) == list(map(float, row))
    assert found == list(map(str, row))


@pytest.mark.parametrize("text", ["M1", "", "'s-Hertogenbosch", "1-2", "a=b", "'"])
def test_a_text_that_is_no_formula_is_written_as_it_is(text: str) -> None:
    assert written([text, 1]) == [[text, "1"]]


def test_names_of_columns_are_texts_too() -> None:
    assert written(["=1+1", "a"], [None, True]) == [["'=1+1", "a"], ["", "True"]]
