"""The faults that a machine is watched for, from the codes of its latest diagnoses."""

import re
from typing import get_args

import pytest

from tests.paths import ROOT
from vtox.motor.alarms.coverage.coverage import LatestState, coverage
from vtox.motor.alarms.coverage.unlocks import CODES, Unlock, unlock
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import State, reason
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.rendering import advice

SOUND = LatestState("normal", reason("no_sidebands"))


@pytest.mark.parametrize("state", ["normal", "warning", "fault"])
def test_what_was_decided_is_watched(state: State) -> None:
    latest = {fault: LatestState(state, reason("x")) for fault in FAULTS}
    assert [(c.fault, c.status, c.unlock) for c in coverage(latest, silent=False)] == [
        (fault, "watched", None) for fault in FAULTS
    ]


def test_an_abstention_is_blind_and_names_what_would_end_it() -> None:
    why = reason("load_too_low", load_a=1.0, needed_a=3.0)
    found = coverage({"broken_bar": LatestState("unknown", why)}, silent=False)
    (bars,) = (c for c in found if c.fault == "broken_bar")
    assert (bars.status, bars.why, bars.unlock) == ("blind", why, "load")


def test_a_fault_that_was_never_diagnosed_waits_for_windows() -> None:
    found = coverage({"broken_bar": SOUND}, silent=False)
    assert {(c.why.code, c.unlock) for c in found if c.fault != "broken_bar"} == {
        ("no_diagnosis_yet", "windows")
    }


def test_a_silent_machine_is_watched_for_nothing() -> None:
    found = coverage(dict.fromkeys(FAULTS, SOUND), silent=True)
    assert {(c.status, c.state, c.why.code) for c in found} == {
        ("blind", "unknown", "machine_silent")
    }


def test_codes_that_unlock_are_codes_and_have_advice() -> None:
    assert catalogue("en").sentences.keys() >= CODES
    assert [c for c in CODES if not advice(c)] == []
    assert unlock("code_of_another_version") == "distinction"


def test_every_unlock_is_documented() -> None:
    page = (ROOT / "docs/reference/pages.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|", page.partition("## Coverage")[2], re.MULTILINE)
    assert sorted(rows) == sorted(get_args(Unlock))
