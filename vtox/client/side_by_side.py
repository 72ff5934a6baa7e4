"""Delivers to several servers at once: one that is away holds up no machine of the others.

Between the publisher and the deliveries. To one server it sends in the thread of its caller.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from vtox.client.delivery import Accepted, Delivery, Hindrance

# How long `advance` waits for a server that had everything, and does not answer.
HELD_UP_S = 0.5
POLL_S = 0.05


class SideBySide:
    """The deliveries to all servers, each with a thread where there are several.

    `hold_bytes` of windows may wait for one of them while those of the others go on.
    """

    def __init__(self, deliveries: Sequence[Delivery], hold_bytes: int) -> None:
        self.each = deliveries
        self.hold_bytes = hold_bytes
        several = len(deliveries) > 1
        self._pool = ThreadPoolExecutor(len(deliveries), "publisher") if several else None
        self._running: dict[Delivery, Future[None]] = {}
        # Those whose attempt ran when everything was to be delivered: they begin when it ends.
        self._to_begin: set[Delivery] = set()

    def close(self) -> None:
        """Wait for attempts that run: each ends at the time-out of its socket."""
        if self._pool:
            self._pool.shutdown()

    def advance(self, give_up: Hindrance | None = None) -> Iterator[Hindrance]:
        """Deliver what the servers take now; to a single server everything.

        A server that is behind is waited for only while more than `hold_bytes` waits for it. Yields
        before each pause what it waits for; a server that is hindered so is left at `give_up`.
        """
        if self._pool is None:
            yield from self.finish(give_up)
            return
        self._take_out_ended()
        until = time.monotonic() + HELD_UP_S
        prompt = {d for d in self.each if d not in self._running and not d.late}
        for d in prompt:
            if d.windows:
                d.begin()

        def matters(d: Delivery) -> bool:
            if d.nbytes > self.hold_bytes:
                return not d.is_hindered(give_up)
            return d in prompt and d.hindrance is None and time.monotonic() < until

        yield from self._work(matters)

    def finish(self, give_up: Hindrance | None = None) -> Iterator[Hindrance]:
        """Deliver everything, and see whether the servers have what they may have lost."""
        self._to_begin = set(self.each)
        self._take_out_ended()
        for d in self._to_begin - self._running.keys():
            self._begin(d)
        yield from self._work(lambda d: not d.is_hindered(give_up))

    def take_accepted(self) -> tuple[list[Accepted], list[Accepted]]:
        """Return what the servers have since this was last asked: new, and sent again."""
        found = [d.take_accepted() for d in self.each if d not in self._running]
        return [a for new, _ in found for a in new], [a for _, again in found for a in again]

    def _work(self, matters: Callable[[Delivery], bool]) -> Iterator[Hindrance]:
        while True:
            for d in self._attempt(matters):
                if d.hindrance:
                    yield d.hindrance
            pending = [d for d in self.each if self._is_unfinished(d) and matters(d)]
            if not pending:
                return
            if not any(d in self._running for d in pending):
                time.sleep(max(min(d.resume_t for d in pending) - time.monotonic(), 0.0))

    def _is_unfinished(self, d: Delivery) -> bool:
        return d in self._running or d.unfinished

    def _attempt(self, matters: Callable[[Delivery], bool]) -> Iterator[Delivery]:
        """Start the attempts that are due; yield the deliveries of which one has ended."""
        now = time.monotonic()
        due = [d for d in self.each if d not in self._running and d.is_due(now)]
        for d in due:
            d.take_in()
            if self._pool is None:
                d.attempt()
                yield d
            else:
                self._running[d] = self._pool.submit(d.attempt)
        if self._running:
            patience_s = POLL_S if any(map(matters, self._running)) else 0.0
            wait(self._running.values(), patience_s, FIRST_COMPLETED)
        for d in self._take_out_ended():
            if d in self._to_begin:
                self._begin(d)
            yield d

    def _begin(self, d: Delivery) -> None:
        self._to_begin.discard(d)
        d.begin()

    def _take_out_ended(self) -> list[Delivery]:
        """Return the deliveries whose attempt has ended; an error of one is raised."""
        ended = [d for d, attempt in self._running.items() if attempt.done()]
        for d in ended:
            self._running.pop(d).result()
        return ended
