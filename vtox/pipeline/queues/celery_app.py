"""The Celery application, `celery -A vtox`."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from celery import Celery
from celery.signals import celeryd_init
from kombu.transport import TRANSPORT_ALIASES

from vtox.pipeline.queues import broker


def _config() -> ModuleType:
    """Load our own celeryconfig.py by path.

    By name, Celery would load a foreign `celeryconfig.py` of the working folder, with its broker.
    """
    path = Path(__file__).parents[3] / "celeryconfig.py"
    spec = importlib.util.spec_from_file_location("vtox_celeryconfig", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing: reinstall vtox")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# As a string: with another broker it is not loaded.
_TRANSPORTS = "vtox.pipeline.queues.celery_transport"
TRANSPORT_ALIASES |= dict.fromkeys(("redis", "rediss"), f"{_TRANSPORTS}:Transport")
TRANSPORT_ALIASES["sentinel"] = f"{_TRANSPORTS}:SentinelTransport"

app = Celery("vtox")
app.config_from_object(_config())


@celeryd_init.connect  # type: ignore[untyped-decorator]
def _require_broker(conf: Any, **_: Any) -> None:
    """End a worker without a server, or with one it cannot trust, before Celery prints anything."""
    _ = conf.broker_url
    broker.require_trusted()
