"""Connections of OPC UA clients: a client that has not signed in keeps no reader out."""

import asyncio
from typing import Any

from asyncua.server import server as asyncua_server
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol

# A client says HELLO with its first packet.
HELLO_S = 5.0
# Connections without a session, which takes a client about a second to open. Beyond, the oldest one
# ends, so that silent clients keep no other client out.
WAITING_PER_ADDRESS = 32
WAITING_IN_ALL = 256
# Including connections with a session; asyncua refuses further ones.
CONNECTIONS_MOST = 1000


class _Connection(OPCUAProtocol):  # type: ignore[misc]  # asyncua has no types
    """One connection; asyncua waits 30 s for its session, whatever it says."""

    _has_spoken = False
    _hello: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        """The address of the client."""
        return str(self.peer_name[0]) if self.peer_name else ""

    @property
    def is_waiting(self) -> bool:
        """Whether no user has signed in."""
        session = self.processor.session if self.processor else None
        return session is None or not session.is_activated()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make room for it, and wait for its HELLO."""
        self.peer_name = transport.get_extra_info("peername")
        waiting = [c for c in self.clients if c.is_waiting]
        same = [c for c in waiting if c.address == self.address]
        if len(same) >= WAITING_PER_ADDRESS:
            same[0].end()
        elif len(waiting) >= WAITING_IN_ALL:
            waiting[0].end()
        super().connection_made(transport)
        self._hello = asyncio.get_running_loop().call_later(HELLO_S, self._end_if_silent)

    def connection_lost(self, ex: BaseException | None) -> None:
        """Forget it."""
        if self._hello:
            self._hello.cancel()
        super().connection_lost(ex)

    def end(self) -> None:
        """End it now: it counts no longer."""
        if self in self.clients:
            self.clients.remove(self)
        if self.transport:
            self.transport.abort()

    def _end_if_silent(self) -> None:
        if not self._has_spoken:
            self.end()

    async def _process_one_msg(self, header: Any, buf: Any) -> bool:
        self._has_spoken = True
        return bool(await super()._process_one_msg(header, buf))


class _Connections(BinaryServer):  # type: ignore[misc]
    """Listens, and makes these connections."""

    def _make_protocol(self) -> OPCUAProtocol:
        return _Connection(
            iserver=self.iserver,
            policies=self._policies,
            clients=self.clients,
            closing_tasks=self.closing_tasks,
            limits=self.limits,
        )


def install(server: asyncua_server.Server) -> None:
    """Let a server that is not started yet take connections so."""
    server.iserver.max_connections = CONNECTIONS_MOST
    # asyncua makes its listener by this name, and takes no other.
    asyncua_server.BinaryServer = _Connections
