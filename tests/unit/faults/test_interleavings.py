"""The parts of `interleavings` that need no server."""

from pathlib import Path

import pytest

from faults.interleavings.aims import AIMS, aim_of
from faults.interleavings.command import arguments_of_jobs, parser, seeds_of
from faults.interleavings.events import (
    AT_COMMAND,
    CUT,
    DELAY,
    LATE,
    RAISES,
    Event,
    Events,
    is_general,
)
from faults.interleavings.letters import unexplained
from faults.interleavings.mutants import apply, mutants
from faults.interleavings.shrinking import shrink
from tests.paths import ROOT
from vtox.pipeline.store.stream.deadletters import DeadLetter


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
    assert [aim_of(700 + n) for n in range(10)] == [None] * 5 + list(AIMS)
    events = Events(705, chances=AIMS[0].chances)
    for n in range(2000):
        events.at(("A", n), "admit" if n % 2 else "XREADGROUP", AT_COMMAND)
    happened = list(events.happened.items())
    assert {(command, e.kind) for _, (command, e) in happened} == {("XREADGROUP", LATE)}
    assert max(n for (_, n), _ in happened) < AIMS[0].chances["XREADGROUP"].before


def test_every_ten_seeds_have_general_ones() -> None:
    assert [n for n in range(9990, 10_000) if is_general(n)] == [9990, 9991, 9992, 9993]


@pytest.mark.parametrize("asked", ["--seeds 21", "--general --seeds 21", "--these 7,500,9,2"])
def test_processes_share_the_seeds_that_are_asked_for(asked: str) -> None:
    options = parser().parse_args([*asked.split(), "--jobs", "3", "--repeat", "2"])
    parts = [parser().parse_args(part) for part in arguments_of_jobs(options)]
    assert [s for p in parts for s in seeds_of(p)] == list(seeds_of(options))
    assert [(p.jobs, p.repeat, p.core) for p in parts] == [
        (1, 2, core) for core in range(len(parts))
    ]


def letter(code: str, entry: str) -> DeadLetter:
    return DeadLetter(id="5-0", stream_id=entry, machine_id="M", family="bearing", code=code)


def test_a_deleted_window_explains_the_letters_of_its_record() -> None:
    record = [letter("samples_missing", entry) for entry in ("1-0", "2-0")]
    assert unexplained(record, {}, set()) == record
    assert unexplained(record, {}, {(record[0].stream, "2-0")}) == []


def test_poison_is_explained_by_as_many_events_as_starts() -> None:
    happened = {("bearing-0", n): ("diagnosis", Event(RAISES)) for n in range(5)}
    others = {("turn_short-0", n): event for (_, n), event in happened.items()}
    assert unexplained([letter("poison", "1-0")], happened, set()) == []
    assert unexplained([letter("poison", "1-0")], others, set())


@pytest.mark.parametrize("mutant", mutants(ROOT), ids=lambda m: m.name)
def test_a_guard_can_be_taken_out_or_watched(mutant, tmp_path: Path) -> None:
    for changes in filter(None, (mutant.changes, mutant.probe)):
        for path, _, _ in changes:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text((ROOT / path).read_text())
        apply(tmp_path, mutant.name, changes)
        assert any((tmp_path / p).read_text() != (ROOT / p).read_text() for p, _, _ in changes)
