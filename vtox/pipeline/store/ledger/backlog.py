"""How far the work on the raw stream is behind, by the server's clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import served
from vtox.pipeline.windows.partitions import FIRST, Partition

# Pending entries looked at in one step, about a millisecond of the server.
_STEP = 500
# Fields of the bridge: since when a record of a family waits there, complete.
_WAITING = {family: f"waiting_t:{family}" for family in FAMILIES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Ages in s at the time `t` of the server; None if there is no such window.

    `waiting_age_s` is that of the oldest record that waits in the bridge because its family has no
    room for more in flight; `unassigned_age_s` that of the oldest pending window in no record of
    some family, if it is older than was asked. `ids_ahead_s` is by how much the newest id is in the
    future, else 0.
    """

    t: float
    unread_age_s: float | None
    unfinished_age_s: float | None
    waiting_age_s: float | None
    unassigned_age_s: float | None
    ids_ahead_s: float


def report_waiting(
    client: Client, since_t: Mapping[str, float | None], bridge: str = keys.BRIDGE
) -> None:
    """Keep since when a complete record of each family waits in the bridge; None: none."""
    fields = {_WAITING[family]: "" if t is None else f"{t:.3f}" for family, t in since_t.items()}
    client.hset(bridge, mapping=fields)


def backlog(
    client: Client,
    unassigned_before_s: float,
    partitions: Iterable[Partition] = (FIRST,),
) -> Backlog:
    """Return the ages of the oldest windows; of unassigned ones those above a limit only."""
    found = [_partition_backlog(client, unassigned_before_s, p) for p in partitions]

    def oldest(ages: Iterable[float | None]) -> float | None:
        return max((age for age in ages if age is not None), default=None)

    return Backlog(
        t=max(b.t for b in found),
        unread_age_s=oldest(b.unread_age_s for b in found),
        unfinished_age_s=oldest(b.unfinished_age_s for b in found),
        waiting_age_s=oldest(b.waiting_age_s for b in found),
        unassigned_age_s=oldest(b.unassigned_age_s for b in found),
        ids_ahead_s=max(b.ids_ahead_s for b in found),
    )


def _partition_backlog(client: Client, unassigned_before_s: float, partition: Partition) -> Backlog:
    waiting = [float(t) for t in client.hmget(partition.bridge, _WAITING.values()) if t]
    now_ms, *ids = client.register_script(scripts.source("backlog"))(
        keys=[partition.raw, partition.progress],
        args=[keys.GROUP, int(unassigned_before_s * 1000), _STEP],
    )
    unread, pending, unassigned, newest = (
        int(i.partition(b"-")[0]) / 1000 if i else None for i in ids
    )
    now = now_ms / 1000

    def age_s(t: float | None) -> float | None:
        return None if t is None else max(now - t, 0.0)

    return Backlog(
        t=now,
        unread_age_s=age_s(unread),
        unfinished_age_s=age_s(min((t for t in (unread, pending) if t is not None), default=None)),
        waiting_age_s=age_s(min(waiting, default=None)),
        unassigned_age_s=age_s(unassigned),
        ids_ahead_s=max((newest or now) - now, 0.0),
    )


def oldest_records_s(client: Client) -> dict[str, float]:
    """Return family -> age of its oldest unfinished record, s, 0 if there is none.

    From its last dispatch or start, or since it is complete if it waits in the bridge.
    """
    partitions = served(client)
    pipe = client.pipeline(transaction=False)
    pipe.time()
    for p in partitions:
        pipe.exists(p.lease)
        pipe.hmget(p.bridge, _WAITING.values())
        for family in FAMILIES:
            # 0 is one whose task was never sent, for want of a broker.
            pipe.zrangebyscore(p.due(family), "(0", "+inf", start=0, num=1, withscores=True)
    (seconds, micros), *replies = pipe.execute()
    now = seconds + micros / 1e6
    ages = dict.fromkeys(FAMILIES, 0.0)
    of_one = 2 + len(FAMILIES)
    for i in range(0, len(replies), of_one):
        owned, waiting, *oldest = replies[i : i + of_one]
        for family, since_t, due in zip(FAMILIES, waiting, oldest, strict=True):
            times = [t for _, t in due]
            if owned and since_t:
                times.append(float(since_t))
            ages[family] = max(now - min(times, default=now), ages[family])
    return ages
