"""Decides which queues each worker serves, and which port it has. Pure.

A window is finished when every family has finished it, so the family that is furthest behind
counts. A worker of several queues takes a task of each in turn, and time that one family does not
need is left to the others. So shared workers divide themselves by the families' costs.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, count

from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration.settings import Settings

ALL_QUEUES = tuple(f.queue for f in FAMILIES.values())


def allocate_queues(workers: int, queues: Sequence[str] = ALL_QUEUES) -> list[tuple[str, ...]]:
    """Return the queues of each worker of a host that serves `queues`.

    With fewer workers than queues each serves all of them, and none works while another has
    nothing to do. From there on each queue has its own worker, which no other family can delay,
    and further workers serve all queues.
    """
    every = tuple(queues)
    if workers < len(every):
        return [every] * workers
    own = [(queue,) for queue in every]
    return own + [every] * (workers - len(own))


def worker_ports(settings: Settings, queues: Sequence[str]) -> Iterator[int]:
    """Yield the ports that a worker may have, the one it has if that is free first.

    Each queue has one, which its workers take; after those are the ports of further workers.
    """
    first = settings.worker_port
    own = (first + i for i, queue in enumerate(ALL_QUEUES) if queue in queues)
    for port in chain(own, count(first + len(ALL_QUEUES))):
        if port == first or port not in settings.fixed_ports:
            yield port


def removable_worker(allocated: Sequence[Sequence[str]]) -> int | None:
    """Return the place of the worker to stop first, so that every queue keeps one; None: none.

    The last one that serves most queues: the ones with one queue stay.
    """
    for place in sorted(range(len(allocated)), key=lambda i: (-len(allocated[i]), -i)):
        left = {queue for i, queues in enumerate(allocated) if i != place for queue in queues}
        if left.issuperset(allocated[place]):
            return place
    return None
