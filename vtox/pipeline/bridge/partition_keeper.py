"""Decides which partitions a bridge process serves: its share, a thread and a bridge for each.

The leases decide who owns a partition; this module only decides who tries to. Each living process
serves as many as the others, the oldest one more if the number does not divide evenly.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

import redis
import structlog

from vtox.pipeline.bridge.lease import MAX_ITERATION_S
from vtox.pipeline.bridge.loop import Bridge
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import join, leave, set_number, share
from vtox.pipeline.windows.partitions import Partition

log = structlog.get_logger()

BEAT_EVERY_S = 0.5
# One partition after the other is given up, so that few windows wait at a time.
HAND_OVER_EVERY_S = 2.0
# A partition without an owner for this long is taken by the first process that sees it. A process
# may report that it lives while its bridge hangs.
NOBODY_TAKES_S = 10.0


@dataclass(slots=True)
class _ServedPartition:
    """A partition with its bridge, and the thread in which that runs."""

    bridge: Bridge
    thread: Thread | None = None
    stop: Event = field(default_factory=Event)
    error: BaseException | None = None

    def run(self) -> None:
        """Serve it; keep the error that ends the bridge for the main thread."""
        try:
            self.bridge.run(self.stop)
        except BaseException as error:
            self.error = error


class PartitionKeeper:
    """Serves a share of the partitions; `make` returns the bridge of one.

    `wanted` is the intended number of partitions; None: as many as there are.
    """

    def __init__(
        self, client: Client, wanted: int | None, make: Callable[[Partition], Bridge]
    ) -> None:
        self.client = client
        self.wanted = wanted
        self.make = make
        self.name = ""
        self.served: dict[int, _ServedPartition] = {}
        self.free_since: dict[int, float] = {}
        self.next_hand_over_t = 0.0
        self.last_beat_t = time.monotonic()
        self.stands_by = False

    def run(self, stop: Event) -> None:
        """Serve until `stop`."""
        trouble = False
        try:
            while not stop.is_set():
                self.last_beat_t = time.monotonic()
                try:
                    self.share_out()
                    trouble = False
                except redis.RedisError as error:
                    if not trouble:
                        log.warning("server does not answer, trying again", reason=str(error))
                    trouble = True
                stop.wait(BEAT_EVERY_S)
        finally:
            self.end()

    def share_out(self) -> None:
        """Report that this process lives, and take or give up partitions to match its share."""
        self._forget_ended()
        first = not self.name
        self.name = self.name or join(self.client)
        shares = share(self.client, self.name, first=first)
        if not shares.is_known:
            self.name = ""  # the others have shared without it meanwhile
            return
        self._apply_partition_number(shares.number, first=first)
        wanted = share_size(shares.names, self.name, len(shares.served))
        now = time.monotonic()
        self.free_since = {p: self.free_since.get(p, now) for p in shares.free}
        self._give_up(wanted, now)
        rank = shares.names.index(self.name)
        for p in [*shares.free[rank:], *shares.free[:rank]]:
            nobody_takes = now - self.free_since[p] > NOBODY_TAKES_S
            if p not in self.served and (len(self.served) < wanted or nobody_takes):
                self._serve(p)
        if self.stands_by != (not self.served):
            self.stands_by = not self.served
            if self.stands_by:
                log.info("standing by: other bridges own the stream", bridges=len(shares.names))

    def owns(self, number: int) -> bool:
        """Return whether a bridge of this process owns a partition."""
        found = self.served.get(number)
        return found is not None and found.bridge.owner

    @property
    def owner(self) -> bool:
        """Whether this process owns any partition."""
        return any(s.bridge.owner for s in list(self.served.values()))

    def live(self) -> tuple[bool, str]:
        """Return whether all its threads still iterate, and if not, which does not."""
        idle_s = time.monotonic() - self.last_beat_t
        if idle_s >= MAX_ITERATION_S:
            return False, f"the bridge has been stuck for {idle_s:.0f} s"
        states = [s.bridge.live() for s in list(self.served.values())]
        return next((s for s in states if not s[0]), (True, ""))

    def end(self) -> None:
        """Stop all bridges; their partitions are free at once."""
        try:
            if self.name:
                leave(self.client, self.name)
        except redis.RedisError as error:
            log.warning("not signed off, that will expire", reason=str(error))
        for s in self.served.values():
            s.stop.set()
        for s in self.served.values():
            if s.thread:
                s.thread.join(timeout=MAX_ITERATION_S)

    def _apply_partition_number(self, number: int, *, first: bool) -> None:
        """Put the number of the settings in force at the start, and on a server that has none.

        Two processes with different settings do not fight: the one that was started last decides.
        """
        wanted = self.wanted
        if wanted is None or number == wanted or not (first or not number):
            return
        before = set_number(self.client, wanted)
        if before != wanted:
            log.warning("another number of partitions is in force", now=wanted, before=before)

    def _serve(self, number: int) -> None:
        served = self.served[number] = _ServedPartition(self.make(Partition(number)))
        served.thread = Thread(target=served.run, name=f"bridge-{number}", daemon=True)
        served.thread.start()

    def _give_up(self, wanted: int, now: float) -> None:
        staying = [p for p, s in self.served.items() if not s.stop.is_set()]
        if len(staying) > wanted and now >= self.next_hand_over_t:
            self.next_hand_over_t = now + HAND_OVER_EVERY_S
            self.served[max(staying)].stop.set()
            log.info("giving a partition to another bridge", partition=max(staying))

    def _forget_ended(self) -> None:
        for p, s in list(self.served.items()):
            if s.thread and not s.thread.is_alive():
                del self.served[p]
                if s.error:
                    raise s.error


def share_size(names: Sequence[str], name: str, partitions: int) -> int:
    """Return how many partitions a process serves; `names` are the living ones, oldest first."""
    each, more = divmod(partitions, len(names))
    return each + (names.index(name) < more)
