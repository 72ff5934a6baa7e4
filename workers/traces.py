"""The spans of a worker: the times of a batch, in the trace of each window that is followed."""

import time
from collections.abc import Iterable

from vtox.motor.values.domain import Answer, Record
from vtox.pipeline.windows.tracing import Span, Tracing


class Stopwatch:
    """The pieces of work of one batch, one after another."""

    def __init__(self) -> None:
        self.laps: list[Span] = []
        self._t = time.time()

    def lap(self, name: str) -> None:
        """End a piece of work: the next one begins now."""
        now = time.time()
        self.laps.append(Span(name, self._t, now))
        self._t = now


def trace_batch(
    tracing: Tracing,
    worker: str,
    family: str,
    finished: Iterable[tuple[Record, Iterable[Answer]]],
    clock: Stopwatch,
) -> None:
    """Add the times of the batch to the traces of the windows whose records it has finished."""
    whole = Span(family, clock.laps[0].start_t, clock.laps[-1].end_t)
    for record, diagnoses in finished:
        about = {"vtox.record_id": record.record_id(family), "vtox.worker": worker}
        about |= {f"vtox.{d.fault}": f"{d.state}: {d.code}" for d in diagnoses}
        for parent in record.traces.split():
            tracing.add(whole, parent, about, clock.laps)
