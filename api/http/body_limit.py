"""Refuses bodies that are encoded, too large (announced or counted), or too slow."""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from api.http.errors import Problem
from vtox.pipeline.configuration.settings import Settings

# Room for the rest of a body, besides the samples: names, numbers and punctuation.
ENVELOPE_BYTES = 64 << 10
# A body may take this long, and longer by its length at the slowest speed: mobile lines reach it.
GRACE_S = 10.0
SLOWEST_BYTES_PER_S = 16 << 10
# A refused sender may still send: it reads our answer only then. The rest is read and thrown away.
DRAIN_S = 1.0
# Bodies that arrive at once; one more ends the body with the earliest deadline, the slowest.
MAX_ARRIVING = 300


class ArrivingBody:
    """The body of one request while it arrives, among the others of the process.

    `complete`: all of it was received. `deadline` is the time of the event loop at which it is too
    slow. It is refused when a route reads it, so that the key is checked before.
    """

    def __init__(
        self, scope: Scope, headers: Headers, receive: Receive, arriving: "set[ArrivingBody]"
    ) -> None:
        settings: Settings = scope["app"].state.backend.settings
        self.headers = headers
        # The largest: a window of the largest size in base64, and its envelope.
        self.limit = -(-settings.max_window_bytes // 3) * 4 + ENVELOPE_BYTES
        self.announced = headers.get("content-length", "0")
        self.complete = self.announced == "0" and "transfer-encoding" not in headers
        self.deadline = 0.0
        self._receive = receive
        self._arriving = arriving
        self._received = 0
        self._timeout: asyncio.Timeout | None = None
        self._too_slow = False

    async def receive(self) -> Message:
        """Return the next part of the body or raise its problem; then the messages that follow."""
        if self.complete:
            return await self._receive()
        if self not in self._arriving:
            self._begin()
        try:
            async with asyncio.timeout_at(self.deadline) as self._timeout:
                message = await self._next()
        except TimeoutError:
            self._too_slow = True
            raise _too_slow(self._received) from None
        finally:
            self._timeout = None
        if self._received > self.limit:
            raise _too_large(self.limit)
        return message

    async def drain(self) -> bool:
        """Discard the rest that arrives within `DRAIN_S`, unless it is slow; return whether all."""
        if self._too_slow or "expect" in self.headers:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while not self.complete:
                    await self._next()
        return self.complete

    def _begin(self) -> None:
        encoding = self.headers.get("content-encoding", "")
        if encoding.lower() not in ("", "identity"):
            raise _encoded(encoding)
        if self.announced.isdecimal() and int(self.announced) > self.limit:
            raise _too_large(self.limit)
        now = asyncio.get_running_loop().time()
        if len(self._arriving) >= MAX_ARRIVING:
            waiting = [b for b in self._arriving if b._timeout is not None]
            slowest = min(waiting, key=lambda b: b.deadline, default=None)
            if slowest is not None and slowest._timeout is not None:
                self._arriving.discard(slowest)
                slowest._timeout.reschedule(now)
        self.deadline = now + GRACE_S
        self._arriving.add(self)

    async def _next(self) -> Message:
        message = await self._receive()
        size = len(message.get("body", b""))
        self._received += size
        self.deadline += size / SLOWEST_BYTES_PER_S
        self.complete = not message.get("more_body", False)
        if self.complete:
            self._arriving.discard(self)
        return message


def _too_large(limit: int) -> Problem:
    return Problem(
        "body_too_large",
        f"the body is larger than {limit} bytes (VTOX_MAX_WINDOW_BYTES in base64): send shorter "
        "windows, or base64 of dtype i2",
    )


def _too_slow(received: int) -> Problem:
    return Problem(
        "body_too_slow",
        f"{received} bytes of the body came in time: expected its end within {GRACE_S:g} s, and a "
        f"second more for each {SLOWEST_BYTES_PER_S >> 10} kB (sooner if {MAX_ARRIVING} arrive at "
        "once); send the same window again",
    )


def _encoded(encoding: str) -> Problem:
    return Problem(
        "encoded",
        f"Content-Encoding: {encoding[:40]}, expected none: send the body as it is; base64 of "
        "dtype i2 is less than half of the text",
        headers={"Accept-Encoding": "identity"},
    )
