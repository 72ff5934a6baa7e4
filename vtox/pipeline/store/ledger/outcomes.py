"""What workers commit, and the arguments of `commit.lua` that are made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vtox.pipeline.store.ledger.heartbeats import LIFE_S

# Latencies are counted in buckets 10 % wide: a percentile computed from them is right to 5 %.
BUCKET_BASE = 1.1
# Share of `VTOX_KEEP__EVIDENCE` that may be written in a second: the bridge trims once a second,
# and a dip of the supply may make a thousand machines `warning` at once.
_EVIDENCE_SHARE_PER_S = 0.25

Text = Sequence[str | bytes]
Argument = str | bytes | int | float


class Outcome(NamedTuple):
    """What a worker commits for one record, as flat lists of field and value for the server.

    `version` is that of the machine on which the outcome builds, `next_version` the one it makes;
    `fingerprint` is that of its assessment, empty where the outcome leaves the assessment alone.
    """

    record_id: str
    version: str
    next_version: str
    machine: Text
    results: Sequence[Text]
    assessments: Sequence[Text]
    alerts: Sequence[Text]
    evidence: bool
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker counts of itself with a commit, since the last one: tasks and times, s.

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
    shapes   their number; of each the number of its names, then the names of the fields
    records  of each the number of arguments that follow: version, next version, evidence (0 or
             1), fingerprint, then four lists: the machine (one entry), results, assessments,
             alerts
    a list   the number of its entries; of each the number of its shape, from 1, then its values
    =======  ================================================================================

    Names are sent once: a third of all arguments, each of which costs both sides 0.1 us.
    """
    shapes: dict[tuple[str | bytes, ...], int] = {}
    records: list[Argument] = []
    for o in outcomes:
        records += _record(o, shapes)
    arguments: list[Argument] = [*of_family, BUCKET_BASE, int(evidence_bytes)]
    arguments += [int(_EVIDENCE_SHARE_PER_S * evidence_bytes), *_counts(work)]
    arguments += [o.record_id for o in outcomes]
    arguments.append(len(shapes))
    for names in shapes:
        arguments += [len(names), *names]
    return arguments + records


def _record(o: Outcome, shapes: dict[tuple[str | bytes, ...], int]) -> list[Argument]:
    """Return the arguments of a record; its new shapes get the next numbers."""
    own: list[Argument] = [0, o.version, o.next_version, int(o.evidence), o.fingerprint]
    for entries in ([o.machine], o.results, o.assessments, o.alerts):
        own.append(len(entries))
        for fields in entries:
            own.append(shapes.setdefault(tuple(fields[::2]), len(shapes) + 1))
            own += fields[1::2]
    own[0] = len(own) - 1
    return own


def _counts(work: Work | None) -> Sequence[Argument]:
    if work is None:
        return ("",) * 5
    times = (work.diagnosis_s, work.busy_s, work.taken_s)
    return [work.tasks, *(f"{t:.6f}" for t in times), LIFE_S]
