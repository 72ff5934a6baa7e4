"""Lists as CSV: rows, cells, and the columns of a history."""

import asyncio
import csv
import io
import json
from typing import Any

import pytest

from api.http.tables import Tables, flat, rows_of


def test_fields_in_fields_are_named_with_dots() -> None:
    row = {"id": 1, "motor": {"poles": 4, "bearing": {"n_balls": 9}}, "tags": ["a", "b"]}
    assert flat(row) == {"id": 1, "motor.poles": 4, "motor.bearing.n_balls": 9, "tags": "a; b"}


async def table_of(row: dict[str, Any]) -> str:
    """The table that the middleware makes of a list with one row."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"data": [row]}).encode()})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/api/v1/x", "query_string": b"format=csv"}
    await Tables(app)(scope, receive, send)
    return str(sent[1]["body"].decode("utf-8-sig"))


@pytest.mark.parametrize("text", ["=1+1", "-2+3", "+1", "@x", "\tx", "\rx"])
def test_a_text_like_a_formula_is_text_and_a_number_a_number(text: str) -> None:
    row = {"machine_id": text, "of": {text: "PUMP-1"}, "comments": [text, "b"], "level": -1.5}
    table = asyncio.run(table_of(row))
    header, cells = csv.reader(io.StringIO(table, newline=""))
    assert header == ["machine_id", f"of.{text}", "comments", "level"]
    assert cells == [f"'{text}", "PUMP-1", f"'{text}; b", "-1.5"]


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
