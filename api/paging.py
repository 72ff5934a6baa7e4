"""Reads a stream backwards in bounded steps: newest entries first, a cursor for the rest."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field

from api.errors import Problem
from vtox.store.client import Client

T = TypeVar("T")
Fields = dict[str, str]

STEP = 500
# A filter that matches little stops here; the cursor goes on from there. At 50 machines this is
# the last 25 s of results, read in about 0.2 s (measured: 46 us an entry, evidence included).
SCAN_MAX = 5_000


class Part(BaseModel, extra="forbid"):
    """Which part of a list is asked for; other parameters than those of the list are refused."""

    limit: int = Field(100, ge=1, le=500, description="at most this many")
    cursor: str = Field("", description="from `next` of the part before")


class OfMachine(Part):
    """A part of what there is of all machines, or of one."""

    machine_id: str | None = Field(None, max_length=64, description="one machine only")


_ID = re.compile(r"\d{1,20}-\d{1,20}")


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
    cursor = part.cursor
    if cursor and not _ID.fullmatch(cursor):
        raise Problem(422, "invalid", f"cursor: {cursor[:40]!r} is not a stream id", field="cursor")
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


def text(fields: dict[bytes, bytes]) -> Fields:
    """Return the fields of an entry as text."""
    return {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in fields.items()}


def next_link(request: Request, cursor: str) -> str | None:
    """Return the address of the part that follows."""
    if not cursor:
        return None
    url = request.url.include_query_params(cursor=cursor)
    return f"{url.path}?{url.query}"
