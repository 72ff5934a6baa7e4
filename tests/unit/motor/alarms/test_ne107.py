"""NE 107: each state and reason has its status, and undecided ones are never normal."""

from dataclasses import replace

import pytest

from tests.paths import ROOT
from vtox.motor.alarms.coverage.unlocks import CODES
from vtox.motor.alarms.health.alert_values import Seen
from vtox.motor.alarms.health.assessment import Assessment, FaultAssessment
from vtox.motor.alarms.ne107 import STATUSES, ne107
from vtox.motor.values.domain import State


def machine(state: State, **faults: tuple[State, str, str]) -> Assessment:
    """A machine whose faults have a state, a last state and a code."""
    found = {n: FaultAssessment(s, last=last, code=c) for n, (s, last, c) in faults.items()}  # type: ignore[arg-type]
    return Assessment(0.0, None, state, found)


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (machine("fault", bearing=("fault", "fault", "x")), ("failure", "bearing", "x")),
        (
            machine("warning", bearing=("warning", "unknown", "clipped")),
            ("maintenance_required", "bearing", "clipped"),
        ),
        (
            machine("normal", bearing=("unknown", "unknown", "clipped")),
            ("check_function", "bearing", "clipped"),
        ),
        (
            machine("normal", broken_bar=("unknown", "unknown", "load_too_low")),
            ("out_of_specification", "broken_bar", "load_too_low"),
        ),
        (
            machine("normal", turn_short=("unknown", "unknown", "voltage_off_nameplate")),
            ("out_of_specification", "turn_short", "voltage_off_nameplate"),
        ),
        (machine("normal", broken_bar=("unknown", "unknown", "no_baseline")), ("normal", "", "")),
        (
            machine("unknown", broken_bar=("unknown", "unknown", "no_baseline")),
            ("check_function", "", "no_diagnosis_yet"),
        ),
        (machine("normal", bearing=("normal", "normal", "sound")), ("normal", "", "")),
    ],
)
def test_a_machine_has_the_status_of_what_comes_first(
    health: Assessment, expected: tuple[str, str, str]
) -> None:
    found = ne107(health)
    assert (found.status, found.fault, found.code) == expected


def test_a_fault_that_is_only_seen_changes_nothing_and_the_page_says_so() -> None:
    sound = machine("normal", bearing=("normal", "warning", "outer_race"))
    seen = Seen(level="fault", t=1.0, shown=1, judged=1, days=3, of_days=4)
    waits = replace(sound, faults={"bearing": replace(sound.faults["bearing"], seen=seen)})
    assert ne107(waits) == ne107(sound)
    assert waits.seen_faults == ["bearing"]
    assert "only [seen]" in (ROOT / "docs/reference/ne107.md").read_text()


def test_a_silent_machine_needs_a_check_unless_a_fault_is_open() -> None:
    sound = machine("normal", bearing=("normal", "normal", "sound"))
    assert ne107(sound, silent=True).status == "check_function"
    ill = machine("fault", bearing=("fault", "fault", "x"))
    assert ne107(ill, silent=True).status == "failure"


def test_of_a_machine_that_is_not_decided_no_code_makes_it_normal() -> None:
    codes = [*CODES, "code_of_a_later_version", ""]
    found = {c: ne107(machine("unknown", bearing=("unknown", "unknown", c))) for c in codes}
    assert {c for c, n in found.items() if n.status == "normal"} == set()


def test_the_page_lists_every_status() -> None:
    page = (ROOT / "docs/reference/ne107.md").read_text()
    assert all(f"`{s}`" in page for s in STATUSES)
