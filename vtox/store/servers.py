"""Clients of all servers that share the machines (`VTOX_REDIS_URLS`): each machine is on one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vtox.errors import InputError, SettingsError
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

    def entry_name(self, number: int, entry_id: str) -> str:
        """Return the id of an entry, with its server (from 1) where there are several."""
        return entry_id if len(self) == 1 else f"{entry_id}@{number + 1}"

    def entry_of(self, name: str) -> tuple[int, str]:
        """Return number of the server and id of an entry that was named so.

        Raises
        ------
        InputError
            It names none of the servers.
        """
        entry_id, _, number = name.partition("@")
        if len(self) == 1 and not number:
            return 0, entry_id
        if number.isdecimal() and 0 < int(number) <= len(self):
            return int(number) - 1, entry_id
        raise InputError(
            f"{name}: expected the id of an entry and its server, as in {entry_id}@1",
            remedy=f"servers are 1 to {len(self)}, in the order of VTOX_REDIS_URLS",
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
