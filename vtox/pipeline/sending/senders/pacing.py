"""Sends windows into the raw stream: in real time, faster, or as fast as they are diagnosed."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from vtox.motor.errors import InputError
from vtox.motor.values.domain import Window
from vtox.pipeline.client.delivery import Hindrance
from vtox.pipeline.client.publisher import BATCH_BYTES, Publisher
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.windows.wire import UNLIMITED

# At full speed the sender is at most this far ahead of the workers: waiting windows cost memory.
MAX_AHEAD_BYTES = 64 << 20
# A sender in real time drops windows that are later than this instead of flooding the system.
MAX_LATE_S = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """A window to send, made when it is due: `due_s` after the start, at speed 1."""

    due_s: float
    make: Callable[[], Window]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a sender.

    `behind` is true while it waits for the workers to catch up, `full` while the server has no
    memory for another window.
    """

    sent: int = 0
    dropped: int = 0
    behind: bool = False
    full: bool = False


def parse_speed(text: str) -> float | None:
    """Return the factor that `text` (`1`, `10`, `max`) gives to time; None is full speed."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise InputError(f"--speed {text}: expected a positive number or max")
    return speed


def first_t0(now: float, total_s: float, speed: float | None) -> float:
    """Return the `t0` of a sender's first window so that its last one ends as it is sent.

    Faster than real time the data begin in the past: times ahead of the clock would be an alert.
    """
    return now - (total_s - total_s / speed if speed else total_s)


def send(
    client: Client,
    jobs: Iterable[Job],
    speed: float | None,
    *,
    late_s: float = MAX_LATE_S,
) -> Iterator[Progress]:
    """Send the windows of `jobs`, ordered by `due_s`, and report after every batch and refusal.

    It waits without end for a server at its memory limit, which drains meanwhile.

    Raises `ServerUnavailable`: no server accepted the windows for two minutes.
    """
    with Publisher(
        client,
        batch_bytes=BATCH_BYTES,
        ahead_bytes=MAX_AHEAD_BYTES if speed is None else None,
        limits=UNLIMITED,
    ) as publisher:
        paced = _in_batches(jobs) if speed is None else _on_time(jobs, speed, late_s)
        done = Progress()
        for windows, dropped in paced:
            for window in windows:
                publisher.collect(window)
            yield from _report(done, publisher.deliver())
            sent = done.sent + len(publisher.take_accepted())
            done = Progress(sent, done.dropped + dropped)
            yield done


def _report(done: Progress, hindrances: Iterator[Hindrance]) -> Iterator[Progress]:
    for hindrance in hindrances:
        yield replace(done, full=hindrance == "full", behind=hindrance == "behind")


def _on_time(
    jobs: Iterable[Job], speed: float, late_s: float
) -> Iterator[tuple[list[Window], int]]:
    """Yield windows when they are due; delays do not add up."""
    start = time.monotonic()
    due: list[Window] = []
    dropped = size = 0
    for job in jobs:
        ahead = start + job.due_s / speed - time.monotonic()
        if (due or dropped) and (ahead > 0 or size > BATCH_BYTES):
            yield due, dropped
            due, dropped, size = [], 0, 0
            ahead = start + job.due_s / speed - time.monotonic()
        if ahead < -late_s:
            dropped += 1
            continue
        if ahead > 0:
            time.sleep(ahead)
        due.append(job.make())
        size += _nbytes(due[-1])
    yield due, dropped


def _in_batches(jobs: Iterable[Job]) -> Iterator[tuple[list[Window], int]]:
    """Yield windows by the batch, at once."""
    batch: list[Window] = []
    size = 0
    for job in jobs:
        batch.append(job.make())
        size += _nbytes(batch[-1])
        if size >= BATCH_BYTES:
            yield batch, 0
            batch, size = [], 0
    yield batch, 0


def _nbytes(window: Window) -> int:
    return 2 * window.samples * len(window.channels)
