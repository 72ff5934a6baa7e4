"""The task of queue `broken_bar`: broken rotor bars."""

from collections.abc import Mapping
from types import MappingProxyType

from vtox.motor.faults import FAMILIES
from vtox.pipeline.queues.celery_app import app
from workers.batch import work


@app.task(name=FAMILIES["broken_bar"].task)
def broken_bar(
    record_ids: list[str],
    *_: object,
    v: int = 1,
    partition: int = 0,
    packages: Mapping[str, str] = MappingProxyType({}),
    **__: object,
) -> int:
    """Diagnose a batch of records; return how many this call finished."""
    return work("broken_bar", record_ids, v, partition, packages)
