"""Valid windows: new, met again or duplicate; and the families that still need them."""

from dataclasses import replace

import pytest

from vtox.pipeline.bridge.admission import admission
from vtox.pipeline.bridge.deduplication import DuplicateFilter, mark
from vtox.pipeline.store.ledger.ledger import INDEX
from vtox.pipeline.windows.wire import Header

H = Header("M", "", 7, 1000.0, 1e4, 10_000, 20_000, ("ia",), None, None, None)
ALL = frozenset(INDEX)


def test_a_new_window_is_for_every_family() -> None:
    a = admission(DuplicateFilter(16), H, "1764000000500-0", None)
    assert (a.decision, a.families, a.restarted, a.progress) == ("new", ALL, False, b"---")
    assert (a.mark, a.run, a.forgotten) == (mark(H), "", ())
    assert a.arrived_t == 1_764_000_000.5


def test_a_window_sent_twice_is_a_duplicate() -> None:
    duplicates = DuplicateFilter(16)
    admission(duplicates, H, "1-0", None)
    assert admission(duplicates, H, "2-0", None).decision == "duplicate"


def test_an_entry_read_again_is_for_the_families_that_have_not_assigned_it() -> None:
    duplicates = DuplicateFilter(16)
    admission(duplicates, H, "1-0", None)
    a = admission(duplicates, H, "1-0", b"a-d")
    assert (a.decision, a.families) == ("again", {list(INDEX)[1]})


def test_a_window_with_progress_is_not_new_though_its_mark_is_forgotten() -> None:
    duplicates = DuplicateFilter(16)
    admission(duplicates, H, "1-0", None)
    a = admission(duplicates, replace(H, t0=5000.0), "2-0", b"aaa")
    assert (a.decision, a.restarted, a.families) == ("again", False, frozenset())


def test_a_known_seq_with_another_start_is_a_restart() -> None:
    duplicates = DuplicateFilter(16)
    admission(duplicates, H, "1-0", None)
    a = admission(duplicates, replace(H, t0=5000.0), "2-0", None)
    assert (a.decision, a.restarted, a.run) == ("new", True, "#1")


@pytest.mark.parametrize("family", INDEX)
def test_a_dead_letter_sent_again_is_for_its_family_alone(family: str) -> None:
    h = replace(H, replay_of="1-0", replay_family=family)
    a = admission(DuplicateFilter(16), h, "2-0", None)
    assert (a.decision, a.families, a.restarted) == ("new", {family}, False)
    assert a.progress is not None
    assert a.progress.count(b"d") == len(INDEX) - 1


def test_what_falls_out_of_the_horizon_is_forgotten() -> None:
    duplicates = DuplicateFilter(1)
    admission(duplicates, H, "1-0", None)
    assert admission(duplicates, replace(H, seq=8, t0=1001.0), "2-0", None).forgotten == (mark(H),)
