"""Entries trimmed unread are found from the server's figures of the stream."""

from typing import Any

from vtox.pipeline.store.stream.outputs import Extent
from vtox.pipeline.store.stream.stream_reader import Batch, Missed, Position, batch

AT_5 = Position("s", "5-0", 5)


def entries(*numbers: int) -> list[Any]:
    return [(f"{n}-0".encode(), {}) for n in numbers]


def read(start: Position, added: int, there: list[Any], *, complete: bool = True) -> Batch:
    """Read a stream that has had entries 1 to `added`, of which `there` are left."""
    extent = Extent(added, len(there), f"{added}-0")
    after = int(start.entry_id.partition("-")[0])
    unread = [e for e in there if int(e[0].partition(b"-")[0]) > after]
    part = unread if complete else unread[:2]
    return batch(start, extent, part, complete=complete)


def test_a_stream_that_was_not_trimmed_has_no_gap() -> None:
    got = read(AT_5, 8, entries(*range(1, 9)))
    assert (got.missed, got.end) == (None, Position("s", "8-0", 8))


def test_trimming_of_what_was_read_is_no_gap() -> None:
    assert read(AT_5, 8, entries(6, 7, 8)).missed is None


def test_trimming_of_what_was_not_read_is_one() -> None:
    assert read(AT_5, 9, entries(8, 9)).missed == Missed("s", "5-0", "8-0", 2)


def test_a_stream_that_was_trimmed_to_nothing_ends_the_gap_at_its_last_entry() -> None:
    got = read(AT_5, 9, [])
    assert got.missed == Missed("s", "5-0", "9-0", 4)
    assert got.end == Position("s", "9-0", 9)
    assert read(got.end, 9, []).missed is None


def test_what_was_trimmed_before_the_first_start_is_no_gap() -> None:
    got = read(Position("s"), 9, entries(8, 9))
    assert (got.missed, got.end) == (None, Position("s", "9-0", 9))


def test_a_read_of_a_part_counts_what_it_read() -> None:
    got = read(AT_5, 12, entries(*range(8, 13)), complete=False)
    assert got.end == Position("s", "9-0", 9)
    assert read(got.end, 12, entries(11, 12)).missed == Missed("s", "9-0", "11-0", 1)


def test_a_server_that_lost_entries_counts_from_less() -> None:
    assert read(Position("s", "5-0", 50), 9, entries(*range(1, 10))).missed is None


def test_a_deleted_entry_that_was_read_is_no_gap() -> None:
    assert read(AT_5, 8, entries(1, 3, 5, 6, 7, 8)).missed is None
