"""Pages of a stream, newest entries first, read backwards in bounded steps."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import structlog
from fastapi import Request

from api.http.query import PageQuery, bad_cursor
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.outputs import entry_order
from vtox.pipeline.store.stream.unreadable import Unreadable, read

log = structlog.get_logger()
T = TypeVar("T")

ENTRIES_PER_READ = 500
# A page whose filter matches little ends after so many entries; the next one goes on from there.
# At 50 machines these are the last 25 s of results, read in about 0.2 s (46 us an entry).
MAX_ENTRIES_READ = 5_000

_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}")
_ENTRY_ID_END = 1 << 64

# The id of an entry, and its item, None if it does not match.
Entry = tuple[str, T | None]


class Found(NamedTuple, Generic[T]):
    """A page of items, and the cursor of the next page, empty at the end."""

    items: list[T]
    cursor: str


def entries_before(
    client: Client,
    stream: str,
    before: str,
    pick: Callable[[str, Any], T | None],
    *,
    step: int = ENTRIES_PER_READ,
) -> Iterator[Entry[T]]:
    """Yield the entries of a stream before an id, newest first; all if it is empty.

    Parameters
    ----------
    pick
        Makes an item of the id and the fields of an entry, or None if it does not match.
    step
        Entries read from the server at a time.
    """
    hidden: list[Unreadable] = []
    for entry_id, fields in outputs.newest_first(client, stream, before, read_at_once=step):
        name = entry_id.decode()
        item = read(pick, name, fields)
        if isinstance(item, Unreadable):
            hidden.append(item)
        yield name, None if isinstance(item, Unreadable) else item
    if hidden:
        more = {"entries": len(hidden), "code": hidden[-1].code, "reason": hidden[-1].reason}
        log.warning("entries that cannot be read are not shown", stream=stream, **more)


def one_page(entries: Iterator[Entry[T]], limit: int) -> Found[T]:
    """Return the first items of some entries."""
    items: list[T] = []
    following = ""
    for n_read, (entry_id, item) in enumerate(entries):
        if len(items) == limit or n_read == MAX_ENTRIES_READ:
            return Found(items, following)
        following = entry_id
        if item is not None:
            items.append(item)
    return Found(items, "")


def is_entry_id(text: str) -> bool:
    """Return whether a text may be the id of an entry."""
    return bool(_ENTRY_ID.fullmatch(text)) and max(entry_order(text)) < _ENTRY_ID_END


def stream_cursor(query: PageQuery) -> str:
    """Return the cursor of a page of a stream: the id of an entry, or empty."""
    if query.cursor and not is_entry_id(query.cursor):
        raise bad_cursor(query.cursor, "the id of an entry")
    return query.cursor


def next_link(request: Request, cursor: str, **others: str) -> str | None:
    """Return the address of the next page, with `others` in place of those of the request."""
    if not cursor:
        return None
    url = request.url.include_query_params(cursor=cursor, **others)
    return f"{url.path}?{url.query}"
