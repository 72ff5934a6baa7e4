"""Celery's settings, derived from VTOX's settings and the fault registry.

The stream is the truth: a task may be lost or run twice without harm. Celery's own
acknowledgements are therefore off (`ack_emulation`), which makes it 2 to 4 times faster on Redis.
Idle records are dispatched again from the ledger. `docs/adr/0002-stream-is-the-truth.md` has the
figures. On AMQP a task is acknowledged when it starts, for the same reason:
`docs/howto/use-rabbitmq.md`.
"""

from collections.abc import Callable
from typing import Any

from kombu import Exchange, Queue

from vtox.motor.faults import FAMILIES
from vtox.pipeline.queues import broker

# Looked up each time Celery connects, so that an import needs no server.
_CONNECTION: dict[str, Callable[[], Any]] = {
    "broker_url": broker.url,
    "broker_transport_options": broker.transport_options,
    "broker_use_ssl": broker.tls,
    # A worker takes no task while it is at work on one: behind a record that hangs it would wait,
    # and with a worker that ends it would be lost. Celery can do that on Redis only.
    "worker_disable_prefetch": broker.is_redis,
    # On RabbitMQ an exclusive queue stays locked while it does not know that a link is dead, and
    # ends the worker that comes back by another.
    "control_queue_exclusive": broker.is_redis,
    "control_queue_durable": lambda: not broker.is_redis(),
}


def __getattr__(name: str) -> Any:
    if name in _CONNECTION:
        return _CONNECTION[name]()
    raise AttributeError(name)


broker_connection_timeout = broker.STEP_TIMEOUT_S
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# On AMQP: a worker leaves a connection without any answer after two of these.
broker_heartbeat = 10

# Each with its own exchange and routing key: a bare Queue("x") is bound to the default queue's.
# Redis takes no notice of the type.
_ON_DISK = {"x-queue-type": "quorum"}
task_queues = [
    Queue(f.queue, Exchange(f.queue), routing_key=f.queue, queue_arguments=_ON_DISK)
    for f in FAMILIES.values()
]
task_routes = {f.task: {"queue": f.queue, "routing_key": f.queue} for f in FAMILIES.values()}
task_default_queue = next(iter(FAMILIES))
task_create_missing_queues = False

task_serializer = result_serializer = event_serializer = "json"
accept_content = ["json"]
task_ignore_result = True
# Time on the clock, which says nothing about a record: on a busy host a batch waits for a core. A
# diagnosis that computes for too long is ended by its CPU time (`workers/time_limit.py`). This ends
# a process that waits for something that never comes. Its records count as not started.
task_time_limit = 600

imports = ["workers.turn_short", "workers.bearing", "workers.broken_bar", "workers.celery_signals"]
worker_consumer = "workers.consumer:TaskConsumer"
# One task at a time: the array operations of a batch keep a core busy.
worker_concurrency = 1
worker_prefetch_multiplier = 1
worker_max_tasks_per_child = 20_000
# Time for a pool process to start. Celery's 4 s are too short on a busy host: each one that is late
# would be killed and another one started, for ever. One that does not start at all is replaced
# later.
worker_proc_alive_timeout = 120.0
# Flower asks for events of tasks while it is looked at (`vtox/cli/processes/flower_events.py`).
worker_send_task_events = False
task_send_sent_event = False
worker_hijack_root_logger = False
# A worker that stops by SIGTERM finishes its batch; by SIGQUIT it gets so long. Its unfinished work
# is dispatched again.
worker_soft_shutdown_timeout = 15.0
