"""The heartbeat of the recorder: when it last reported, and what it could not record.

It stays when the recorder ends, so that a system which had one says that it is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vtox import keys
from vtox.store.client import Client
from vtox.store.entries import number

# What it says of itself, besides its times.
_TEXTS = ("host", "address", "problem", "missed")
_NUMBERS = ("free_mb", "needed_mb")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderHeartbeat:
    """The last heartbeat of the recorder that reported last; times are the server's.

    `recorded_t` is when all streams had last been recorded to their end; `address` is where the
    history is, without a password. `problem` says why it cannot write now, `missed` what was
    trimmed unread lately; both are empty where there is nothing to say. `free_mb` and `needed_mb`
    are the room that its disk has, and must have, while that is what stops it.
    """

    pid: int
    host: str
    address: str
    last_seen_t: float
    recorded_t: float | None
    problem: str = ""
    missed: str = ""
    free_mb: float | None = None
    needed_mb: float | None = None


def send_heartbeat(client: Client, beat: RecorderHeartbeat) -> None:
    """Write a heartbeat."""
    recorded = "" if beat.recorded_t is None else f"{beat.recorded_t:.3f}"
    room = {n: "" if (v := getattr(beat, n)) is None else f"{v:.1f}" for n in _NUMBERS}
    fields = room | {
        "pid": beat.pid,
        "last_seen_t": f"{beat.last_seen_t:.3f}",
        "recorded_t": recorded,
    }
    client.hset(keys.RECORDER, mapping=fields | {n: getattr(beat, n) for n in _TEXTS})


def recorder_heartbeat(client: Client) -> RecorderHeartbeat | None:
    """Return the last heartbeat, None where no recorder has ever run."""
    return decode(client.hgetall(keys.RECORDER))


def decode(fields: Mapping[bytes, bytes]) -> RecorderHeartbeat | None:
    """Return the heartbeat of a hash."""
    pid, seen = number(fields.get(b"pid")), number(fields.get(b"last_seen_t"))
    if pid is None or seen is None:
        return None
    texts = {n: fields.get(n.encode(), b"").decode("utf-8", "replace") for n in _TEXTS}
    recorded_t = number(fields.get(b"recorded_t") or None)
    room = {n: number(fields.get(n.encode()) or None) for n in _NUMBERS}
    known: dict[str, Any] = texts | room
    return RecorderHeartbeat(pid=int(pid), last_seen_t=seen, recorded_t=recorded_t, **known)
