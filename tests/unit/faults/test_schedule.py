"""Schedules depend on the seed alone."""

from collections import Counter
from pathlib import Path

import pytest

from faults.__main__ import COLUMNS, explain, row
from faults.check import check
from faults.schedule import COUNTED, KINDS, schedule
from faults.tests import SEEDS, TESTS, UNDISTURBED, fully_diagnosed


def test_a_seed_gives_the_same_schedule_again() -> None:
    assert schedule(7, 60.0, counted=9, others=3) == schedule(7, 60.0, counted=9, others=3)
    assert schedule(7, 60.0, counted=9) != schedule(8, 60.0, counted=9)


def test_kinds_are_spread_evenly_and_targets_fit() -> None:
    made = schedule(3, 100.0, counted=21, others=7)
    kinds = Counter(d.kind for d in made)
    assert {kinds[k] for k in COUNTED} == {7}
    assert all(kinds[k] == 1 for k in KINDS if k not in COUNTED)
    assert all(d.target in KINDS[d.kind][0] for d in made)
    assert [d.at_s for d in made] == sorted(d.at_s for d in made)
    assert all(0 < d.at_s < 100 and d.lasts_s <= KINDS[d.kind][1][1] for d in made)


def test_the_server_and_the_owner_of_the_stream_are_always_killed_and_stopped() -> None:
    for seed in SEEDS["crashes"]:
        made = {(d.kind, d.target) for d in schedule(seed, 60.0, counted=8)}
        assert {(k, t) for k in ("kill", "stop") for t in ("server", "owner")} <= made


def test_every_test_has_a_name_of_its_own() -> None:
    names = [make(1).name for make in TESTS.values()]
    assert len(set(names)) == len(names)
    assert len(SEEDS["crashes"]) == 5
    assert set(SEEDS) <= set(TESTS)


def test_crashes_state_what_is_promised() -> None:
    test = TESTS["crashes"](1)
    assert test.load.windows == 10_000
    assert sum(d.kind in COUNTED for d in test.schedule) >= 20
    assert test.limits["drained_s"] == 60


@pytest.mark.parametrize("name", TESTS)
def test_every_test_asks_for_progress_and_for_recovery(name: str) -> None:
    limits = TESTS[name](1).limits
    assert limits["progress"] >= 0.2
    assert name == UNDISTURBED or limits["recovery_s"] <= 60


def test_on_a_slow_box_a_test_has_more_time_and_fewer_machines() -> None:
    test = TESTS["crashes"](1)
    slow = test.stretched(2.0)
    assert slow.load.windows == test.load.windows
    assert slow.load.span_s == 2 * test.load.span_s
    assert slow.load.machines == test.load.machines / 2
    assert [d.at_s for d in slow.schedule] == [2 * d.at_s for d in test.schedule]


@pytest.mark.parametrize("name", TESTS)
def test_a_failure_says_how_to_repeat_it(name: str) -> None:
    test = TESTS[name](3)
    verdict = check([{"t": 0, "event": "run", "test": test.name, "seed": 3, "families": {}}])
    text = explain(test, verdict, Path("h"))
    assert "did not reach its end" in text
    assert f"again: python -m faults {name} --seed 3" in text
    assert all(str(d) in text for d in test.schedule)
    assert f"{name} --full-diagnosis --seed 3" in explain(fully_diagnosed(test), verdict, Path("h"))
    assert row(verdict.figures, False).count("|") == len(COLUMNS) + 1
