"""VTOX: condition monitoring for fleets of electric motors.

The public names load on first use, so that the bridge and the API do not pay for scipy or Celery.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Recording": "vtox.motor.values.domain",
    "Motor": "vtox.motor.values.domain",
    "Bearing": "vtox.motor.values.domain",
    "Baseline": "vtox.motor.values.baseline",
    "read": "vtox.motor.files.recordings",
    "ReadOptions": "vtox.motor.files.matching",
    "diagnose": "vtox.motor.diagnosis.diagnosis",
    "history": "vtox.reporting.tables.history",
    "motor_start": "vtox.motor.diagnosis.diagnosers.current.motor_start",
    "learn_baseline": "vtox.motor.diagnosis.learning.fit",
    "app": "vtox.pipeline.queues.celery_app",
}
# Names that need more than the small installation -> the extras that have it.
_EXTRAS = {"app": "fleet", "history": "fleet,tables"}
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
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if name not in _EXTRAS:
            raise
        how = import_module("vtox.pipeline.configuration.version").install_command(_EXTRAS[name])
        needs = f"vtox.{name} needs the package {error.name}, which is not installed"
        raise import_module("vtox.motor.errors").InputError(needs, remedy=how) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
