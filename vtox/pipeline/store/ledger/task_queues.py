"""The stored data on Celery's queues: their lengths at another broker, and refused messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from vtox.motor.values.codec import Prefix, Time, encode_fields
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.server.counts import add_count, read_count

# The bridge counts every second; lengths older than this are not known any more.
MAX_AGE_S = 15.0


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that is not the server of the streams, as the bridge found it at `t`."""

    address: str
    problem: str
    t: Time
    waiting: Annotated[Mapping[str, int], Prefix("waiting:")] = field(default_factory=dict)

    def unknown_reason(self, t: float) -> str:
        """Return why the lengths of some queues are not known at `t`; nothing if they are."""
        if self.problem:
            return self.problem
        return f"no bridge has counted for {t - self.t:.0f} s" if self._is_old(t) else ""

    def lengths_at(self, t: float) -> Mapping[str, int]:
        """Return family -> tasks that wait, if known at `t`."""
        return {} if self._is_old(t) else self.waiting

    def _is_old(self, t: float) -> bool:
        return t - self.t > MAX_AGE_S


def write_broker(client: Client, address: str, problem: str, waiting: Mapping[str, int]) -> None:
    """Keep the bridge's view of its broker."""
    broker = Broker(address, problem, server_time(client), waiting)
    with client.pipeline() as pipe:
        pipe.delete(keys.BROKER)
        pipe.hset(keys.BROKER, mapping=encode_fields(broker))
        pipe.execute()


def forget_broker(client: Client) -> None:
    """Note that the tasks wait on the server of the streams."""
    client.delete(keys.BROKER)


def count_refused_tasks(client: Client, messages: int) -> None:
    """Count messages of a task queue that a worker has refused."""
    add_count(client, keys.COUNTERS, "tasks_refused", messages)


class TaskNumbers:
    """Numbers the tasks of each queue in the order in which all bridges send them."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def take(self, family: str) -> int:
        """Return the number of the task that is sent next."""
        return add_count(self.client, keys.COUNTERS, _sent(family), 1)

    def last(self, family: str) -> int:
        """Return the number of the task that was sent last."""
        return read_count(self.client.hget(keys.COUNTERS, _sent(family)))


def _sent(family: str) -> str:
    return f"tasks_sent:{family}"
