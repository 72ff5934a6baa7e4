"""The parts of `interleavings` that need no server."""

from pathlib import Path

import pytest

from faults.interleavings.aims import AIMED_FROM, AIMS, aim_of
from faults.interleavings.events import AT_COMMAND, CUT, DELAY, LATE, Event, Events
from faults.interleavings.mutants import apply, mutants
from faults.interleavings.shrinking import shrink
from tests.paths import ROOT


def test_a_schedule_shrinks_to_the_events_that_matter() -> None:
    plan = {("bridge", n): Event(DELAY, 1.0) for n in range(40)}
    needed = {("bridge", 7), ("bridge", 31)}
    assert set(shrink(plan, lambda fewer: needed <= set(fewer))) == needed


def test_what_happens_at_a_command_depends_on_no_other() -> None:
    places = [(name, n) for name in ("A", "B") for n in range(2000)]
    forwards, backwards = Events(5), Events(5)
    for place in places:
        forwards.at(place, "admit", AT_COMMAND)
    for place in reversed(places):
        backwards.at(place, "admit", AT_COMMAND)
    assert forwards.happened == backwards.happened != {}


def test_a_plan_lets_nothing_else_happen() -> None:
    events = Events(5, {("A", 3): Event(CUT)})
    happened = [n for n in range(2000) if events.at(("A", n), "admit", AT_COMMAND)]
    assert happened == [3]


def test_a_seed_with_an_aim_lets_little_else_happen() -> None:
    aims = [aim_of(AIMED_FROM + n) for n in range(-1, len(AIMS))]
    assert aims == [None, *AIMS]
    events = Events(AIMED_FROM, chances=AIMS[0].chances)
    for n in range(2000):
        events.at(("A", n), "admit" if n % 2 else "XREADGROUP", AT_COMMAND)
    happened = list(events.happened.items())
    assert {(command, e.kind) for _, (command, e) in happened} == {("XREADGROUP", LATE)}
    assert max(n for (_, n), _ in happened) < AIMS[0].chances["XREADGROUP"].before


@pytest.mark.parametrize("mutant", mutants(ROOT), ids=lambda m: m.name)
def test_a_guard_can_be_taken_out_or_watched(mutant, tmp_path: Path) -> None:
    for changes in filter(None, (mutant.changes, mutant.probe)):
        for path, _, _ in changes:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text((ROOT / path).read_text())
        apply(tmp_path, mutant.name, changes)
        assert any((tmp_path / p).read_text() != (ROOT / p).read_text() for p, _, _ in changes)
