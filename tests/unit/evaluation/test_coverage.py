"""The table of set-ups: states in per cent, finds, and faults that are never decided."""

from evaluation.outcome import Outcome, Study, outcome
from evaluation.runs.coverage import BARS, KINDS, SETUPS, SHORT, WATCHED
from evaluation.seeds import Stage
from evaluation.studies.coverage import coverage_study
from vtox.motor.values.domain import Diagnosis


def verdict(fault: str, state: str, setup: str, *, kind: str = "", learnt: bool) -> Outcome:
    code = "no_baseline" if state == "unknown" else ""
    d = Diagnosis(fault=fault, state=state, code=code)  # type: ignore[arg-type]
    tags = {"setup": setup, "learnt": learnt, "kind": kind, "dbc": -40.0, "d": d}
    return outcome(d, faulty=kind != "", machine="pump 1", tags=tags)


def study(bars: str) -> Study:
    """Return the study of one machine a kind: turn shorts are decided after a baseline only."""
    answers = {}
    for kind in KINDS:
        some = answers[kind.name] = []
        for setup in SETUPS:
            for learnt in (False, True):
                for fault in WATCHED:
                    state = "normal" if learnt or fault != "turn_short" else "unknown"
                    some.append(verdict(fault, state, setup, learnt=learnt))
                some.append(verdict("broken_bar", bars, setup, kind=BARS, learnt=learnt))
                short = "warning" if learnt else "unknown"
                some.append(verdict("turn_short", short, setup, kind=SHORT, learnt=learnt))
    return coverage_study(answers, Stage())


def test_what_is_never_decided_says_what_would_decide_it() -> None:
    _, undecided, _ = study("warning").tables
    assert len(undecided.rows) == len(SETUPS) * len(KINDS)
    assert {row[2:] for row in undecided.rows} == {
        ("before", "turn_short", "no_baseline", "baseline")
    }


def test_the_goals_ask_for_what_currents_alone_report() -> None:
    assert [g.met for g in study("warning").goals] == [True] * 5
    assert [g.met for g in study("unknown").goals] == [True, False, False, False, True]


def test_finds_that_more_channels_lose_are_listed() -> None:
    kind = KINDS[0].name
    states = dict.fromkeys(SETUPS, "warning") | {"with voltages": "unknown"}
    some = [
        verdict("broken_bar", state, setup, kind=BARS, learnt=learnt)
        for setup, state in states.items()
        for learnt in (False, True)
    ]
    found = coverage_study({kind: some}, Stage())
    (*_, lost), (goal, *_) = found.tables, found.goals
    assert [row[:3] for row in lost.rows] == [
        ("with voltages", kind, "before"),
        ("with voltages", kind, "after"),
    ]
    assert not goal.met
