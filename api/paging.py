"""Pages of a stream, newest entries first, read backwards in bounded steps.

Of several servers the streams are read as one, in the order of the ids of their entries. There an
entry is named by its id and the number of its server, `1764000000000-0@2`: two may have one id.
"""

import re
from collections.abc import Callable, Iterator
from heapq import merge
from typing import Any, Generic, NamedTuple, TypeVar

from fastapi import Request

from api.query import PageQuery, bad_cursor
from api.server import AWAY, Server
from api.servers import AllServers, Answers
from vtox.store import outputs
from vtox.store.outputs import entry_order

T = TypeVar("T")

ENTRIES_PER_READ = 500
# A page whose filter matches little ends after so many entries; the next one goes on from there.
# At 50 machines these are the last 25 s of results, read in about 0.2 s (46 us an entry).
MAX_ENTRIES_READ = 5_000

_PLACE = re.compile(r"(\d{1,20}-\d{1,20})(?:@(\d{1,3}))?")
_ENTRY_ID_END = 1 << 64

# What a source of entries yields: the id of an entry, and its item, None where it does not match.
Entry = tuple[str, T | None]
# Reads the entries of a server before an id, newest first; all where it is empty.
Source = Callable[[Server, str], Iterator[Entry[T]]]


class Found(NamedTuple, Generic[T]):
    """A page of items, the cursor of the next page (empty at the end), and who did not answer."""

    items: list[T]
    cursor: str
    answers: Answers[None]


def entries_of(
    stream: str, pick: Callable[[Server, str, Any], T | None], *, step: int = ENTRIES_PER_READ
) -> Source[T]:
    """Return the source of a stream.

    Parameters
    ----------
    pick
        Makes an item of the id and the fields of an entry, or None where it does not match.
    step
        Entries read from the server at a time.
    """

    def read(server: Server, before: str) -> Iterator[Entry[T]]:
        entries = outputs.newest_first(server.client(), stream, before, read_at_once=step)
        for entry_id, fields in entries:
            name = entry_id.decode()
            yield name, pick(server, name, fields)

    return read


def newest_first(
    servers: AllServers,
    query: PageQuery,
    source: Source[T],
    machine_id: str | None = None,
    *,
    recorded: Source[T] | None = None,
) -> Found[T]:
    """Return a page of the items of all servers, or of that of a machine.

    Parameters
    ----------
    recorded
        What is known elsewhere of a server that does not answer.
    """
    asked = servers.all if machine_id is None else [servers.of(machine_id)]
    place = _query_place(query, servers)
    away: dict[Server, str] = {}

    def entries(server: Server) -> Iterator[tuple[tuple[int, int, int], Entry[T]]]:
        read = source
        try:
            if servers.several and server.problem:
                away[server] = server.problem
                if recorded is None:
                    servers.responding(server.number)
                read = recorded or source
            for entry in read(server, _before(place, server.number)):
                ms, seq = entry_order(entry[0])
                yield (-ms, -seq, server.number), entry
        except AWAY as error:
            away[server] = server.problem or str(error)
            if len(away) == len(asked):
                raise

    items: list[T] = []
    n_read = 0
    following = ""
    # The first of each is read before anything is given out: then all that are away are known.
    for (*_, number), (entry_id, item) in merge(*map(entries, asked), key=lambda e: e[0]):
        if len(items) == query.limit or n_read == MAX_ENTRIES_READ:
            return Found(items, following, Answers([], list(away.items())))
        n_read += 1
        following = entry_name(entry_id, number, servers)
        if item is not None:
            items.append(item)
    return Found(items, "", Answers([], list(away.items())))


def entry_name(entry_id: str, number: int, servers: AllServers) -> str:
    """Return how an entry is named: by its id, of several servers with the number of its own."""
    return f"{entry_id}@{number + 1}" if servers.several else entry_id


def place_of_entry(name: str, servers: AllServers) -> tuple[str, int] | None:
    """Return the id of an entry and the number of its server, None where it is no such name."""
    matched = _PLACE.fullmatch(name)
    if not matched or not _is_id(matched[1]):
        return None
    number = int(matched[2]) - 1 if matched[2] else 0
    if bool(matched[2]) != servers.several or not 0 <= number < len(servers):
        return None
    return matched[1], number


def stream_cursor(query: PageQuery) -> str:
    """Return the cursor of a page of one server's stream: the id of an entry, or empty."""
    place = _PLACE.fullmatch(query.cursor)
    if query.cursor and not (place and place[2] is None and _is_id(place[1])):
        raise bad_cursor(query.cursor, "the id of an entry")
    return query.cursor


def next_link(request: Request, cursor: str, **others: str) -> str | None:
    """Return the address of the next page, with `others` in place of what the request had."""
    if not cursor:
        return None
    url = request.url.include_query_params(cursor=cursor, **others)
    return f"{url.path}?{url.query}"


def _is_id(text: str) -> bool:
    return max(entry_order(text)) < _ENTRY_ID_END


def _query_place(query: PageQuery, servers: AllServers) -> tuple[str, int]:
    if not query.cursor:
        return "", 0
    place = place_of_entry(query.cursor, servers)
    if place is None:
        raise bad_cursor(query.cursor, "the id of an entry")
    return place


def _before(place: tuple[str, int], number: int) -> str:
    """Return the id before which a server's entries follow a place: ids first, then servers."""
    entry_id, of = place
    if not entry_id or number <= of:
        return entry_id
    ms, seq = entry_order(entry_id)
    return f"{ms}-{seq + 1}"
