"""VTOX: condition monitoring for fleets of electric motors.

The public names load on first use, so that the bridge and the API do not pay for scipy or Celery.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Recording": "vtox.values.domain",
    "Motor": "vtox.values.domain",
    "Bearing": "vtox.values.domain",
    "Baseline": "vtox.values.baseline",
    "read": "vtox.files.recordings",
    "ReadOptions": "vtox.files.matching",
    "diagnose": "vtox.diagnosis.diagnosis",
    "history": "vtox.records.tables.history",
    "motor_start": "vtox.diagnosis.diagnosers.current.motor_start",
    "learn_baseline": "vtox.diagnosis.learning.fit",
    "app": "vtox.pipeline.queues.celery_app",
}
__all__ = [
    "Baseline",
    "Bearing",
    "Motor",
    "ReadOptions",
    "Recording",
    "app",
    "diagnose",
    "history",
    "learn_baseline",
    "motor_start",
    "read",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
