"""The number of partitions in force, kept on the server, so that all work by one number.

The bridges set the number in force; all others follow it. A sender by an old number does no harm:
the bridges move windows from the wrong partition.
"""

import os
import secrets
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time_ms
from vtox.pipeline.store.server.scripts import fenced, source
from vtox.pipeline.windows.partitions import Partition, partition_of

# A bridge process that has reported nothing for this long does not count, as its leases have ended
# too.
BRIDGE_LIFE_MS = 5000
# Senders look up the number this often. Without it windows go to the plain stream, and are moved.
LOOKUP_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Shares:
    """The state shared by bridges: `names` of the living ones, `free` partitions of `served`.

    `number` is 0 if none is in force yet; `is_known` says that this process counted before.
    """

    is_known: bool
    number: int
    names: tuple[str, ...]
    served: tuple[int, ...]
    free: tuple[int, ...]


def number_in_force(client: Client) -> int:
    """Return how many partitions there are."""
    return int(client.hget(keys.PARTITIONS, "number") or 1)


def set_number(client: Client, number: int) -> int:
    """Put a number of partitions in force; return the one before."""
    with client.pipeline(transaction=True) as pipe:
        pipe.hget(keys.PARTITIONS, "number")
        pipe.hset(keys.PARTITIONS, "number", number)
        before, _ = pipe.execute()
    return int(before or 1)


def served(client: Client) -> tuple[Partition, ...]:
    """Return the partitions that have windows, or may get some."""
    number, names = client.hmget(keys.PARTITIONS, "number", "served")
    some = {int(n) for n in (names or b"").split()} | set(range(int(number or 1)))
    return tuple(Partition(n) for n in sorted(some))


def join(client: Client) -> str:
    """Return a name for a bridge process: the names of the oldest ones are the first in order.

    Two containers may have the same host name and process number: a random part distinguishes them.
    """
    own = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"
    return f"{server_time_ms(client):015d} {own}"


def share(client: Client, name: str, *, first: bool) -> _Shares:
    """Report that a bridge process lives, the first time or again; return the shared state.

    A process that reported nothing for too long counts no more: it must join again.
    """
    where = [keys.PARTITIONS, keys.BRIDGES]
    for p in map(Partition, range(keys.MAX_PARTITIONS)):
        where += [p.raw, p.lease]
    script = client.register_script(source("share_partitions"))
    reply = script(keys=where, args=[name, BRIDGE_LIFE_MS, int(first)])
    known, number, names, some, free = reply
    return _Shares(bool(known), number, tuple(n.decode() for n in names), tuple(some), tuple(free))


def leave(client: Client, name: str) -> None:
    """Say that a bridge process ends: the others take its partitions at once."""
    client.zrem(keys.BRIDGES, name)


def retire(client: Client, token: str, partition: Partition, retention_s: float) -> bool:
    """Delete a partition that is no longer in force; False while it has windows.

    Raises `LeaseLost`: `token` no longer holds its lease.
    """
    where = [partition.lease, keys.PARTITIONS, partition.raw, partition.progress, partition.bridge]
    args = [token, keys.GROUP, partition.number, int(1000 * retention_s)]
    with fenced():
        script = client.register_script(source("retire_partition"))
        return bool(script(keys=where, args=args))


@dataclass(frozen=True, slots=True)
class Stray:
    """An entry of a machine of partition `number`, with its fields of `own_fields` there."""

    entry_id: str
    number: int
    own: Mapping[bytes, bytes]


def move(
    client: Client, token: str, partition: Partition, partitions: int, strays: Sequence[Stray]
) -> int:
    """Move entries of a partition to those of their machines; return how many were still there.

    Raises `LeaseLost`, `StaleState`: `token` no longer holds the lease; another number of
    partitions is in force.
    """
    if not strays:
        return 0
    targets = sorted({s.number for s in strays})
    where = [
        partition.lease,
        keys.PARTITIONS,
        partition.raw,
        keys.COUNTERS,
        *(Partition(n).raw for n in targets),
    ]
    args: list[str | bytes | int] = [token, keys.GROUP, partitions]
    for s in strays:
        args += [s.entry_id, targets.index(s.number) + 1, 2 * len(s.own)]
        args += [x for field in s.own.items() for x in field]
    with fenced():
        return int(client.register_script(source("move", shared=True))(keys=where, args=args))


class Addresses:
    """To which stream the windows of a machine go, by the number in force."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._number = 1
        self._next_t = 0.0

    def raw(self, machine_id: str) -> str:
        """Return the stream of a machine's windows."""
        if time.monotonic() >= self._next_t:
            self._next_t = time.monotonic() + LOOKUP_EVERY_S
            self._number = number_in_force(self.client)
        return partition_of(machine_id, self._number).raw

    def raws(self, machine_ids: Iterable[str]) -> list[str]:
        """Return the stream of each."""
        return [self.raw(m) for m in machine_ids]
