"""The admission of a window: from the filter of its machine and the progress of its families."""

from functools import cache

from vtox.pipeline.bridge.deduplication import Decision, DuplicateFilter, mark
from vtox.pipeline.store.ledger.ledger import INDEX
from vtox.pipeline.store.stream.admissions import Admission
from vtox.pipeline.windows.wire import Header

_OPEN = b"-" * len(INDEX)


def admission(
    duplicates: DuplicateFilter,
    h: Header,
    entry_id: str,
    progress: bytes | None,
    print_: str = "",
) -> Admission:
    """Return the admission of a window, which the filter of its machine remembers.

    A window with a row of progress was admitted before. Its mark may have fallen out of the horizon
    since: taken for new, it would be counted again and push out the marks of later windows.
    """
    epoch_before = duplicates.epoch_of(h, entry_id)
    decision: Decision = "again"
    forgotten: list[str] = []
    begin = None
    if progress is None:
        decision, forgotten = duplicates.classify(h, entry_id)
        begin = progress = _only(h.replay_family) if h.replay_family else _OPEN
        if decision == "new" and not h.replay_of:
            duplicates.last_print = mark(h), print_
    epoch = duplicates.epoch_of(h, entry_id)
    return Admission(
        entry_id=entry_id,
        header=h,
        decision=decision,
        mark=mark(h),
        epoch=epoch,
        forgotten=tuple(forgotten),
        run=duplicates.run_of(h, entry_id),
        restarted=decision == "new" and epoch != epoch_before and not h.replay_of,
        families=_open_families(progress),
        progress=begin,
        print="" if h.replay_of else print_,
    )


def _only(family: str) -> bytes:
    """Return the progress of a window that one family must see: the others are done with it."""
    return "".join("-" if f == family else "d" for f in INDEX).encode()


@cache
def _open_families(progress: bytes) -> frozenset[str]:
    return frozenset(f for f, i in INDEX.items() if progress[i - 1 : i] == b"-")
