"""uvicorn's HTTP/1.1 with an end to connections that wait for the head of a request for ever.

`vtox up` and the Procfile start uvicorn with `--http api.http_protocol:BoundedHttp`.
"""

import asyncio
import resource
from typing import Any

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

log = structlog.get_logger()

# From the connection, or from the end of the last answer, to the end of the next request's head.
HEAD_TIMEOUT_S = 10.0
# Connections of one process; beyond them, the one that has waited longest for a request is closed
# for the new one. Half of the files that the process may open is left to everything else.
MAX_CONNECTIONS = min(4_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
LOG_EVERY_S = 60.0


class _Waiting:
    """The connections of one server that wait for a request, in the order in which they began."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._until: dict[BoundedHttp, float] = {}
        self._looks = False
        self._closed = 0
        self._logged_t = -LOG_EVERY_S

    def add(self, connection: "BoundedHttp") -> None:
        """Give a connection `HEAD_TIMEOUT_S` from now on."""
        self.remove(connection)
        until = self._loop.time() + HEAD_TIMEOUT_S
        self._until[connection] = until
        if not self._looks:
            self._looks = True
            self._loop.call_at(until, self._close_late)

    def remove(self, connection: "BoundedHttp") -> None:
        """Forget a connection that has a request, or has ended."""
        self._until.pop(connection, None)

    def close_longest(self) -> None:
        """Close the connection that has waited longest, if one waits."""
        if not self._until:
            return
        self._close(next(iter(self._until)))
        self._closed += 1
        if self._loop.time() - self._logged_t >= LOG_EVERY_S:
            log.warning("connections without a request are closed for others", closed=self._closed)
            self._closed, self._logged_t = 0, self._loop.time()

    def _close_late(self) -> None:
        while self._until:
            connection, until = next(iter(self._until.items()))
            if until > self._loop.time():
                self._loop.call_at(until, self._close_late)
                return
            if connection.is_read():
                self.add(connection)
            else:
                self._close(connection)
        self._looks = False

    def _close(self, connection: "BoundedHttp") -> None:
        self.remove(connection)
        connection.transport.abort()


class BoundedHttp(H11Protocol):
    """One connection, closed if it waits for the head of a request for too long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn has one `ServerState` for each server.
        of_server = vars(self.server_state)
        self._waiting: _Waiting = of_server.setdefault("waiting", _Waiting(self.loop))
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait, and make room for this connection."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._waiting.close_longest()
        self._waiting.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._waiting.remove(self)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; once the head of a request is complete, the wait is over."""
        super().data_received(data)
        if self._in_progress():
            self._waiting.remove(self)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, unless it is there already."""
        super().on_response_complete()
        if not self._in_progress():
            self._waiting.add(self)

    def is_read(self) -> bool:
        """Return whether the client has read some of the last answer since the last call."""
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        return bool(self._unsent) and self._unsent != before

    def _in_progress(self) -> bool:
        """Whether a request is being answered; the rest of a refused body is no request."""
        return self.cycle is not None and not self.cycle.response_complete
