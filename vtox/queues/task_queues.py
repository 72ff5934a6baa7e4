"""The bridge's end of the task queues: one connection that sends tasks and counts those waiting."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import structlog
from kombu import Connection
from kombu.exceptions import ChannelError

from vtox import server_urls
from vtox.errors import BrokerUnavailable
from vtox.faults import FAMILIES
from vtox.queues import broker
from vtox.queues.celery_app import app

log = structlog.get_logger()

# A broker that is away is tried again after this time.
RETRY_AFTER_S = 1.0
# So many of the oldest tasks are looked up: the records of the first ones may be finished.
MAX_OLDEST = 16
# Tasks that come back to their queue, because a worker ended, make it longer again.
SPARE_TASKS = 64
NOT_FOUND = 404
NO_HEARTBEAT = 0


class TaskQueues:
    """Sends tasks, and knows which of them still wait.

    A queue is first in, first out: where the broker counts n tasks, the last n that were sent wait.
    It need not show the tasks themselves, which AMQP cannot.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.address = self.problem = ""
        self.lengths: dict[str, int] = {}
        self._sent: dict[str, deque[list[str]]] = {family: deque() for family in FAMILIES}
        self._connection: Connection | None = None
        self._producer: Any = None
        self._retry_t = 0.0

    def send(self, family: str, record_ids: list[str]) -> None:
        """Send the task of a fault family; on AMQP return once the broker has stored it.

        Raises
        ------
        BrokerUnavailable
            The task may be in the queue or not.
        """
        f = FAMILIES[family]
        with self._connected() as producer:
            app.send_task(
                f.task,
                args=[record_ids],
                queue=f.queue,
                routing_key=f.queue,
                producer=producer,
                retry=False,
                confirm_timeout=broker.STEP_TIMEOUT_S,
            )
        self._sent[family].append(record_ids)

    def waiting_tasks(self, family: str) -> list[list[str]] | None:
        """Return the record ids of the tasks that have waited longest, the oldest task first.

        None where they are not known: the broker is away, or the oldest were sent by another bridge
        or before `forget`. They are known again once workers have taken those.
        """
        try:
            with self._connected() as producer:
                waiting = self._count(producer.channel, FAMILIES[family].queue)
        except BrokerUnavailable:
            self.lengths = {}
            return None
        self.lengths[family] = waiting
        sent = self._sent[family]
        while len(sent) > waiting + SPARE_TASKS:
            sent.popleft()
        oldest = len(sent) - waiting
        return None if oldest < 0 else list(islice(sent, oldest, oldest + MAX_OLDEST))

    def forget(self) -> None:
        """Forget the tasks sent so far: they are not the last ones of their queues any more."""
        for sent in self._sent.values():
            sent.clear()

    def close(self) -> None:
        """Close the connection without waiting for the broker."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.collect()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Yield a producer; after a failure begin with a new connection, a little later."""
        if self.clock() < self._retry_t:
            raise BrokerUnavailable(self.problem)
        try:
            yield self._producer or self._connect()
        except Exception as error:  # the transports' errors have no common class
            self.close()
            self._retry_t = self.clock() + RETRY_AFTER_S
            if not self.problem:
                log.warning("the broker takes no tasks, trying again", reason=repr(error))
            self.problem = f"{self.address}: {error or type(error).__name__}"
            raise BrokerUnavailable(self.problem) from error
        if self.problem:
            self.problem = ""
            log.info("the broker takes tasks again")

    def _connect(self) -> Any:
        self.address = server_urls.broker_address(broker.url())
        self._connection = connection = app.connection_for_write(
            heartbeat=NO_HEARTBEAT,
            connect_timeout=broker.STEP_TIMEOUT_S,
            transport_options={"confirm_publish": True},
        )
        connection.ensure_connection(max_retries=0)
        if connection.transport.driver_type == "amqp":
            # py-amqp waits for a reply without a limit, and ignores its own read time-out.
            connection.connection.sock.settimeout(broker.STEP_TIMEOUT_S)
        self._producer = app.amqp.Producer(connection.channel(), auto_declare=False)
        return self._producer

    def _count(self, channel: Any, queue: str) -> int:
        """Return how many tasks of a queue no worker has fetched."""
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except ChannelError as error:
            if int(error.reply_code) != NOT_FOUND:
                raise
            # AMQP closes the channel. On a new connection the next task declares the queue again.
            self.close()
            return 0
