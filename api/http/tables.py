"""Lists as CSV: `format=csv` asks for the whole list as a table for spreadsheets."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import Problem, problem_response
from vtox.motor.values.csv_writer import write_csv

# A list of pages is one table up to here: all of it is in memory, as rows have different columns.
MAX_ROWS = 20_000
# Columns of a spectrum, and of a waveform.
_POINTS = (("hz", "levels_db", "floor_db"), ("t_s", "values"))


class Tables:
    """ASGI middleware of GET requests: with `format=csv`, the pages of a list are one table."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the route for one page after the other, and send the rows of all."""
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), True))
        if query.get("format") != "csv":
            await self.app(scope, receive, send)
            return
        answer, rows = await self._rows(scope, receive, query)
        if rows is None:
            await answer.pass_on(send)
            return
        await send(_start(answer, scope["path"]))
        await send({"type": "http.response.body", "body": _text(rows)})

    async def _rows(
        self, scope: Scope, receive: Receive, query: dict[str, str]
    ) -> tuple["_Answer", list[dict[str, Any]] | None]:
        """Return the last answer and the rows of all pages, None if a page is a problem."""
        rows: list[dict[str, Any]] = []
        following = urlencode({k: v for k, v in query.items() if k != "format"})
        while True:
            answer = _Answer()
            page = {**scope, "query_string": following.encode("latin-1")}
            await self.app(page, receive, answer.take)
            if answer.status != 200:
                return answer, None
            content = _content(answer)
            found = rows_of(content.get("data"))
            if found is None:
                await problem_response(scope["path"], _no_table())(scope, receive, answer.restart)
                return answer, None
            rows += [flat(row) for row in found]
            following = (content.get("next") or "").partition("?")[2]
            if not following:
                return answer, rows
            if len(rows) >= MAX_ROWS:
                await problem_response(scope["path"], _too_long())(scope, receive, answer.restart)
                return answer, None


class _Answer:
    """An answer of a route, kept whole."""

    def __init__(self) -> None:
        self.started: Message = {}
        self.body = b""

    @property
    def status(self) -> int:
        return int(self.started.get("status", 500))

    async def take(self, message: Message) -> None:
        """Keep a part of the answer."""
        if message["type"] == "http.response.start":
            self.started = message
        else:
            self.body += message.get("body", b"")

    async def restart(self, message: Message) -> None:
        """Keep another answer in its place."""
        if message["type"] == "http.response.start":
            self.body = b""
        await self.take(message)

    async def pass_on(self, send: Send) -> None:
        """Send the kept answer unchanged."""
        await send(self.started)
        await send({"type": "http.response.body", "body": self.body})


def _content(answer: _Answer) -> dict[str, Any]:
    """Return the object of an answer; an empty one for pages, pictures and texts."""
    if b"json" not in dict(answer.started["headers"]).get(b"content-type", b""):
        return {}
    content = json.loads(answer.body)
    return content if isinstance(content, dict) else {}


def rows_of(data: Any) -> list[dict[str, Any]] | None:
    """Return the rows of an answer: its list, or that of its columns; None if it has no list.

    Spectra and waveforms give their points. Answers with several lists, as the figures of
    alarms, give the first.
    """
    if isinstance(data, list):
        return data
    if not isinstance(data, dict):
        return None
    series = data.get("series")
    if series and isinstance(series, dict):
        return [row for name, columns in series.items() for row in _column_rows(name, columns)]
    for names in _POINTS:
        if names[0] in data:
            points = zip(*(data[n] for n in names), strict=True)
            return [dict(zip(names, p, strict=True)) for p in points]
    if "rows" in data:
        return list(data["rows"])
    lists = [v for v in data.values() if isinstance(v, list)]
    tables = (v for v in lists if v and isinstance(v[0], dict))
    return next(tables, [] if [] in lists else None)


def _column_rows(name: str, columns: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for values in zip(*columns.values(), strict=True):
        yield {"quantity": name, **dict(zip(columns, values, strict=True))}


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a row without rows in it: their fields are named with dots, lists are one cell."""
    cells: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            cells |= flat(value, f"{prefix}{name}.")
        else:
            cells[f"{prefix}{name}"] = _cell(value)
    return cells


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        plain = all(isinstance(x, str | int | float) for x in value)
        return "; ".join(map(str, value)) if plain else json.dumps(value, ensure_ascii=False)
    return value


def _text(rows: Sequence[Mapping[str, Any]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    write_csv(text, chain([names], (map(row.get, names) for row in rows)))
    return text.getvalue().encode()


def _too_long() -> Problem:
    detail = f"the list has more than {MAX_ROWS} rows: ask for less of it, or use vtox export"
    return Problem("table_too_long", detail)


def _no_table() -> Problem:
    return Problem("no_table", "this answer is no list: ask without format=csv")


def _start(answer: _Answer, path: str) -> Message:
    kept = [
        (k, v)
        for k, v in answer.started["headers"]
        if k.lower() not in (b"content-type", b"content-length", b"etag")
    ]
    name = "-".join(["vtox", *path.removeprefix("/api/v1/").strip("/").split("/")])
    safe = "".join(c if (c.isalnum() and c.isascii()) or c in "-_." else "_" for c in name)
    own = [
        (b"content-type", b"text/csv; charset=utf-8"),
        (b"content-disposition", f'attachment; filename="{safe}.csv"'.encode()),
    ]
    return {**answer.started, "headers": kept + own}
