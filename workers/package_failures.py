"""Logs the faults of packages whose code raised, each error once in a process."""

from collections.abc import Sequence
from functools import lru_cache

import structlog

from vtox.motor.faults import FAILED, PACKAGES
from vtox.motor.values.domain import Answer

log = structlog.get_logger()


def report_failures(answers: Sequence[Sequence[Answer]]) -> None:
    """Log the failures among the answers for a batch."""
    for fault, error in {(a.fault, a.reason) for r in answers for a in r if a.code == FAILED}:
        _report(fault, error)


@lru_cache(maxsize=64)
def _report(fault: str, error: str) -> None:
    package = PACKAGES[fault].package
    log.error("a package failed: its fault is unknown", fault=fault, package=package, reason=error)
