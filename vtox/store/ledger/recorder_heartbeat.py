"""The heartbeat of the recorder: when it last reported, and what it could not record.

It stays when the recorder ends, so that a system which had one says that it is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vtox import keys
from vtox.store.server.client import Client
from vtox.store.stream.entries import number

# What it says of itself, besides its times.
_TEXTS = ("host", "address", "problem", "missed")
_NUMBERS = ("free_mb", "needed_mb")
_TIMES = ("last_seen_t", "recorded_t", "lost_t")
# And up to where each stream is recorded.
_RECORDED = "recorded:"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderHeartbeat:
    """The last heartbeat of the recorder that reported last; times are the server's.

    `recorded_t` is when all streams had last been recorded to their end; `address` is where the
    history is, without a password. `problem` says why it cannot write now, `missed` what was
    trimmed unread lately; both are empty where there is nothing to say. `free_mb` and `needed_mb`
    are the room that its disk has, and must have, while that is what stops it. `recorded` is stream
    -> id of the last entry that is in the history; `lost_t` is when that was found to be gone, None
    where it never was. Both stay on the server while a recorder does not know better.
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
    recorded: Mapping[str, str] = field(default_factory=dict)
    lost_t: float | None = None


def send_heartbeat(client: Client, beat: RecorderHeartbeat) -> None:
    """Write a heartbeat."""
    room = {n: "" if (v := getattr(beat, n)) is None else f"{v:.1f}" for n in _NUMBERS}
    times = {n: f"{v:.3f}" for n in _TIMES if (v := getattr(beat, n)) is not None}
    recorded = {_RECORDED + stream: i for stream, i in beat.recorded.items()}
    texts = {n: getattr(beat, n) for n in _TEXTS}
    client.hset(keys.RECORDER, mapping={"pid": beat.pid} | texts | room | times | recorded)


def recorder_heartbeat(client: Client) -> RecorderHeartbeat | None:
    """Return the last heartbeat, None where no recorder has ever run."""
    return decode(client.hgetall(keys.RECORDER))


def decode(fields: Mapping[bytes, bytes]) -> RecorderHeartbeat | None:
    """Return the heartbeat of a hash."""
    pid, seen = number(fields.get(b"pid")), number(fields.get(b"last_seen_t"))
    if pid is None or seen is None:
        return None
    texts = {n: fields.get(n.encode(), b"").decode("utf-8", "replace") for n in _TEXTS}
    numbers = {n: number(fields.get(n.encode()) or None) for n in (*_NUMBERS, *_TIMES)}
    recorded = {
        n.decode().removeprefix(_RECORDED): i.decode()
        for n, i in fields.items()
        if n.startswith(_RECORDED.encode())
    }
    known: dict[str, Any] = texts | numbers | {"last_seen_t": seen}
    return RecorderHeartbeat(pid=int(pid), recorded=recorded, **known)
