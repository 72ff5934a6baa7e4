from dataclasses import replace

from vtox.bridge.deduplication import Seen, mark
from vtox.wire import Header

H = Header("M", "", 0, 1000.0, 1e4, 10_000, 20_000, ("ia",), None, None, None)


def window(seq: int, t0: float | None = None, **changes: object) -> Header:
    return replace(H, seq=seq, t0=1000.0 + seq if t0 is None else t0, **changes)  # type: ignore


def test_sent_twice_counts_once() -> None:
    seen = Seen(16)
    assert seen.admit(window(1), "1-0") == ("new", [])
    assert seen.admit(window(1), "2-0") == ("duplicate", [])


def test_the_same_entry_met_again_is_no_duplicate() -> None:
    seen = Seen(16)
    seen.admit(window(1), "1-0")
    assert seen.admit(window(1), "1-0") == ("again", [])


def test_known_seq_with_another_start_is_a_new_run() -> None:
    seen = Seen(64)
    for n in range(3):
        seen.admit(window(n), f"{n + 1}-0")
    assert seen.run_of(window(2)) == ""
    restarted = [window(n, 5000.0 + n) for n in range(3)]
    for n, h in enumerate(restarted):
        assert seen.admit(h, f"{n + 10}-0")[0] == "new"
        assert seen.run_of(h) == "#1"
    assert seen.admit(window(0), "30-0")[0] == "duplicate", "a late copy from before the restart"


def test_runs_are_told_apart() -> None:
    seen = Seen(16)
    assert seen.admit(window(1, run="a"), "1-0")[0] == "new"
    assert seen.admit(window(1, run="b"), "2-0")[0] == "new"


def test_memory_is_bounded_and_says_what_it_forgot() -> None:
    seen = Seen(8)
    forgotten = [f for n in range(100) for f in seen.admit(window(n), f"{n}-0")[1]]
    assert len(seen.marks) == 8
    assert len(seen.starts) == 8
    assert forgotten == [mark(window(n)) for n in range(92)]


def test_restored_memory_judges_as_the_first_did() -> None:
    seen = Seen(64)
    for n, h in enumerate([window(0), window(1), window(0, 50.0), window(1, 51.0)]):
        seen.admit(h, f"{n + 1}-0")
    restored = Seen.restored(64, dict(reversed(seen.marks.items())))
    assert restored.marks == seen.marks
    assert restored.epoch == seen.epoch
    assert restored.admit(window(1, 51.0), "99-0")[0] == "duplicate"


def test_a_dead_letter_sent_again_is_new_and_no_restart() -> None:
    seen = Seen(16)
    seen.admit(window(1), "1-0")
    again = window(1, replay_of="77-0")
    assert seen.admit(again, "2-0")[0] == "new"
    assert seen.epoch == {}
    assert seen.run_of(again) == "~replay-"


def test_a_dead_letter_of_an_earlier_run_is_no_restart_after_one_of_the_bridge() -> None:
    seen = Seen(16)
    for n, h in enumerate([window(0), window(0, 50.0), window(0, replay_of="1-0")]):
        seen.admit(h, f"{n + 1}-0")
    assert seen.run_of(window(1, 51.0)) == "#1"
    assert Seen.restored(16, seen.marks).run_of(window(1, 51.0)) == "#1"
