"""Lists as CSV: rows, cells, and the columns of a history."""

from typing import Any

import pytest

from api.http.tables import flat, rows_of


def test_fields_in_fields_are_named_with_dots() -> None:
    row = {"id": 1, "motor": {"poles": 4, "bearing": {"n_balls": 9}}, "tags": ["a", "b"]}
    assert flat(row) == {"id": 1, "motor.poles": 4, "motor.bearing.n_balls": 9, "tags": "a; b"}


def test_a_name_is_no_formula() -> None:
    row = {"a": "=1+1", "b": "@SUM(A1)", "c": -1.5, "d": "-", "e": "PUMP-1"}
    assert flat(row) == {"a": "'=1+1", "b": "'@SUM(A1)", "c": -1.5, "d": "'-", "e": "PUMP-1"}


def test_rows_are_the_list_of_an_answer_or_its_columns() -> None:
    assert rows_of([{"a": 1}]) == [{"a": 1}]
    assert rows_of({"n": 2, "groups": [{"g": 1}], "rows": [{"a": 1}]}) == [{"a": 1}]
    series = {"bearing": {"t": [1.0, 2.0], "state": ["normal", None]}}
    assert rows_of({"series": series}) == [
        {"quantity": "bearing", "t": 1.0, "state": "normal"},
        {"quantity": "bearing", "t": 2.0, "state": None},
    ]
    assert rows_of({"n": 0, "rows": []}) == rows_of({"n": 0, "days": []}) == []


@pytest.mark.parametrize("data", [None, {}, {"n": 0}, {"names": ["a"]}, {"series": None}, 7, "x"])
def test_what_has_no_list_has_no_rows(data: Any) -> None:
    assert rows_of(data) is None
