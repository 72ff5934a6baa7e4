"""The outcomes that workers commit, and the arguments of `commit.lua` made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, NamedTuple

from vtox.pipeline.store.ledger.heartbeats import LIFE_S
from vtox.pipeline.store.stream.entries import Entry

# Latencies are counted in buckets 10 % wide: a percentile computed from them is right to 5 %.
BUCKET_BASE = 1.1
# Share of `VTOX_KEEP__EVIDENCE` that may be written in a second. The bridge trims once a second,
# and a dip of the supply may make a thousand machines `warning` at once.
_EVIDENCE_SHARE_PER_S = 0.25

Argument = str | bytes | int | float


class Outcome(NamedTuple):
    """The outcome of one record, as entries for the server.

    `version` is that of the machine on which the outcome builds, `next_version` the one it makes;
    `fingerprint` is that of its assessment, empty if the outcome leaves the assessment alone.
    """

    record_id: str
    version: str
    next_version: str
    machine: Entry
    results: Sequence[Entry]
    assessments: Sequence[Entry]
    alerts: Sequence[Entry]
    evidence: bool
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A worker's counts of itself in a commit, since the last one: tasks and times, s.

    `taken_s` is how long ago it took the task. The script adds the windows that it commits.
    """

    worker: str
    tasks: int
    diagnosis_s: float
    busy_s: float
    taken_s: float


def commit_arguments(
    of_family: Sequence[Argument],
    evidence_bytes: float,
    outcomes: Sequence[Outcome],
    work: Work | None,
) -> list[Argument]:
    """Return `ARGV` of `commit.lua`: nothing else knows the order of its arguments.

    =======  ================================================================================
    1 to 4   family, its index, number of families, consumer group
    5        base of the buckets of latencies
    6, 7     bytes of evidence that are kept, and bytes of it that are written in a second
    8 to 12  of the worker: tasks, diagnosis, busy, time since it took the task, life of its
             counts, s; all are empty without `work`
    13 ...   ids of the records, as many as there are keys behind the 17th
    shapes   their number; of each a sign a field (1: its value is the same in all entries), the
             names of the fields, then the values that are the same
    records  of each the number of arguments that follow: version, next version, evidence (0 or
             1), fingerprint, then four lists: the machine (one entry), results, assessments,
             alerts
    a list   the number of its entries; of each the number of its shape, from 1, then its other
             values
    =======  ================================================================================

    Entries go by columns: names, and values that all entries of a shape have, are sent once. Each
    argument costs both sides 0.1 us or more.
    """
    shapes: dict[tuple[Any, ...], _Shape] = {}
    placed = [_placed(o, shapes) for o in outcomes]
    for shape in shapes.values():
        shape.split()
    arguments: list[Argument] = [*of_family, BUCKET_BASE, int(evidence_bytes)]
    arguments += [int(_EVIDENCE_SHARE_PER_S * evidence_bytes), *_counts(work)]
    arguments += [o.record_id for o in outcomes]
    arguments.append(len(shapes))
    for shape in shapes.values():
        arguments += (shape.signs, *shape.names, *shape.same)
    for o, lists in zip(outcomes, placed, strict=True):
        own: list[Argument] = [o.version, o.next_version, int(o.evidence), o.fingerprint]
        for of_entries in lists:
            own.append(len(of_entries))
            for shape in of_entries:
                own.append(shape.number)
                own += next(shape.others)
        arguments.append(len(own))
        arguments += own
    return arguments


@dataclass(slots=True)
class _Shape:
    """Entries with the same names at the same place of their records, by columns.

    After the split `same` are the values that all have, `others` the rest of each entry.
    """

    number: int
    names: tuple[str | bytes, ...]
    rows: list[Sequence[str | bytes]] = field(default_factory=list)
    signs: str = ""
    same: Sequence[str | bytes] = ()
    others: Iterator[Sequence[str | bytes]] = field(default_factory=lambda: repeat(()))

    def split(self) -> None:
        """Take the values that all entries have out of the rows."""
        same, others, signs = [], [], ""
        for column in zip(*self.rows, strict=True):
            if len(set(column)) == 1:
                same.append(column[0])
                signs += "1"
            else:
                others.append(column)
                signs += "0"
        self.signs, self.same = signs, same
        self.others = zip(*others, strict=True) if others else repeat(())


def _placed(o: Outcome, shapes: dict[tuple[Any, ...], _Shape]) -> list[list[_Shape]]:
    """Return the shapes of the entries of a record, list by list; they get the rows."""
    lists = []
    for kind, entries in enumerate(((o.machine,), o.results, o.assessments, o.alerts)):
        own = []
        for place, (names, values) in enumerate(entries):
            key = kind, place, names
            if (shape := shapes.get(key)) is None:
                shape = shapes[key] = _Shape(len(shapes) + 1, names)
            shape.rows.append(values)
            own.append(shape)
        lists.append(own)
    return lists


def _counts(work: Work | None) -> Sequence[Argument]:
    if work is None:
        return ("",) * 5
    times = (work.diagnosis_s, work.busy_s, work.taken_s)
    return [work.tasks, *(f"{t:.6f}" for t in times), LIFE_S]
