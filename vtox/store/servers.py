"""Clients of all servers that share the machines (`VTOX_REDIS_URLS`): each machine is on one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vtox.errors import SettingsError
from vtox.partitions import ALONE, Place, server_number
from vtox.store.client import Client, check, connect
from vtox.store.partition_table import place_of


@dataclass(frozen=True, slots=True)
class Servers:
    """A client of each server, in their order; where there is one it has every machine."""

    clients: tuple[Client, ...]

    @property
    def first(self) -> Client:
        """The server that has what is of no machine."""
        return self.clients[0]

    def number_of(self, machine_id: str) -> int:
        """Return the number of the server that a machine is on, from 0."""
        return server_number(machine_id, len(self.clients))

    def of(self, machine_id: str) -> Client:
        """Return the client of the server that a machine is on."""
        return self.clients[self.number_of(machine_id)]

    def check(self) -> None:
        """Raise unless every server takes commands and is the one of its number.

        Raises
        ------
        ServerUnavailable
            One does not answer.
        SettingsError
            One has the machines of another number.
        """
        for number in range(len(self)):
            self._check(number)

    def check_of(self, machine_id: str) -> Client:
        """Do the same for the server that a machine is on; return its client."""
        self._check(self.number_of(machine_id))
        return self.of(machine_id)

    def _check(self, number: int) -> None:
        client, place = self.clients[number], Place(number, len(self))
        check(client)
        if len(self) == 1:  # the user may mean one of several
            return
        known = place_of(client)
        # Before the first start of a bridge no server has a number.
        if known not in (place, ALONE):
            raise SettingsError(
                f"{place} in VTOX_REDIS_URLS has the machines of {known}",
                remedy="give the same servers in the same order everywhere",
            )

    def __iter__(self) -> Iterator[Client]:
        return iter(self.clients)

    def __len__(self) -> int:
        return len(self.clients)

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all clients."""
        for client in self.clients:
            client.close()


def connect_servers(urls: Sequence[str], name: str, *, patient: bool = True) -> Servers:
    """Return clients of `Settings.server_urls()`. Opens nothing yet."""
    return Servers(tuple(connect(url, name, patient=patient) for url in urls))
