"""Reads a stream backwards in bounded steps: newest entries first, a cursor for the rest."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from api.query import Part, bad_cursor
from vtox.store.client import Client

T = TypeVar("T")
Fields = dict[str, str]

STEP = 500
# A filter that matches little stops here; the cursor goes on from there. At 50 machines this is
# the last 25 s of results, read in about 0.2 s (measured: 46 us an entry, evidence included).
SCAN_MAX = 5_000


_ID = re.compile(r"\d{1,20}-\d{1,20}")
_ID_END = 1 << 64


def newest_first(
    client: Client,
    stream: str,
    part: Part,
    pick: Callable[[str, Any], T | None],
    *,
    step: int = STEP,
) -> tuple[list[T], str]:
    """Return up to `part.limit` of what `pick(id, fields)` makes of the entries before its cursor.

    The second value is the cursor of the rest, empty at the end of the stream. The server is asked
    for `step` entries at a time.
    """
    cursor = stream_cursor(part)
    found: list[T] = []
    before = f"({cursor}" if cursor else "+"
    scanned = 0
    while scanned < SCAN_MAX:
        entries = client.xrevrange(stream, before, "-", count=step)
        for entry_id, fields in entries:
            name = entry_id.decode()
            if (value := pick(name, fields)) is not None:
                found.append(value)
                if len(found) == part.limit:
                    return found, name
        scanned += len(entries)
        if len(entries) < step:
            return found, ""
        before = f"({entries[-1][0].decode()}"
    return found, before[1:]


def stream_cursor(part: Part) -> str:
    """Return the cursor of a part, which is the id of an entry, or empty."""
    cursor = part.cursor
    if cursor and not (
        _ID.fullmatch(cursor) and all(int(number) < _ID_END for number in cursor.split("-"))
    ):
        raise bad_cursor(cursor, "the id of an entry")
    return cursor


def text(fields: dict[bytes, bytes]) -> Fields:
    """Return the fields of an entry as text."""
    return {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in fields.items()}


def next_link(request: Request, cursor: str) -> str | None:
    """Return the address of the part that follows."""
    if not cursor:
        return None
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"
