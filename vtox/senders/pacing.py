"""Sends windows into the raw stream: in real time, faster, or as fast as they are diagnosed."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import redis

from vtox.domain import Window
from vtox.errors import InputError, ServerUnavailable
from vtox.store import streams
from vtox.store.client import Client
from vtox.store.streams import add_windows
from vtox.wire import Dtype, Limits, decode_header, encode

# One pipeline carries about this much: larger ones fall out of the cache (docs/BENCHMARKS.md).
PIPELINE_BYTES = 2 << 20
# At full speed the sender is at most this far ahead of the workers: waiting windows cost memory.
MAX_AHEAD_BYTES = 64 << 20
# A sender in real time drops windows that are later than this instead of flooding the system.
MAX_LATE_S = 30.0
# How long a sender repeats a transaction while no server accepts it.
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Job:
    """A window to send, made when it is due: `due_s` after the start, at speed 1."""

    due_s: float
    make: Callable[[], Window]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sender is.

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
    client: Client, jobs: Iterable[Job], speed: float | None, *, late_s: float = MAX_LATE_S
) -> Iterator[Progress]:
    """Send the windows of `jobs`, ordered by `due_s`, and report after every batch and refusal.

    It waits without end for a server at its memory limit, which drains meanwhile.

    Raises
    ------
    ServerUnavailable
        No server accepted the windows for `PATIENCE_S`.
    """
    paced = _ahead_of_workers(client, jobs) if speed is None else _on_time(jobs, speed, late_s)
    done = Progress()
    for windows, dropped, behind in paced:
        if windows:
            for _ in _refusals(client, windows, "i2", PATIENCE_S):
                yield replace(done, full=True)
        done = Progress(done.sent + len(windows), done.dropped + dropped, behind)
        yield done


def publish(
    client: Client,
    windows: Sequence[Window],
    *,
    dtype: Dtype = "i2",
    patience_s: float = PATIENCE_S,
) -> None:
    """Add `windows` to the raw stream in one transaction, repeated until the server accepts it.

    A window that arrives twice counts once, so repeating the whole is safe.

    Raises
    ------
    ServerUnavailable
        The server was away for `patience_s`. For one that is out of memory it waits without end.
    """
    for _ in _refusals(client, windows, dtype, patience_s):
        pass


def _refusals(
    client: Client, windows: Sequence[Window], dtype: Dtype, patience_s: float
) -> Iterator[None]:
    """Add `windows` as `publish` does, and yield whenever the server had no memory for them."""
    entries = [encode(window, dtype) for window in windows]
    deadline = time.monotonic() + patience_s
    pause_s = 0.05
    while True:
        try:
            add_windows(client, entries)
            return
        except redis.OutOfMemoryError:
            deadline = time.monotonic() + patience_s
            yield
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if time.monotonic() > deadline:
                raise ServerUnavailable(
                    f"the server accepted no window for {patience_s:.0f} s: {error}"
                ) from error
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 1.0)


def check(window: Window, limits: Limits) -> None:
    """Raise `WireError` if the bridge would refuse `window`, so that nothing is sent."""
    decode_header(_as_read(encode(window)), limits)


def _as_read(fields: dict[str, str | bytes]) -> dict[bytes, bytes]:
    return {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()}


def _on_time(
    jobs: Iterable[Job], speed: float, late_s: float
) -> Iterator[tuple[list[Window], int, bool]]:
    """Yield windows when they are due; delays do not add up."""
    start = time.monotonic()
    due: list[Window] = []
    dropped = size = 0
    for job in jobs:
        ahead = start + job.due_s / speed - time.monotonic()
        if (due or dropped) and (ahead > 0 or size > PIPELINE_BYTES):
            yield due, dropped, False
            due, dropped, size = [], 0, 0
            ahead = start + job.due_s / speed - time.monotonic()
        if ahead < -late_s:
            dropped += 1
            continue
        if ahead > 0:
            time.sleep(ahead)
        due.append(job.make())
        size += _nbytes(due[-1])
    yield due, dropped, False


def _ahead_of_workers(
    client: Client, jobs: Iterable[Job]
) -> Iterator[tuple[list[Window], int, bool]]:
    """Yield windows by the pipeline while no more than `MAX_AHEAD_BYTES` are unfinished."""
    batch: list[Window] = []
    size = 0
    for job in jobs:
        batch.append(job.make())
        size += _nbytes(batch[-1])
        if size < PIPELINE_BYTES:
            continue
        while backlog(client) * size / len(batch) > MAX_AHEAD_BYTES:
            yield [], 0, True
            time.sleep(0.05)
        yield batch, 0, False
        batch, size = [], 0
    yield batch, 0, False


def backlog(client: Client) -> int:
    """Return the windows that are not finished, as far as the server knows."""
    try:
        return streams.backlog(client)
    except (redis.ConnectionError, redis.TimeoutError):
        return 0  # `publish` waits for the server


def _nbytes(window: Window) -> int:
    return 2 * window.samples * len(window.channels)
