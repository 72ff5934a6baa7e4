"""The Celery application, `celery -A vtox`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

import vtox
from vtox.errors import VtoxError
from vtox.faults import FAMILIES


def _config() -> ModuleType:
    """Load our own celeryconfig.py by path.

    By name, a foreign `celeryconfig.py` in the working folder would win, and with it its broker.
    """
    path = Path(vtox.__file__).parent.parent / "celeryconfig.py"
    spec = importlib.util.spec_from_file_location("vtox_celeryconfig", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing: reinstall vtox")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except VtoxError as error:
        # Celery's command line would bury the message under a traceback.
        if "celery" in Path(sys.argv[0]).parts[-2:]:
            raise SystemExit(f"vtox: {error}") from None
        raise
    return module


# By name: whoever has another broker does not load it.
TRANSPORT_ALIASES |= dict.fromkeys(("redis", "rediss"), "vtox.celery_transport:Transport")

app = Celery("vtox")
app.config_from_object(_config())


def send(family: str, record_ids: list[str]) -> None:
    """Send a family's task by name; the process that sends need not know the task."""
    f = FAMILIES[family]
    app.send_task(f.task, args=[record_ids], queue=f.queue, routing_key=f.queue)
