"""Reads the system's results for the windows of one sender from the results stream."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import STATES
from vtox.pipeline.client.reader import Reader
from vtox.pipeline.store.stream.entries import Result


@dataclass(slots=True)
class Answers:
    """The results of some runs; `windows` is run -> number of its windows."""

    windows: Mapping[str, int]
    results: list[Result] = field(default_factory=list)

    def missing(self) -> int:
        """Return how many windows some family has not answered yet, summed over the families."""
        records = {(r.run, r.family, r.first_seq, r.last_seq) for r in self.results}
        answered = sum((last or 0) - (first or 0) + 1 for _, _, first, last in records)
        return max(0, sum(self.windows.values()) * len(FAMILIES) - answered)

    def of(self, run: str, fault: str) -> list[Result]:
        """Return the results for one fault in one run, in order of time."""
        mine = [r for r in self.results if r.run == run and r.fault == fault]
        return sorted(mine, key=lambda r: r.t_start or 0.0)

    def counts(self, run: str, fault: str) -> dict[str, int]:
        """Return state -> number of records with that answer."""
        states = [r.state for r in self.of(run, fault)]
        return {s: states.count(s) for s in STATES if s in states}


def follow(
    reader: Reader, answers: Answers, machine_id: str, after: str, quiet_s: float
) -> Iterator[Answers]:
    """Add results as they come, until none is missing or none came for `quiet_s`."""
    last_result_t = time.monotonic()
    items = reader.results([machine_id], after=after, quiet_s=quiet_s)
    while answers.missing() and time.monotonic() - last_result_t < quiet_s:
        item = next(items, None)
        if item is None:
            return
        if item.value.run in answers.windows:
            answers.results.append(item.value)
            last_result_t = time.monotonic()
        yield answers
