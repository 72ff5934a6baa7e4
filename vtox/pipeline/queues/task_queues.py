"""The bridge's end of the task queues: sends tasks and counts those waiting.

Each queue has its own connection, so that one which does not answer holds no other. A channel
would not do: RabbitMQ ends the connection of a channel that waits for a queue without a leader.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NoReturn, Protocol

import structlog
from kombu import Connection
from kombu.exceptions import ChannelError

from vtox.motor.faults import FAMILIES, PACKAGES
from vtox.pipeline.errors import BrokerUnavailable
from vtox.pipeline.queues import broker
from vtox.pipeline.queues.celery_app import app

log = structlog.get_logger()

# A broker that is away is tried again after this time.
RETRY_AFTER_S = 1.0
# A single queue that is silent is tried less often and for a shorter time: the bridge waits with
# the tasks of every family meanwhile. In this time a broker that is alive takes a connection.
RETRY_QUEUE_AFTER_S = 4.0
PROBE_TIMEOUT_S = 1.0
# With the probe no longer than a step: the lease may be 1.7 s old already.
REPLY_TIMEOUT_S = broker.STEP_TIMEOUT_S - PROBE_TIMEOUT_S
# A quorum queue without a leader never gets one if RabbitMQ has lost its registration
# (docs/howto/use-rabbitmq.md). It is made again after this time, which an election does not need.
SILENT_QUEUE_S = 15.0
# RabbitMQ asks the queue for 5.0 s before it deletes it by force.
DELETION_S = 8.0
# This many of the oldest tasks are looked up: the records of the first ones may be finished.
MAX_OLDEST = 16
# Tasks that come back to their queue, because a worker ended, make it longer again.
SPARE_TASKS = 64
NOT_FOUND = 404
NO_HEARTBEAT = 0


class _Alarm(Exception):
    """RabbitMQ has little memory or disk left, and takes nothing on any connection."""


@dataclass(slots=True)
class _Queue:
    """The bridge's data on one queue."""

    family: str
    # Number and records of the tasks that may wait, the oldest first; tasks sent before `since` may
    # wait too, and no process here knows of them.
    sent: deque[tuple[int, list[str]]] = field(default_factory=deque)
    since: int | None = None
    connection: Connection | None = None
    producer: Any = None
    problem: str = ""
    retry_t: float = 0.0
    # Since when it stores no task, though the broker takes connections.
    silent_t: float | None = None

    @property
    def name(self) -> str:
        return FAMILIES[self.family].queue

    def close(self) -> None:
        connection, self.connection, self.producer = self.connection, None, None
        if connection is not None:
            connection.collect()


class _Numbers(Protocol):
    """Numbers the tasks of a queue, for every sender: `TaskNumbers` of the store."""

    def take(self, family: str) -> int:
        """Return the number of the task that is sent next."""

    def last(self, family: str) -> int:
        """Return the number of the task that was sent last."""


class _OwnNumbers:
    """Numbers of tasks that no other sender uses."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()

    def take(self, family: str) -> int:
        """Return the number of the task that is sent next."""
        self._last[family] += 1
        return self._last[family]

    def last(self, family: str) -> int:
        """Return the number of the task that was sent last."""
        return self._last[family]


class TaskQueues:
    """Sends the tasks of one partition, and knows which of them still wait.

    A queue is first in, first out: if the broker counts n tasks, the last n that were sent wait, by
    any bridge. The broker need not show the tasks, which AMQP cannot.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        numbers: _Numbers | None = None,
        partition: int = 0,
    ) -> None:
        self.clock = clock
        self.numbers = numbers or _OwnNumbers()
        packages = {f.name: f.family for f in PACKAGES.values()}
        self._arguments = {"partition": partition, "packages": packages}
        self.address = ""
        self.lengths: dict[str, int] = {}
        self._queues = {family: _Queue(family) for family in FAMILIES}
        self._problem = ""
        self._retry_t = 0.0

    @property
    def problem(self) -> str:
        """Why the broker, or the first queue that does not, takes no tasks."""
        return self._problem or next((q.problem for q in self._queues.values() if q.problem), "")

    def send(self, family: str, record_ids: list[str]) -> None:
        """Send the task of a fault family; on AMQP return once the broker has stored it.

        Raises `BrokerUnavailable`: the task may be in the queue or not.
        """
        queue = self._queues[family]
        with self._connected(queue) as producer:
            number = self.numbers.take(family)
            if queue.since is None:
                queue.since = number - 1
            app.send_task(
                FAMILIES[family].task,
                args=[record_ids],
                kwargs=self._arguments,
                # Flower shows the number of records in a batch; Celery would write out all of them.
                argsrepr=f"({len(record_ids)} records)",
                queue=queue.name,
                routing_key=queue.name,
                producer=producer,
                retry=False,
                confirm_timeout=self._confirm_timeout_s(queue),
            )
            queue.silent_t = None
        queue.sent.append((number, record_ids))

    def waiting_tasks(self, family: str) -> list[list[str]] | None:
        """Return the record ids of the tasks that have waited longest, the oldest task first.

        None if they are not known: the broker is away, or the oldest were sent by another bridge or
        before `forget`. They are known again once workers have taken those.
        """
        queue = self._queues[family]
        if queue.silent_t is not None:
            # RabbitMQ counts 0 in a queue without a leader. Only a task that is sent shows that it
            # stores tasks again, so that after each rest one must be.
            self.lengths.pop(family, None)
            return None if self.clock() < queue.retry_t else []
        last = self.numbers.last(family)
        try:
            with self._connected(queue) as producer:
                waiting = self._count(producer.channel, queue)
        except BrokerUnavailable:
            self.lengths.pop(family, None)
            return None
        self.lengths[family] = waiting
        taken = last - waiting
        if queue.since is None:
            queue.since = last
        while queue.sent and queue.sent[0][0] <= taken - SPARE_TASKS:
            queue.sent.popleft()
        if taken < queue.since:
            return None
        own = (record_ids for number, record_ids in queue.sent if number > taken)
        return list(islice(own, MAX_OLDEST))

    def forget(self) -> None:
        """Forget the tasks sent so far: another bridge may have sent some for the same records."""
        for queue in self._queues.values():
            queue.sent.clear()
            queue.since = None

    def close(self) -> None:
        """Close the connections without waiting for the broker."""
        for queue in self._queues.values():
            queue.close()

    @contextmanager
    def _connected(self, queue: _Queue) -> Iterator[Any]:
        """Yield a queue's producer; after a failure all queues rest, or this one alone."""
        for problem, retry_t in ((self._problem, self._retry_t), (queue.problem, queue.retry_t)):
            if self.clock() < retry_t:
                raise BrokerUnavailable(problem)
        try:
            yield queue.producer or self._connect(queue, broker.STEP_TIMEOUT_S)
        except Exception as error:  # the transports' errors have no common class
            if not isinstance(error, _Alarm) and self._reconnects(queue):
                self._leave(queue, error)
            else:
                self._disconnect(error)
            raise BrokerUnavailable(self._problem or queue.problem) from error
        if self._problem or queue.problem:
            self._problem = queue.problem = ""
            log.info("the broker takes tasks again", queue=queue.name)

    def _disconnect(self, error: Exception) -> None:
        """Begin with new connections, later."""
        self.close()
        self._retry_t = self.clock() + RETRY_AFTER_S
        if not self._problem:
            log.warning("the broker takes no tasks, trying again", reason=repr(error))
        self._problem = f"{self.address}: {error or type(error).__name__}"
        for queue in self._queues.values():
            queue.silent_t, queue.problem = None, ""

    def _leave(self, queue: _Queue, error: Exception) -> None:
        """Let a single queue rest; delete it if it was silent for too long."""
        now = self.clock()
        if not queue.problem:
            log.warning(
                "a queue of the broker takes no tasks, trying again, the others go on",
                queue=queue.name,
                reason=repr(error),
            )
        queue.problem = f"{self.address}: queue {queue.name}: {error or type(error).__name__}"
        queue.retry_t = now + RETRY_AFTER_S
        if not isinstance(error.__cause__ or error, TimeoutError):  # kombu raises its own
            return
        queue.retry_t = now + RETRY_QUEUE_AFTER_S
        if queue.silent_t is None:
            queue.silent_t = now
        elif now - queue.silent_t >= SILENT_QUEUE_S:
            self._delete(queue)

    def _delete(self, queue: _Queue) -> None:
        """Delete a queue, with its tasks; the next task declares it again."""
        log.warning(
            "a queue of the broker stored no task, deleting it: its records are sent again",
            queue=queue.name,
            silent_s=SILENT_QUEUE_S,
        )
        queue.producer.channel.queue_delete(queue=queue.name, nowait=True)
        queue.silent_t = self.clock()
        queue.retry_t = self.clock() + DELETION_S

    def _confirm_timeout_s(self, queue: _Queue) -> float:
        """Return how long to wait until a task is stored: long before a queue is given up."""
        if queue.silent_t is None or self.clock() - queue.silent_t >= SILENT_QUEUE_S:
            return REPLY_TIMEOUT_S
        return PROBE_TIMEOUT_S

    def _connect(self, queue: _Queue, limit_s: float) -> Any:
        self.address = broker.address()
        queue.connection = connection = app.connection_for_write(
            heartbeat=NO_HEARTBEAT,
            connect_timeout=limit_s,
            # A server that hangs must not outlast the lease of the bridge.
            transport_options={"confirm_publish": True, "socket_timeout": broker.STEP_TIMEOUT_S},
        )
        connection.ensure_connection(max_retries=0)
        if connection.transport.driver_type == "amqp":
            # py-amqp waits for a reply without a limit, and ignores its own read time-out.
            connection.connection.sock.settimeout(REPLY_TIMEOUT_S)
            connection.connection.on_blocked = _refuse
        queue.producer = app.amqp.Producer(connection.channel(), auto_declare=False)
        return queue.producer

    def _reconnects(self, queue: _Queue) -> bool:
        """Return whether the broker takes a new connection, after the one of a queue failed."""
        connected = queue.producer is not None
        queue.close()
        if not connected or broker.is_redis():
            return False
        try:
            self._connect(queue, PROBE_TIMEOUT_S)
        except Exception:  # the transports' errors have no common class
            return False
        return True

    def _count(self, channel: Any, queue: _Queue) -> int:
        """Return how many tasks of a queue no worker has fetched."""
        try:
            return int(channel.queue_declare(queue=queue.name, passive=True).message_count)
        except ChannelError as error:
            if int(error.reply_code) != NOT_FOUND:
                raise
            # AMQP closes the channel. On a new connection the next task declares the queue again.
            queue.close()
            return 0


def _refuse(reason: str) -> NoReturn:
    """End the step that waits for a broker which will not answer."""
    raise _Alarm(reason)
