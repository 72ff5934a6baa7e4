"""The heartbeat of the notifier: when it last reported, and what waits for which target.

It stays when the notifier is killed, so that a system which had one says that it is gone; one that
is stopped takes it away.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from vtox import keys
from vtox.store.server.client import Client
from vtox.store.stream.entries import loads, number
from vtox.values.plain_data import known_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """What waits for a target and what it has taken; times are of the notifier's clock, s.

    `held` is what waits for the end of quiet hours, of a suspension, or for a digest; `failures`
    are those in a row, of which the last one was `problem`; `unusable` says what is wrong with its
    URL or secret, so that nothing can be sent.
    """

    waiting: int = 0
    held: int = 0
    dead: int = 0
    delivered: int = 0
    failures: int = 0
    problem: str = ""
    unusable: str = ""
    oldest_t: float | None = None
    next_t: float | None = None
    delivered_t: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierHeartbeat:
    """The last heartbeat of the notifier that reported last; `last_seen_t` is the server's time.

    `problem` says why it cannot work now.
    """

    pid: int
    host: str
    last_seen_t: float
    problem: str = ""
    targets: Mapping[str, TargetState] = field(default_factory=dict)

    @property
    def dead(self) -> int:
        """How many messages were given up."""
        return sum(t.dead for t in self.targets.values())


def send_heartbeat(client: Client, beat: NotifierHeartbeat) -> None:
    """Write a heartbeat."""
    states = {name: asdict(state) for name, state in beat.targets.items()}
    values = {"pid": beat.pid, "host": beat.host, "problem": beat.problem}
    values |= {"last_seen_t": f"{beat.last_seen_t:.3f}", "targets": orjson.dumps(states)}
    client.hset(keys.NOTIFIER, mapping=values)


def remove_heartbeat(client: Client) -> None:
    """Say that no notifier is meant to run."""
    client.delete(keys.NOTIFIER)


def notifier_heartbeat(client: Client) -> NotifierHeartbeat | None:
    """Return the last heartbeat, None where none is meant to run."""
    return decode(client.hgetall(keys.NOTIFIER))


def decode(stored: Mapping[bytes, bytes]) -> NotifierHeartbeat | None:
    """Return the heartbeat of a hash, None where there is none."""
    pid, seen = number(stored.get(b"pid")), number(stored.get(b"last_seen_t"))
    if pid is None or seen is None:
        return None
    texts = {n: stored.get(n.encode(), b"").decode("utf-8", "replace") for n in ("host", "problem")}
    try:
        targets = {name: _state(t) for name, t in loads(stored.get(b"targets", b"{}")).items()}
    except (ValueError, TypeError, AttributeError):
        # One figure that cannot be read must not hide all others.
        targets = {}
    return NotifierHeartbeat(pid=int(pid), last_seen_t=seen, targets=targets, **texts)


def _state(table: Mapping[str, Any]) -> TargetState:
    return TargetState(**known_fields(TargetState, table))
