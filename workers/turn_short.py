"""The task of queue `turn_short`: stator inter-turn short and insulation."""

from collections.abc import Mapping
from types import MappingProxyType

from vtox.motor.faults import FAMILIES
from vtox.pipeline.queues.celery_app import app
from workers.batch import work


@app.task(name=FAMILIES["turn_short"].task)
def turn_short(
    record_ids: list[str],
    *_: object,
    v: int = 1,
    partition: int = 0,
    packages: Mapping[str, str] = MappingProxyType({}),
    **__: object,
) -> int:
    """Diagnose a batch of records; return how many this call finished."""
    return work("turn_short", record_ids, v, partition, packages)
