"""Clients of all servers that share the machines (`VTOX_REDIS_URLS`): each machine is on one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from vtox.errors import InputError, ServerUnavailable
from vtox.partitions import Place, server_number
from vtox.store.client import Client, check, check_when_loaded, connect
from vtox.store.partition_table import check_place

log = structlog.get_logger()


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
        check_place(client, place)

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


def responding(servers: Servers) -> list[Client]:
    """Return those that answer, after waiting for those that load: the others may come later.

    Raises
    ------
    ServerUnavailable
        None of them answers.
    """
    found, away = [], []
    for number, client in enumerate(servers, start=1):
        try:
            check_when_loaded(client)
            found.append(client)
        except ServerUnavailable as error:
            away.append(error)
            if len(servers) > 1:
                reason = str(error)
                log.warning("a server does not answer, trying again", server=number, reason=reason)
    if not found:
        raise away[-1]
    return found
