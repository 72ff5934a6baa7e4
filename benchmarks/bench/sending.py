"""How a window gets into each system. Each way gives the time of each window's arrival.

The time is in ms since the epoch. If the window becomes an entry of a stream, it is the server's,
from the id of the entry. The windows of `naive` only become tasks: their time is that of this host
before the first task is sent. Both are the same host. None: the server refused the window for want
of memory.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import time

import redis

from benchmarks.bench.workload import Sent
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import connect

Send = Callable[[Sequence[Sent]], list[float | None]]
# Opened with the address of the server.
Way = Callable[[str], AbstractContextManager[Send]]


def arrival_ms(entry_id: bytes) -> float:
    """Return the server's time when it took an entry."""
    return float(entry_id.partition(b"-")[0])


@contextmanager
def to_stream(url: str) -> Iterator[Send]:
    """Add windows to the stream, some at a time."""
    with connect(url, "sender") as client:

        def send(windows: Sequence[Sent]) -> list[float | None]:
            pipe = client.pipeline(transaction=False)
            for w in windows:
                pipe.xadd(keys.RAW, w.fields)  # type: ignore[arg-type]
            replies = pipe.execute(raise_on_error=False)
            for r in replies:
                if not isinstance(r, bytes | redis.OutOfMemoryError):
                    raise r
            return [arrival_ms(r) if isinstance(r, bytes) else None for r in replies]

        yield send


@contextmanager
def as_tasks(url: str) -> Iterator[Send]:
    """Send the tasks of the Celery pipeline `naive`, samples and all."""
    send_one = _celery(url).send_naive

    def send(windows: Sequence[Sent]) -> list[float | None]:
        arrivals: list[float | None] = []
        for w in windows:
            arrivals.append(1e3 * time())
            try:
                send_one(w)
            except redis.OutOfMemoryError:
                arrivals[-1] = None
        return arrivals

    yield send


@contextmanager
def as_ids(url: str) -> Iterator[Send]:
    """Add windows to the stream, and send the tasks of `careful`, which name their entries."""
    send_one = _celery(url).send_careful
    yield lambda windows: [_arrival_or_refusal(send_one, w) for w in windows]


def _arrival_or_refusal(add: Callable[[Sent], bytes], window: Sent) -> float | None:
    try:
        return arrival_ms(add(window))
    except redis.OutOfMemoryError:
        return None


def _celery(url: str):  # type: ignore[no-untyped-def]
    os.environ["NAIVE_URL"] = url
    from benchmarks import naive_celery

    return naive_celery
