"""A worker in a separate process, and messages that it refuses."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kombu import Connection, Producer

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client

SECRET = "not-for-the-log"
QUEUE = "bearing"
TASK = FAMILIES[QUEUE].task


@contextmanager
def worker(
    client: Client, log: Path, *options: str, queue: str = QUEUE, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker of a queue until the block ends; it has sent a heartbeat."""
    others = client.scard(keys.WORKERS)
    name = f"w{others or ''}@%h"
    command = [sys.executable, "-m", "celery", "-A", "vtox", "worker", "-Q", queue, "-n", name]
    command += options
    given = {"VTOX_WORKER_PORT": str(free_ports(1)[0])} | settings
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | given, stdout=out, stderr=out)
    try:
        eventually(lambda: client.scard(keys.WORKERS) > others, 60, log.read_text)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def send_strange_messages(connection: Connection) -> int:
    """Send messages that are no task of the bridge to the queue; return how many."""
    task = {"headers": {"task": TASK, "id": "1"}, "serializer": "json"}
    named: list[tuple[Any, dict[str, Any]]] = [
        ([[[SECRET]], {}, {}], task | {"serializer": "pickle"}),
        ([[[SECRET]], {}, {}], task | {"headers": {"task": "os.system", "id": "1"}}),
        ([[[SECRET]], {}, {}], task | {"headers": {"task": TASK, "id": "1", "eta": "2999-01-01"}}),
        ([[[SECRET]], {}, {}], {"serializer": "json"}),
        ([[SECRET, 5], {}, {}], task),
        ([[[5]], {}, {}], task),
        ({"task": TASK, "id": "1", "args": [[SECRET]]}, {"serializer": "json"}),
        (SECRET, task),
    ]
    raw: list[tuple[bytes, dict[str, Any]]] = [
        (pickle.dumps(SECRET), {"content_type": "application/json", "headers": task["headers"]}),
        (b"\xff" + SECRET.encode(), {"content_type": "text/plain"}),
        (b"{" + SECRET.encode(), {"content_type": "application/json", "headers": task["headers"]}),
        (b"1", {"headers": task["headers"] | {"compression": "application/x-gzip"}}),
        (b"", {"content_type": "none", "content_encoding": "none"}),
    ]
    with Producer(connection) as producer:
        for body, options in named:
            producer.publish(body, exchange=QUEUE, routing_key=QUEUE, **options)
        for body, options in raw:
            options = {"content_encoding": "binary"} | options
            producer.publish(body, exchange=QUEUE, routing_key=QUEUE, **options)
    return len(named) + len(raw)


def tasks_done(client: Client) -> int:
    """Return how many tasks the one worker has finished."""
    (name,) = client.smembers(keys.WORKERS)
    return int(client.hget(keys.worker(name.decode()), "tasks_done") or 0)
