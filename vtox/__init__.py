"""VTOX: condition monitoring for fleets of electric motors.

The public names load on first use, so that the bridge and the API do not pay for scipy or Celery.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Recording": "vtox.domain",
    "Motor": "vtox.domain",
    "Bearing": "vtox.domain",
    "Baseline": "vtox.baseline",
    "read": "vtox.files.recordings",
    "ReadOptions": "vtox.files.matching",
    "diagnose": "vtox.diagnosis",
    "motor_start": "vtox.diagnosers.current.motor_start",
    "learn_baseline": "vtox.learning.fit",
    "app": "vtox.queues.celery_app",
}
__all__ = [
    "Baseline",
    "Bearing",
    "Motor",
    "ReadOptions",
    "Recording",
    "app",
    "diagnose",
    "learn_baseline",
    "motor_start",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
