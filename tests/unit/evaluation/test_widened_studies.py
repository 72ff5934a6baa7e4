"""The studies of the widened sets: goals are checked on the worst, and need enough records."""

import pytest

from evaluation.outcome import Outcome, outcome
from evaluation.runs.bearing_decoys import AGAIN, MOVEMENTS
from evaluation.runs.bearing_decoys import SOUND as SOUND_BEARINGS
from evaluation.runs.inputs import InputOutcome
from evaluation.runs.machines import CAGE, CIRCUIT, FAULTS, KNOWN, answer_name
from evaluation.seeds import Stage
from evaluation.studies.bearing_decoys import bearing_decoy_study
from evaluation.studies.inputs import input_study
from evaluation.studies.machines import machine_study
from vtox.motor.values.domain import Diagnosis

STAGE = Stage()


def verdict(fault: str, state: str, family: str, k: int, **tags: object) -> Outcome:
    d = Diagnosis(fault=fault, state=state)  # type: ignore[arg-type]
    about = {"family": family, "supply": "quiet", "load": "fan", "diagnosis": d, "block": k}
    about |= {"record_s": 10.0, "oracle": 0.0, CIRCUIT: 0.0, "trouble": "unbalance", "size": 1.0}
    return outcome(d, faulty="dbc" in tags or "db" in tags, machine=family, tags=about | tags)


def machine_answers(state_of_second: str) -> dict[str, list[Outcome]]:
    answers = {}
    for known in KNOWN:
        for fault in FAULTS:
            quiet = [verdict(fault, "normal", "pumps", k) for k in range(700)]
            state = state_of_second if fault == "eccentricity" else "normal"
            moved = [verdict(fault, state, "mills", k) for k in range(700)]
            answers[answer_name(known, fault)] = quiet + moved
    return answers


@pytest.mark.long
@pytest.mark.parametrize(("state", "met"), [("normal", True), ("warning", False)])
def test_the_worst_family_decides_on_sound_machines(state: str, met: bool) -> None:
    goal = machine_study(machine_answers(state), STAGE).goals[0]
    assert goal.met is met
    assert ("mills" in goal.got) is not met


def test_a_clear_bar_called_normal_misses_the_goal_whatever_is_known() -> None:
    answers = machine_answers("normal")
    last = answer_name(list(KNOWN)[-1], CAGE)
    bars = [verdict(CAGE, "fault", "pumps", k, dbc=-40.0, oracle=1.0) for k in range(10)]
    for known in KNOWN:
        answers[answer_name(known, CAGE)] += bars
    assert machine_study(answers, STAGE).goals[2].met is True
    answers[last].append(verdict(CAGE, "normal", "pumps", 1, dbc=-45.0, oracle=1.0))
    assert machine_study(answers, STAGE).goals[2].met is False


def test_only_decidable_records_count_for_the_share_decided() -> None:
    answers = machine_answers("normal")
    for known in KNOWN:
        answers[answer_name(known, CAGE)] += [
            verdict(CAGE, "fault", "pumps", 0, dbc=-40.0, oracle=1.0),
            verdict(CAGE, "unknown", "pumps", 1, dbc=-40.0, oracle=-1.0),
        ]
    assert machine_study(answers, STAGE).goals[3].got.startswith("1/1")


def test_a_kind_is_right_only_where_it_is_right_on_every_machine() -> None:
    kinds = ["ia times 2", "ia times 2", "no bearing", "speed NaN"]
    outcomes = [InputOutcome(k, f"m{i}", has_codes=True) for i, k in enumerate(kinds)]
    outcomes[1] = InputOutcome("ia times 2", "m1", has_codes=True, alarms=("turn_short: fault x",))
    summary = dict(row for row in input_study(outcomes, STAGE).tables[0].rows)
    assert summary["kinds with a code: code right, no alarm, no crash"].startswith("1/2")
    assert summary["kinds with an alarm"].startswith("1/3")


def test_machines_that_alarmed_are_judged_by_all_their_records() -> None:
    loud = [verdict("bearing", "warning", "a", k) for k in range(3)]
    calm = [verdict("bearing", "normal", "b", k) for k in range(3)]
    races = {m: [verdict("bearing", "fault", "c", 0, db=0.0, oracle=2.0)] for m in MOVEMENTS}
    again = [verdict("bearing", "normal", "a", k) for k in range(24)]
    answers = {SOUND_BEARINGS: loud + calm, AGAIN: again, **races}
    goals = {g.name: g for g in bearing_decoy_study(answers, STAGE).goals}
    assert goals["sound bearings on bad shafts (design)"].got.startswith("3/6")
    assert (
        " 0 in 4 days" in goals["false alerts per machine-day, bearing, worst family (design)"].got
    )
