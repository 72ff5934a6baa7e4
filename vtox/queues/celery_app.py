"""The Celery application, `celery -A vtox`."""

import base64
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

from celery import Celery
from celery.signals import celeryd_init
from kombu.transport import TRANSPORT_ALIASES

import vtox
from vtox.faults import FAMILIES
from vtox.store.client import Client
from vtox.store.task_lists import oldest_messages

# Format of what a task carries. A task without `v` is of version 1; further arguments, of a later
# version of VTOX, are ignored.
TASK_VERSION = 1
# As many as a queue has messages in full flight; of more, the oldest tell enough.
MAX_WAITING_TASKS = 16


def _config() -> ModuleType:
    """Load our own celeryconfig.py by path.

    By name, a foreign `celeryconfig.py` in the working folder would be loaded, with its broker.
    """
    path = Path(vtox.__file__).parent.parent / "celeryconfig.py"
    spec = importlib.util.spec_from_file_location("vtox_celeryconfig", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing: reinstall vtox")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# As a string: with another broker it is not loaded.
TRANSPORT_ALIASES |= dict.fromkeys(("redis", "rediss"), "vtox.queues.celery_transport:Transport")

app = Celery("vtox")
app.config_from_object(_config())


@celeryd_init.connect  # type: ignore[untyped-decorator]
def _require_broker(conf: Any, **_: Any) -> None:
    """End a worker without a server before Celery prints anything."""
    _ = conf.broker_url


def send(family: str, record_ids: list[str]) -> None:
    """Send the task of a fault family by name, so that the sender need not import it."""
    f = FAMILIES[family]
    app.send_task(f.task, args=[record_ids], queue=f.queue, routing_key=f.queue)


def waiting_tasks(client: Client, family: str) -> list[list[str]]:
    """Return the record ids of the tasks that have waited longest for a worker, oldest first.

    Empty where none waits, or where the broker is not the server of `client`.
    """
    messages = oldest_messages(client, FAMILIES[family].queue, MAX_WAITING_TASKS)
    return [_record_ids(message) for message in messages]


def _record_ids(message: bytes) -> list[str]:
    """Return the record ids of a task as kombu keeps it (message protocol 2, JSON in base64).

    Of what another program has put into the queue, none.
    """
    try:
        record_ids = json.loads(base64.b64decode(json.loads(message)["body"]))[0][0]
        return [i for i in record_ids if isinstance(i, str)]
    except (ValueError, TypeError, LookupError):
        return []
