"""A TCP link that can be cut, frozen, made half-open, slow or short: asyncio in one thread.

Every process reaches the server over a separate link, so that one alone can be disturbed.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CHUNK = 1 << 16
# The server keeps a connection whose other end is gone for this time, as with TCP keepalive.
SILENT_S = 60.0
# Time limit for the thread of the links, which on a busy box waits for a core.
PATIENCE_S = 60.0


@dataclass(eq=False, slots=True)
class _Pair:
    """Both ends of a connection; `silent`: neither hears of the other again."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    silent: bool = False

    def abort(self) -> None:
        for end in (self.near, self.far):
            end.transport.abort()


class Link:
    """One port that leads to `target()`, and its disturbances. Call from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Callable[[], int]) -> None:
        self.loop = loop
        self.target = target
        self.port = 0
        self.refusing = False
        self.delay_s = 0.0
        self.bytes_left: int | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._pairs: set[_Pair] = set()

    def cut(self) -> None:
        """Reset every connection; new ones are accepted."""
        self._run(self._cut())

    def cut_after(self, size: int) -> None:
        """Reset every connection in the middle of a message: after `size` more bytes."""
        self.bytes_left = size

    def freeze(self) -> None:
        """Stop all data silently; `thaw` delivers it late."""
        self._run(self._gate(False))

    def half_open(self) -> None:
        """Stop all data; present connections stay silent for ever, also after `thaw`."""
        self._run(self._silence())

    def thaw(self) -> None:
        """Pass all data again."""
        self._run(self._gate(True))

    def _run(self, step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self.loop).result(timeout=PATIENCE_S)

    async def listen(self) -> None:
        """Open the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Close the port and every connection."""
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for pair in list(self._pairs):
            pair.abort()

    async def _silence(self) -> None:
        self._open.clear()
        for pair in self._pairs:
            pair.silent = True

    async def _gate(self, is_open: bool) -> None:
        if is_open:
            self._open.set()
        else:
            self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        await self._open.wait()
        if self.refusing:
            near.transport.abort()
            return
        try:
            from_far, far = await asyncio.open_connection("127.0.0.1", self.target(), limit=CHUNK)
        except (OSError, ValueError):
            near.transport.abort()
            return
        pair = _Pair(near, far)
        self._pairs.add(pair)
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._pump(pair, reader, far)),
                    asyncio.create_task(self._pump(pair, from_far, near)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            if pair.silent:  # the other end hears nothing of this one's end either
                await asyncio.sleep(SILENT_S)
        except asyncio.CancelledError:
            pass  # the links are closed
        finally:
            self._pairs.discard(pair)
            pair.abort()

    async def _pump(
        self, pair: _Pair, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await self._open.wait()
                if pair.silent:
                    continue
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.bytes_left is not None:
                    data = data[: self.bytes_left]
                    self.bytes_left -= len(data)
                sink.write(data)
                await sink.drain()
                if self.bytes_left == 0:
                    self.bytes_left = None
                    sink.close()  # bytes already written arrive
                    await self._cut_others(pair)
                    return

    async def _cut_others(self, pair: _Pair) -> None:
        for other in self._pairs - {pair}:
            other.abort()


class Links:
    """The links of a system by name, in one thread."""

    def __init__(self, target: Callable[[], int]) -> None:
        self.target = target
        self.by_name: dict[str, Link] = {}
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="links", daemon=True)
        self._thread.start()

    def add(self, name: str) -> Link:
        """Open a link."""
        link = Link(self.loop, self.target)
        self.by_name[name] = link
        asyncio.run_coroutine_threadsafe(link.listen(), self.loop).result(timeout=PATIENCE_S)
        return link

    def close(self) -> None:
        """End all connections and the thread."""

        async def end() -> None:
            for link in self.by_name.values():
                await link.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(timeout=PATIENCE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)
        self.loop.close()
