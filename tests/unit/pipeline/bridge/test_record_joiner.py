from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtox.pipeline.bridge.record_joiner import ClosedRecord, Joiner, Piece, batches
from vtox.pipeline.windows.wire import Header

FAMILIES = {"short": 1.0, "long": 10.0}


def joining(lengths: dict[str, float] = FAMILIES, **options: int) -> Joiner:
    """Return a joiner whose records have these lengths for every machine."""
    return Joiner(lambda family, machine_id: lengths[family], **options)


H = Header("M", "", 0, 1000.0, 1e4, 10_000, 20_000, ("ia",), None, None, None)


def piece(
    seq: int, families: frozenset[str] = frozenset(FAMILIES), run: str = "", **changes: object
) -> Piece:
    h = replace(H, seq=seq, t0=1000.0 + seq)
    return Piece(f"{seq + 1}-0", run, replace(h, **changes), families)  # type: ignore


def seqs(closed: list[ClosedRecord], family: str) -> list[tuple[int, int, str]]:
    """First and last seq of the records of a family, with the code of why they ended early."""
    return [
        (c.record.first_seq, c.record.last_seq, c.record.closed.code if c.record.closed else "")
        for c in closed
        if c.family == family
    ]


def feed(joiner: Joiner, *pieces: Piece, now: float = 0.0) -> list[ClosedRecord]:
    return [c for p in pieces for c in joiner.add(p, now)]


def test_windows_become_records_of_each_length() -> None:
    joiner = joining({"short": 1.0, "long": 3.0})
    closed = feed(joiner, *(piece(n) for n in range(20)))
    assert seqs(closed, "short") == [(n, n, "") for n in range(20)]
    first, *rest = seqs(closed, "long")
    assert 3 <= first[1] + 1 < 6, "the first is longer by the machine's share"
    assert all(b - a == 2 for a, b, _ in rest)
    ids = closed[-1].record.ids.split()
    assert len(ids) == closed[-1].record.windows


def test_a_window_longer_than_a_record_is_a_record_of_its_own_length() -> None:
    bearing = frozenset({"bearing"})
    long = [replace(piece(n, bearing, samples=60_000).header, t0=6.0 * n) for n in range(3)]
    closed = feed(
        joining({"bearing": 2.0}), *(Piece(f"{h.seq + 1}-0", "", h, bearing) for h in long)
    )
    assert seqs(closed, "bearing") == [(n, n, "") for n in range(3)]
    assert [c.record.t_end - c.record.t_start for c in closed] == [6.0] * 3


@pytest.mark.parametrize("windows", [1, 2, 10])
def test_as_many_records_of_a_fleet_end_with_each_window(windows: int) -> None:
    ends: Counter[int] = Counter()
    for n in range(100 * windows):
        joiner = joining({"long": float(windows)})
        machine = (
            piece(k, frozenset({"long"}), machine_id=f"V{n:04d}") for k in range(2 * windows)
        )
        ends[feed(joiner, *machine)[0].record.last_seq] += 1
    assert set(ends) == set(range(windows - 1, 2 * windows - 1))
    assert all(70 <= n <= 130 for n in ends.values())


def test_slightly_out_of_order_is_put_in_order() -> None:
    closed = feed(
        joining({"short": 1.0}), *(piece(n, frozenset({"short"})) for n in (0, 2, 3, 1, 4))
    )
    assert [c.record.first_seq for c in closed] == [0, 1, 2, 3, 4]


def test_a_gap_ends_the_record() -> None:
    joiner = joining(FAMILIES, reorder=2)
    closed = feed(joiner, *(piece(n) for n in (0, 1, 2, 5, 6, 7)))
    assert seqs(closed, "long") == [(0, 2, "ended_by_missing_window")]
    assert [c.record.closed.values for c in closed if c.record.closed] == [{"seq": 3}]


def test_late_windows_open_a_record_of_their_own() -> None:
    joiner = joining(FAMILIES, reorder=1)
    closed = feed(joiner, *(piece(n) for n in (0, 1, 3, 4)), piece(2))
    assert seqs(closed, "long")[-1] == (2, 2, "ended_by_late_window")


@pytest.mark.parametrize(
    ("changes", "code", "values"),
    [
        ({"fs_hz": 5000.0}, "ended_by_rate_change", {"before_hz": 10_000.0, "after_hz": 5000.0}),
        ({"channels": ("ia", "ib")}, "ended_by_channel_change", {}),
        ({"t0": 1010.0}, "ended_by_gap", {"gap_s": 8.0}),
    ],
)
def test_what_cannot_be_joined_ends_a_record(
    changes: dict[str, object], code: str, values: dict[str, float]
) -> None:
    joiner = joining()
    closed = feed(joiner, piece(0), piece(1), piece(2, **changes))
    assert seqs(closed, "long") == [(0, 1, code)]
    assert [dict(c.record.closed.values) for c in closed if c.record.closed] == [values]


def test_silence_ends_a_record_and_frees_the_machine() -> None:
    joiner = joining()
    feed(joiner, piece(0), piece(1), piece(3))
    assert joiner.expire(now=1.0) == []
    closed = joiner.expire(now=4.0)
    assert seqs(closed, "long") == [(0, 1, "ended_by_missing_window"), (3, 3, "ended_by_silence")]
    assert joiner.bytes == 0
    assert joiner.expire(now=99.0) == []


def test_a_machine_that_sends_is_never_silent_and_shorter_windows_make_it_so_sooner() -> None:
    joiner = joining()
    for n in range(20):
        joiner.add(piece(n), now=float(n))
        assert joiner.expire(now=n + 0.9) == []
    long = {"samples": 600_000, "t0": 2000.0}
    joiner.add(piece(20, **long), now=20.0)
    assert joiner.expire(now=100.0) == []
    joiner.add(piece(21, t0=2060.0), now=100.0)
    assert [c.family for c in joiner.expire(now=103.5)] == ["long"]
    assert joiner.expire(now=500.0) == []


def test_a_sender_that_began_anew_beyond_the_horizon() -> None:
    joiner = joining()
    closed = feed(joiner, piece(900), piece(901), piece(0, t0=9000.0), piece(1, t0=9001.0))
    assert seqs(closed, "long") == [(900, 901, "ended_by_restart")]
    assert joiner.add(piece(2, t0=9002.0), 0.0)


def test_open_records_are_shed_at_the_limit() -> None:
    joiner = joining()
    feed(joiner, *(piece(0, machine_id=f"V{n}") for n in range(10)))
    assert joiner.bytes == 10 * H.nbytes
    closed = joiner.close_oldest(4 * H.nbytes)
    assert len(closed) == 6
    assert joiner.bytes == 4 * H.nbytes


def test_families_already_assigned_are_left_alone() -> None:
    joiner = joining()
    closed = feed(joiner, piece(0, frozenset({"long"})), piece(1))
    assert seqs(closed, "short") == [(1, 1, "")]


@given(st.lists(st.integers(0, 30), max_size=60, unique=True))
def test_each_window_is_in_one_record_of_each_family(order: list[int]) -> None:
    joiner = joining({"short": 1.0, "long": 4.0})
    closed = feed(joiner, *(piece(n) for n in order)) + joiner.expire(now=1e9)
    for family in ("short", "long"):
        ids = [i for c in closed if c.family == family for i in c.record.ids.split()]
        assert sorted(ids) == sorted(f"{n + 1}-0" for n in order)
    assert joiner.bytes == 0


def test_batches_are_cut_by_windows() -> None:
    closed = feed(joining({"long": 4.0}), *(piece(n, frozenset({"long"})) for n in range(80)))
    rows = [(c.record.record_id("long"), c.record) for c in closed]
    cut = list(batches(rows, 10))
    assert [r for b in cut for r in b] == rows
    assert all(sum(r.windows for _, r in b) <= 10 for b in cut)
    assert list(batches([], 10)) == []
