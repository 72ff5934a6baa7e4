"""Reads the streams that VTOX writes: their newest entry, and the entries after or before one."""

from collections.abc import Iterator
from dataclasses import dataclass

import redis

from vtox.pipeline.store.server.client import Client

Entry = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Extent:
    """The number of entries a stream has ever had, the number left, and the id of the last one."""

    added: int
    length: int
    last_id: str


def entry_order(entry_id: str) -> tuple[int, int]:
    """Return the two numbers of an id, by which the server orders entries."""
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq)


def newest_id(client: Client, stream: str) -> str:
    """Return the id of the newest entry, to read on from there."""
    newest = client.xrevrange(stream, count=1)
    return newest[0][0].decode() if newest else "0-0"


def oldest_id(client: Client, stream: str) -> str | None:
    """Return the id of the oldest entry that is left, None if there is none."""
    oldest = client.xrange(stream, count=1)
    return oldest[0][0].decode() if oldest else None


def after(
    client: Client, stream: str, last_id: str, *, count: int | None = None
) -> tuple[list[Entry], str]:
    """Return the entries after one, all or the first `count`, and the id of the last of them."""
    entries: list[Entry] = client.xrange(stream, f"({last_id}", "+", count)
    return entries, entries[-1][0].decode() if entries else last_id


def extent_and_after(
    client: Client, stream: str, last_id: str, *, count: int
) -> tuple[Extent, list[Entry]] | None:
    """Return up to `count` entries after one, with the extent of the stream at the same moment.

    None if there is no such stream.
    """
    pipe = client.pipeline(transaction=True)
    pipe.xinfo_stream(stream)
    pipe.xrange(stream, f"({last_id}", "+", count=count)
    about, entries = pipe.execute(raise_on_error=False)
    if isinstance(about, redis.ResponseError) and "no such key" in str(about):
        return None
    for reply in (about, entries):
        if isinstance(reply, Exception):
            raise reply
    last = about["last-generated-id"].decode()
    return Extent(about["entries-added"], about["length"], last), entries


def wait_for(
    client: Client, stream: str, last_id: str, *, count: int, block_ms: int
) -> tuple[list[Entry], str]:
    """Return up to `count` entries after one as soon as there are any, and the last one's id."""
    reply = client.xread({stream: last_id}, count=count, block=block_ms)
    entries: list[Entry] = reply[0][1] if reply else []
    return entries, entries[-1][0].decode() if entries else last_id


def before(client: Client, stream: str, entry_id: str, *, count: int) -> list[Entry]:
    """Return up to `count` entries before one, newest first; without an id the newest of all."""
    entries: list[Entry] = client.xrevrange(
        stream, f"({entry_id}" if entry_id else "+", "-", count=count
    )
    return entries


def newest_first(
    client: Client, stream: str, entry_id: str = "", *, read_at_once: int
) -> Iterator[Entry]:
    """Yield the entries before one, newest first, reading a few at a time."""
    while entries := before(client, stream, entry_id, count=read_at_once):
        yield from entries
        if len(entries) < read_at_once:
            return
        entry_id = entries[-1][0].decode()


def oldest_first(
    client: Client, stream: str, entry_id: str, *, read_at_once: int
) -> Iterator[Entry]:
    """Yield an entry and those after it, oldest first, reading a few at a time."""
    first = entry_id
    while entries := client.xrange(stream, first, "+", count=read_at_once):
        yield from entries
        first = f"({entries[-1][0].decode()}"
