from dataclasses import replace

from vtox.pipeline.bridge.deduplication import DuplicateFilter, mark
from vtox.pipeline.windows.prints import LAST_PRINT
from vtox.pipeline.windows.wire import Header

H = Header("M", "", 0, 1000.0, 1e4, 10_000, 20_000, ("ia",), None, None, None)


def window(seq: int, t0: float | None = None, **changes: object) -> Header:
    return replace(H, seq=seq, t0=1000.0 + seq if t0 is None else t0, **changes)  # type: ignore


def test_sent_twice_counts_once() -> None:
    duplicates = DuplicateFilter(16)
    assert duplicates.classify(window(1), "1-0") == ("new", [])
    assert duplicates.classify(window(1), "2-0") == ("duplicate", [])


def test_the_same_entry_met_again_is_no_duplicate() -> None:
    duplicates = DuplicateFilter(16)
    duplicates.classify(window(1), "1-0")
    assert duplicates.classify(window(1), "1-0") == ("again", [])


def test_known_seq_with_another_start_is_a_new_run() -> None:
    duplicates = DuplicateFilter(64)
    for n in range(3):
        duplicates.classify(window(n), f"{n + 1}-0")
    assert duplicates.run_of(window(2)) == ""
    restarted = [window(n, 5000.0 + n) for n in range(3)]
    for n, h in enumerate(restarted):
        assert duplicates.classify(h, f"{n + 10}-0")[0] == "new"
        assert duplicates.run_of(h) == "#1"
    assert duplicates.classify(window(0), "30-0")[0] == "duplicate", (
        "a late copy from before the restart"
    )


def test_runs_are_told_apart() -> None:
    duplicates = DuplicateFilter(16)
    assert duplicates.classify(window(1, run="a"), "1-0")[0] == "new"
    assert duplicates.classify(window(1, run="b"), "2-0")[0] == "new"


def test_memory_is_bounded_and_says_what_it_forgot() -> None:
    duplicates = DuplicateFilter(8)
    forgotten = [f for n in range(100) for f in duplicates.classify(window(n), f"{n}-0")[1]]
    assert len(duplicates.marks) == 8
    assert sum(map(len, duplicates.starts.values())) == 8
    assert forgotten == [mark(window(n)) for n in range(92)]


def test_restored_memory_judges_as_the_first_did() -> None:
    duplicates = DuplicateFilter(64)
    for n, h in enumerate([window(0), window(1), window(0, 50.0), window(1, 51.0)]):
        duplicates.classify(h, f"{n + 1}-0")
    restored = DuplicateFilter.restored(64, dict(reversed(duplicates.marks.items())))
    assert restored.marks == duplicates.marks
    assert restored.restarts == duplicates.restarts
    assert restored.classify(window(1, 51.0), "99-0")[0] == "duplicate"


def test_a_dead_letter_sent_again_is_new_and_no_restart() -> None:
    duplicates = DuplicateFilter(16)
    duplicates.classify(window(1), "1-0")
    again = window(1, replay_of="77-0")
    assert duplicates.classify(again, "2-0")[0] == "new"
    assert duplicates.restarts == {}
    assert duplicates.run_of(again) == "~replay-"


def test_a_dead_letter_of_an_earlier_run_is_no_restart_after_one_of_the_bridge() -> None:
    duplicates = DuplicateFilter(16)
    for n, h in enumerate([window(0), window(0, 50.0), window(0, replay_of="1-0")]):
        duplicates.classify(h, f"{n + 1}-0")
    assert duplicates.run_of(window(1, 51.0)) == "#1"
    assert DuplicateFilter.restored(16, duplicates.marks).run_of(window(1, 51.0)) == "#1"


def test_the_newest_window_is_the_one_that_starts_last() -> None:
    duplicates = DuplicateFilter(16)
    assert duplicates.newest() == (0.0, 0.0)
    duplicates.classify(window(7), "7000-0")
    duplicates.classify(window(2, run="back-fill"), "8000-0")
    duplicates.classify(window(9, replay_of="1-0"), "9000-0")
    assert duplicates.newest() == (1007.0, 7.0)


def test_windows_admitted_late_push_out_no_later_ones() -> None:
    """A copy of window 9 came first: windows 1 to 9 lay unadmitted in the pending list."""
    duplicates = DuplicateFilter(8)
    assert duplicates.classify(window(9), "10-0")[0] == "new"
    for n in range(1, 9):
        assert duplicates.classify(window(n), f"{n}-0")[0] == "new"
    assert duplicates.classify(window(9), "9-0")[0] == "duplicate"


def stored(duplicates: DuplicateFilter) -> dict[str, str]:
    """The marks as the server keeps them."""
    return {
        name: f"{entry_id}#{duplicates.epochs[name]}" if name in duplicates.epochs else entry_id
        for name, entry_id in duplicates.marks.items()
    }


def test_windows_keep_their_runs_over_restarts_of_the_bridge() -> None:
    duplicates = DuplicateFilter(5)
    sent = [window(n, 1000.0 * k + n) for k in (1, 5, 9) for n in range(3)]
    runs = []
    for n, h in enumerate(sent):
        duplicates.classify(h, f"{n + 1}-0")
        runs.append(duplicates.run_of(h, f"{n + 1}-0"))
    assert runs == [""] * 3 + ["#1"] * 3 + ["#2"] * 3
    restored = DuplicateFilter.restored(5, stored(duplicates))
    again = [restored.run_of(h, f"{n + 1}-0") for n, h in enumerate(sent)]
    assert again[4:] == runs[4:], "those within the horizon"
    assert again[3] == "#1", "older ones belong to the oldest run that is remembered"
    assert restored.run_of(window(9, 9009.0), "20-0") == "#2"
    assert restored.classify(window(0, 20_000.0), "21-0")[0] == "new"
    assert restored.run_of(window(0, 20_000.0), "21-0") == "#3"


def test_the_print_is_kept_as_a_mark_that_older_readers_pass_over() -> None:
    run, seq, start, replay_of = LAST_PRINT.split("|")
    assert (run, int(seq), int(start), replay_of) == ("", 0, 0, "print")
    stored = {LAST_PRINT: "7-0#|1|5000000| abc", mark(window(1)): "7-0"}
    restored = DuplicateFilter.restored(10, stored)
    assert restored.last_print == ("|1|5000000|", "abc")
    assert list(restored.marks) == [mark(window(1))]
