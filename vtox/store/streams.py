"""The raw stream itself: its consumer group and its trimming."""

from dataclasses import dataclass
from typing import Any

import redis

from vtox import keys
from vtox.store.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What XINFO GROUPS says of the one consumer group; `lag` None where the server cannot tell."""

    lag: int | None
    pending: int
    entries_read: int | None
    last_delivered: str = "0-0"

    @property
    def finished(self) -> int | None:
        """Entries that are read and acknowledged since the stream began."""
        return None if self.entries_read is None else self.entries_read - self.pending

    @property
    def backlog(self) -> int | None:
        """Entries that are not finished."""
        return None if self.lag is None else self.lag + self.pending


def create_group(client: Client, raw: str) -> None:
    """Create the consumer group from the stream's beginning, unless it exists."""
    try:
        client.xgroup_create(raw, keys.GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def group_of(groups: list[dict[str, Any]]) -> Group | None:
    """Return ours among the groups of XINFO GROUPS."""
    for g in groups:
        if g["name"] == keys.GROUP.encode():
            last = g["last-delivered-id"].decode()
            # A group that has read nothing says None where it means 0.
            read = 0 if last == "0-0" else g.get("entries-read")
            return Group(
                lag=g.get("lag"), pending=g["pending"], entries_read=read, last_delivered=last
            )
    return None


def group_info(client: Client, raw: str) -> Group | None:
    """Return the state of the consumer group, None before the first start."""
    try:
        return group_of(client.xinfo_groups(raw))
    except redis.ResponseError as error:
        if "no such key" in str(error):
            return None
        raise


def trim_raw(client: Client, raw: str, retention_s: float) -> int:
    """Delete finished entries older than the retention; never one that is unread or unfinished.

    MINID and not MAXLEN: the latter deletes what nobody has read, and `lag` does not show it.
    """
    pending = client.xpending(raw, keys.GROUP)
    if pending["pending"]:
        unfinished = pending["min"].decode()
    else:
        info = group_info(client, raw)
        if info is None:
            return 0
        unfinished = info.last_delivered
    seconds, micros = client.time()
    old = int((seconds + micros / 1e6 - retention_s) * 1000)
    oldest = f"{old}-0" if old < int(unfinished.partition("-")[0]) else unfinished
    return int(client.xtrim(raw, minid=oldest, approximate=False))
