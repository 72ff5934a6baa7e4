"""The log of raw windows: the functions that add, read, fetch, count and trim them.

Callers get ids from it and give them back, and take nothing from them except by these functions.
Only this module and the scripts that acknowledge windows with their results know that the log is a
stream with a consumer group.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.server.counts import read_count
from vtox.pipeline.windows.partitions import FIRST, Partition

CONSUMER = "bridge"
# The server ends a client that has more than 256 MB of replies waiting (`server_config.py`).
FETCH_BYTES = 64 << 20
# Entries of which the server measures the size.
_SAMPLES = 50
# Finished windows behind unfinished ones are deleted in portions of this size, which takes the
# server about 4 ms, and at most this many a second. Unfinished ones are listed in portions of this
# size, and at most this many portions. Windows finished behind the first 10,000 unfinished ones
# wait until some of those have finished.
TRIMMED_AT_ONCE, TRIMMED_AT_MOST, PENDING_AT_ONCE, LISTED_AT_MOST = 100, 2_000, 500, 20

Fields = Mapping[str, str | bytes] | Mapping[bytes, bytes]
Entry = tuple[bytes, dict[bytes, bytes] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroup:
    """The XINFO GROUPS entry of VTOX's consumer group; `lag` is None if the server cannot say."""

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


def add_window(client: Client, fields: Fields, raw: str = keys.RAW) -> str:
    """Add a window to the stream of a partition and return the id of its entry."""
    return str(client.xadd(raw, fields).decode())


def add_with(pipe: Any, fields: Fields, raw: str) -> None:
    """Add a window together with the other commands of a pipeline; its reply is the id."""
    pipe.xadd(raw, fields)


def add_windows(client: Client, entries: Sequence[Fields], raws: Sequence[str]) -> list[str]:
    """Add windows, each to the stream of its partition, all or none, and return their ids.

    With some of them refused, a machine's windows would be out of order.
    """
    if len(entries) == 1:  # needs the right to XADD alone
        return [add_window(client, entries[0], raws[0])]
    pipe = client.pipeline(transaction=True)
    for fields, raw in zip(entries, raws, strict=True):
        add_with(pipe, fields, raw)
    return [entry_id.decode() for entry_id in pipe.execute()]


def fetch(
    client: Client, raw: str, wanted: Iterable[tuple[str, int]]
) -> Iterator[Mapping[bytes, bytes] | None]:
    """Yield the window of each id, None for one that is gone; some megabytes at a time.

    `wanted` are ids, each with about how many bytes it has.
    """
    pipe = client.pipeline(transaction=False)
    size = 0
    for entry_id, nbytes in list(wanted):
        pipe.xrange(raw, entry_id, entry_id)
        size += nbytes
        if size > FETCH_BYTES:
            yield from (reply[0][1] if reply else None for reply in pipe.execute())
            size = 0
    yield from (reply[0][1] if reply else None for reply in pipe.execute())


def id_ms(entry_id: bytes) -> int:
    """Return when a window came into the log, ms since 1970 by the server's clock."""
    return int(entry_id.partition(b"-")[0])


def mean_window_bytes(client: Client) -> float | None:
    """Return the bytes of a window in the log; None without any, or if it is denied."""
    try:
        size: int | None = client.memory_usage(keys.RAW, samples=_SAMPLES)
    except redis.exceptions.NoPermissionError:
        return None
    entries: int = client.xlen(keys.RAW)
    return size / entries if size and entries else None


def backlog(client: Client, raws: Iterable[str] = (keys.RAW,)) -> int:
    """Return the windows that are not finished; all in a stream if the server cannot say."""
    unfinished = 0
    for raw in raws:
        group = group_info(client, raw)
        known = group.backlog if group is not None else None
        unfinished += int(client.xlen(raw)) if known is None else known
    return unfinished


def read_new(client: Client, count: int, block_ms: int, raw: str = keys.RAW) -> list[Entry]:
    """Return entries not yet read; wait for the first one."""
    return _read(client, raw, ">", count, block_ms)


def read_pending(client: Client, after: bytes, count: int, raw: str = keys.RAW) -> list[Entry]:
    """Return entries after an id that were read and not acknowledged; None for one deleted."""
    return _read(client, raw, after, count)


def _read(
    client: Client, raw: str, after: str | bytes, count: int, block_ms: int | None = None
) -> list[Entry]:
    reply = client.xreadgroup(keys.GROUP, CONSUMER, {raw: after}, count=count, block=block_ms)
    entries: list[Entry] = reply[0][1] if reply else []
    return entries


def create_group(client: Client, raw: str) -> None:
    """Create the consumer group from the stream's beginning, unless it exists."""
    try:
        client.xgroup_create(raw, keys.GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def ask_state(pipe: Any, raw: str) -> None:
    """Let a pipeline ask how many windows a log has, and for its groups (`find_group`)."""
    pipe.xlen(raw)
    pipe.xinfo_groups(raw)


def find_group(groups: list[dict[str, Any]]) -> ConsumerGroup | None:
    """Return our group among those of XINFO GROUPS."""
    for g in groups:
        if g["name"] == keys.GROUP.encode():
            last = g["last-delivered-id"].decode()
            # A group that has read nothing says None instead of 0.
            read = 0 if last == "0-0" else g.get("entries-read")
            return ConsumerGroup(
                lag=g.get("lag"), pending=g["pending"], entries_read=read, last_delivered=last
            )
    return None


def sum_groups(groups: Sequence[ConsumerGroup | None]) -> ConsumerGroup | None:
    """Return the groups of all partitions as one; None before the first start of a bridge.

    For one partition it is that group. A figure unknown to one of them is unknown in the sum.
    """
    known = [g for g in groups if g is not None]
    if len(known) < 2:
        return known[0] if known else None
    lags, reads = [g.lag for g in known], [g.entries_read for g in known]
    return ConsumerGroup(
        lag=None if None in lags else sum(n or 0 for n in lags),
        pending=sum(g.pending for g in known),
        entries_read=None if None in reads else sum(n or 0 for n in reads),
        last_delivered=min((g.last_delivered for g in known), key=_id),
    )


def group_info(client: Client, raw: str) -> ConsumerGroup | None:
    """Return the state of the consumer group, None before the first start."""
    try:
        return find_group(client.xinfo_groups(raw))
    except redis.ResponseError as error:
        if "no such key" in str(error):
            return None
        raise


def deleted_unread(client: Client, partitions: Sequence[Partition] = (FIRST,)) -> int | None:
    """Return how many windows another program deleted before they were read, None if unknown.

    A sender that gives XADD a MAXLEN does that, and no error shows it. The server counts the
    windows ever added up to the last window read; VTOX counts the outcome of each window that it
    read. Only the growth of the number means something: it starts elsewhere if stream or group were
    made again. It is unknown between the XDEL of an unread window and the reading of the newest
    one, and on servers that do not count (Redis before 7).
    """
    counted = ("windows_in", "windows_duplicate", "windows_refused", "windows_moved")
    with client.pipeline(transaction=True) as pipe:
        pipe.hmget(keys.COUNTERS, counted)
        for p in partitions:
            pipe.xinfo_stream(p.raw)
            pipe.xinfo_groups(p.raw)
            pipe.hlen(p.progress)
        counts, *replies = pipe.execute(raise_on_error=False)
    lost = -sum(map(read_count, counts))
    for stream, groups, admitted in zip(*(replies[i::3] for i in range(3)), strict=True):
        if isinstance(stream, redis.ResponseError):
            return None
        group = find_group(groups)
        if group is None or group.lag is None or group.entries_read is None:
            return None
        # Each pending window has a row of progress from its admission on.
        lost += group.entries_read - group.pending + admitted + _unread_deletions(stream, group)
    return lost


def _unread_deletions(stream: dict[str, Any], group: ConsumerGroup) -> int:
    """Return how many of the unread windows are deleted, if the group has not read on."""
    assert group.entries_read is not None
    first = stream["first-entry"]
    if first is not None and _id(first[0].decode()) <= _id(group.last_delivered):
        return 0  # deletion by length begins with the oldest
    return int(stream["entries-added"]) - group.entries_read - int(stream["length"])


def read_until_t(client: Client, raws: Iterable[str] = (keys.RAW,)) -> float:
    """Return the time, by the server's clock, up to which all windows have been read; s since 1970.

    It is now if none waits, else the arrival of the last one read.
    """
    seconds, micros = client.time()
    times = [float(seconds + micros / 1e6)]
    for raw in raws:
        group = group_info(client, raw)
        if group is not None and group.lag:  # None: unknown to the server
            times.append(_milliseconds(group.last_delivered) / 1000)
    return min(times)


def trim_raw(client: Client, raw: str, retention_s: float) -> int:
    """Delete finished entries older than the retention, never one that is unread or unfinished.

    Those before the oldest unfinished one go at once, the others one by one.

    MINID and not MAXLEN: the latter deletes entries not yet read, and `lag` does not show it. Ids
    of the future (set manually, or from before the server's clock was set back) do not show an age:
    with them every finished entry is deleted at once. Returns the number of entries deleted.
    """
    # In this order: a bridge that is stopped in between and woken does not know of windows that
    # another has read meanwhile, and must not take them for finished.
    info = group_info(client, raw)
    if info is None:
        return 0
    pending = client.xpending(raw, keys.GROUP)
    unfinished = pending["min"].decode() if pending["pending"] else info.last_delivered
    # The time last: a window that came after it would look as if it came from the future.
    newest_ms = _milliseconds(client.xinfo_stream(raw)["last-generated-id"].decode())
    seconds, micros = client.time()
    now_ms = seconds * 1000 + micros // 1000
    old = now_ms - int(retention_s * 1000) if newest_ms <= now_ms else newest_ms
    delivered = info.last_delivered
    before = f"{old}-0" if old < _milliseconds(delivered) else delivered
    oldest = min(before, unfinished, key=_id)
    removed = int(client.xtrim(raw, minid=oldest, approximate=False))
    return removed + (_trim_between(client, raw, unfinished, before) if before != oldest else 0)


def oldest_age_s(client: Client, raw: str) -> float:
    """Return how long ago the oldest entry of a stream came, by its id; 0 if there is none."""
    entries = client.xrange(raw, count=1)
    if not entries:
        return 0.0
    return max(0.0, server_time(client) - _milliseconds(entries[0][0].decode()) / 1000)


def _trim_between(client: Client, raw: str, unfinished: str, before: str) -> int:
    """Delete finished entries between unfinished ones before an id; return how many."""
    script = client.register_script(scripts.source("trim_between"))
    removed, after = 0, unfinished
    for _ in range(LISTED_AT_MOST):
        if not after or removed >= TRIMMED_AT_MOST:
            break
        args = [keys.GROUP, after, before, PENDING_AT_ONCE, TRIMMED_AT_ONCE]
        deleted, last = script(keys=[raw], args=args)
        removed, after = removed + deleted, last.decode()
    return removed


def _milliseconds(entry_id: str) -> int:
    return _id(entry_id)[0]


def _id(entry_id: str) -> tuple[int, int]:
    ms, _, n = entry_id.partition("-")
    return int(ms), int(n)
