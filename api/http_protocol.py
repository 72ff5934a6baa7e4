"""uvicorn's HTTP/1.1, which waits for the head of a request for ever, with an end to it.

`vtox up` and the Procfile start uvicorn with `--http api.http_protocol:BoundedHttp`.
"""

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# From the connection, or from the end of the last answer, to the end of the next request's head.
HEAD_TIMEOUT_S = 10.0
# Connections of one process; beyond them, the one that has waited longest for a request is closed
# for the new one. Half of the files that the process may open is left to everything else.
MAX_CONNECTIONS = min(500, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


class BoundedHttp(H11Protocol):
    """One connection, closed if it waits for the head of a request for too long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait, and make room for this connection."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._close_longest_waiting()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        """Take in bytes; once the head of a request is complete, the wait is over."""
        super().data_received(data)
        if self._in_progress():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, unless it is there already."""
        super().on_response_complete()
        if not self._in_progress():
            self._wait()

    def _in_progress(self) -> bool:
        """Whether a request is being answered; the rest of a body that was refused is none."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._stop_waiting()
        self.waiting_since = self.loop.time()
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._time_out)

    def _stop_waiting(self) -> None:
        self.waiting_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if self._unsent and self._unsent != unsent:
            # The client still reads the last answer, slowly.
            self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._time_out)
        else:
            self.transport.abort()

    def _close_longest_waiting(self) -> None:
        waiting = [
            (c.waiting_since, c)
            for c in self.connections
            if isinstance(c, BoundedHttp) and c.waiting_since is not None
        ]
        if waiting:
            _, longest = min(waiting, key=lambda pair: pair[0])
            longest._stop_waiting()
            longest.transport.abort()
