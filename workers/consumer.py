"""The consumer of a worker: takes the bridge's tasks, and refuses every other message.

A refused message is counted and dropped. The log gives the error, but not the content of the
message; Celery itself would log the message, and some of them would end the worker.
"""

import time
from collections.abc import Callable
from typing import Any

import redis
import structlog
from celery.worker import consumer
from kombu.exceptions import ContentDisallowed

from vtox.motor.faults import FAMILIES
from vtox.pipeline.store.ledger.task_queues import count_refused_tasks
from workers.celery_signals import process

log = structlog.get_logger()

TASKS = frozenset(f.task for f in FAMILIES.values())
LOG_EVERY_S = 1.0
# Celery waits 2 s longer after each attempt to reach its broker; after a long outage up to this.
MAX_RETRY_PAUSE_S = 5.0


class TaskConsumer(consumer.Consumer):  # type: ignore[misc]
    """Celery's consumer, which hands only tasks of the bridge to the pool."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc]
        """Its parts, without the 28 queues of delayed tasks: no task of ours is delayed."""

        default_steps = tuple(
            step for step in consumer.Consumer.Blueprint.default_steps if "Delayed" not in step
        )

    def __init__(self, *args: Any, worker_options: dict[str, Any], **kwargs: Any) -> None:
        # A worker has nothing to agree on with others: each message would go to all of them.
        # Celery has options for this on its command line only.
        alone = {"without_gossip": True, "without_mingle": True}
        super().__init__(*args, worker_options=worker_options | alone, **kwargs)
        self.not_logged = 0
        self.next_log_t = 0.0

    def ensure_connected(self, conn: Any) -> Any:
        """Connect to the broker, however long it is away."""
        connect = conn.ensure_connection
        conn.ensure_connection = lambda *args, **kwargs: connect(
            *args, interval_max=MAX_RETRY_PAUSE_S, **kwargs
        )
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Leave the connections of events and of replies too.

        Celery would close the first and go on with the others, and wait on a link that is half-open
        for answers, without a limit and without taking tasks.
        """
        events = self.event_dispatcher and self.event_dispatcher.connection
        if events and events.transport.driver_type == "amqp":
            events.collect()
            self.app.pool.force_close_all(close_pool=False)
            self.app.pool.setup()
        super().on_connection_error_after_connected(exc)

    def create_task_handler(self) -> Callable[[Any], None]:
        """Return the function that is called with each message of the task queues."""
        handle = super().create_task_handler()

        def on_message(message: Any) -> None:
            if fault := _fault_of(message):
                self.refuse(message, fault)
            else:
                handle(message)

        return on_message

    def on_decode_error(self, message: Any, _: Exception) -> None:
        """Refuse a message that cannot even be unpacked."""
        self.refuse(message, "cannot be unpacked")

    def refuse(self, message: Any, fault: str) -> None:
        """Drop a message."""
        message.reject_log_error(log, self.connection_errors)
        self.not_logged += 1
        try:
            count_refused_tasks(process().client, 1)
        except redis.RedisError as error:
            log.warning("a refused message was not counted", reason=str(error))
        if time.monotonic() >= self.next_log_t:
            queue = (message.delivery_info or {}).get("routing_key")
            log.warning(
                "refused what is no task of VTOX",
                messages=self.not_logged,
                fault=fault,
                queue=queue,
                bytes=len(message.body or b""),
            )
            self.not_logged = 0
            self.next_log_t = time.monotonic() + LOG_EVERY_S


def _fault_of(message: Any) -> str:
    """Return the difference of a message from a task of the bridge, empty if there is none."""
    headers = message.headers or {}
    if headers.get("task") not in TASKS or headers.get("eta") is not None:
        return "not the name of a task of VTOX, or delayed"
    try:
        payload = message.payload
    except ContentDisallowed:
        return "content type other than JSON"
    except Exception:  # whatever a decoder raises
        return "cannot be decoded"
    return "" if _is_batch(payload) else "the first argument is no list of record ids"


def _is_batch(payload: Any) -> bool:
    """Return whether a payload is that of Celery's protocol 2, with a list of strings first.

    A later version of VTOX may send further arguments.
    """
    match payload:
        case [[[*record_ids], *_], dict(), _]:
            return all(isinstance(i, str) for i in record_ids)
    return False
