"""All servers that share the machines: which has a machine, and what all of them answer together.

With one server every question goes there as it is, and its error is the answer.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.server import AWAY, Server
from vtox.errors import ServerUnavailable
from vtox.partitions import server_number
from vtox.store.client import Client, server_time

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What each server answered that did, and those that are `away`, with the reason."""

    found: Sequence[tuple[Server, T]]
    away: Sequence[tuple[Server, str]] = ()

    def __iter__(self) -> Iterator[T]:
        return (answer for _, answer in self.found)


class AllServers:
    """In the order of their numbers."""

    def __init__(self, all_of_them: Sequence[Server]) -> None:
        self.all = tuple(all_of_them)

    def __len__(self) -> int:
        return len(self.all)

    @property
    def several(self) -> bool:
        """Whether they are more than one."""
        return len(self.all) > 1

    def of(self, machine_id: str) -> Server:
        """Return the server of a machine.

        Raises
        ------
        ServerUnavailable
            It is one of several and did not answer when it was asked last.
        """
        return self.responding(server_number(machine_id, len(self.all)))

    def responding(self, number: int) -> Server:
        """Return a server by its number; requests must not wait for one that hangs.

        Raises
        ------
        ServerUnavailable
            As `of`.
        """
        server = self.all[number]
        if self.several and server.problem:
            raise ServerUnavailable(f"{server.place} does not answer: {server.problem}")
        return server

    def now_s(self) -> float:
        """Return the time (s) of the first server that answers.

        Raises
        ------
        ServerUnavailable, redis.RedisError
            None of them answers.
        """
        for server in self.all[:-1]:
            try:
                return server_time(self.responding(server.number).client())
            except AWAY:
                continue
        return server_time(self.responding(len(self.all) - 1).client())

    def ask(self, question: Callable[[Server], T]) -> Answers[T]:
        """Ask all servers.

        Raises
        ------
        ServerUnavailable, redis.RedisError
            None of them answers.
        """
        if not self.several:
            return Answers([(self.all[0], question(self.all[0]))])
        found, away = [], []
        for server in self.all:
            try:
                found.append((server, question(self.responding(server.number))))
            except AWAY as error:
                server.mark_away(error)
                away.append((server, server.problem))
                last = error
        if not found:
            raise last
        return Answers(found, away)

    def ask_for(
        self, machine_ids: Iterable[str], question: Callable[[Client, list[str]], Sequence[T]]
    ) -> Answers[Sequence[T]]:
        """Ask each server for its own of some machines, in one question."""
        by_number: dict[int, list[str]] = {}
        for m in machine_ids:
            by_number.setdefault(server_number(m, len(self.all)), []).append(m)

        def own(server: Server) -> Sequence[T]:
            ids = by_number.get(server.number)
            return question(server.client(), ids) if ids else []

        return self.ask(own)
