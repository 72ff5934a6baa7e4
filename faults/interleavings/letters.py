"""Finds dead letters that no event of the run explains: these are no answer to a window."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from faults.interleavings.events import CLOCK, TASK_OTHER, Event, Place
from vtox.pipeline.store.ledger.ledger import MAX_ATTEMPTS
from vtox.pipeline.store.stream.deadletters import DeadLetter

Happened = Mapping[Place, tuple[str, Event]]
# Stream and id of an entry.
Entry = tuple[str, str]


def unexplained(
    letters: Iterable[DeadLetter], happened: Happened, deleted: Set[Entry]
) -> list[DeadLetter]:
    """Return the dead letters to which no operator and no event led.

    A record is buried as a whole, by one script: one deleted entry explains its other windows.
    """
    records: defaultdict[tuple[str, ...], list[DeadLetter]] = defaultdict(list)
    for x in letters:
        records[x.stream, x.family, x.machine_id, x.code, x.id.partition("-")[0]].append(x)
    return [
        x
        for record in records.values()
        if not _is_explained(record, happened, deleted)
        for x in record
    ]


def _is_explained(record: list[DeadLetter], happened: Happened, deleted: Set[Entry]) -> bool:
    first = record[0]
    if first.code == "samples_missing":
        return any((x.stream, x.stream_id) in deleted for x in record)
    if first.code == "unknown_version":
        return any(event.kind == TASK_OTHER for _, event in happened.values())
    return first.code == "poison" and _failed_starts(first.family, happened) >= MAX_ATTEMPTS


def _failed_starts(family: str, happened: Happened) -> int:
    """Return how many starts of a record may have failed: by its workers, or by a clock."""
    return sum(
        name.rpartition("-")[0] == family or event.kind == CLOCK
        for (name, _), (_, event) in happened.items()
    )
