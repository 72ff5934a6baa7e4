"""The raw stream itself: its consumer group and its trimming."""

from dataclasses import dataclass

import redis

from vtox import keys
from vtox.store.client import Client


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """What XINFO GROUPS says of the one consumer group; `lag` None where the server cannot tell."""

    last_delivered: str
    entries_read: int | None
    lag: int | None
    pending: int


def create_group(client: Client, raw: str) -> None:
    """Create the consumer group from the stream's beginning, unless it exists."""
    try:
        client.xgroup_create(raw, keys.GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def group_info(client: Client, raw: str) -> GroupInfo | None:
    """Return the state of the consumer group, None before the first start."""
    try:
        groups = client.xinfo_groups(raw)
    except redis.ResponseError as error:
        if "no such key" in str(error):
            return None
        raise
    for g in groups:
        if g["name"] == keys.GROUP.encode():
            return GroupInfo(
                g["last-delivered-id"].decode(), g.get("entries-read"), g.get("lag"), g["pending"]
            )
    return None


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
