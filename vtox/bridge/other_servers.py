"""Hands windows over to the other servers that share the machines.

Not in one script, as inside a server: a bridge that ends between adding a window there and
deleting it here leaves it to be added again, which counts once there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import redis
import structlog

from vtox.partitions import ALONE, Place, server_number
from vtox.store.client import Client
from vtox.store.partition_table import Addresses
from vtox.store.streams import add_windows
from vtox.wire import ARRIVED

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Foreign:
    """A window of a machine of another server, with the time (ms) at which it came to this one."""

    entry_id: str
    machine_id: str
    arrived_ms: int
    fields: Mapping[bytes, bytes]


@dataclass(slots=True)
class OtherServers:
    """The servers by their number, with the own one among them.

    One that has not taken some windows gets no later ones until the bridge reads all of them again.
    """

    place: Place = ALONE
    clients: Sequence[Client] = ()
    away: set[int] = field(default_factory=set)
    addresses: dict[int, Addresses] = field(default_factory=dict)

    def hand_over(self, windows: Sequence[Foreign]) -> list[Foreign]:
        """Add windows where they belong; return those that are there by now."""
        by_server: dict[int, list[Foreign]] = {}
        for w in windows:
            by_server.setdefault(server_number(w.machine_id, self.place.servers), []).append(w)
        taken = []
        for server, some in by_server.items():
            if server not in self.away and self._add(server, some):
                taken += some
        return taken

    def _add(self, server: int, windows: Sequence[Foreign]) -> bool:
        client = self.clients[server]
        addresses = self.addresses.setdefault(server, Addresses(client))
        entries = [{**w.fields, ARRIVED: str(w.arrived_ms).encode()} for w in windows]
        try:
            add_windows(client, entries, addresses.raws(w.machine_id for w in windows))
        except redis.RedisError as error:
            self.away.add(server)
            log.warning(
                "windows of another server stay here for now: it does not take them",
                server=server + 1,
                windows=len(windows),
                reason=str(error),
            )
            return False
        return True
