"""The table of set-ups: states in per cent, finds, and what is never decided."""

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
    _, undecided = study("warning").tables
    assert len(undecided.rows) == len(SETUPS) * len(KINDS)
    assert {row[2:] for row in undecided.rows} == {
        ("before", "turn_short", "no_baseline", "baseline")
    }


def test_the_goals_ask_for_what_currents_alone_report() -> None:
    assert [g.met for g in study("warning").goals] == [True] * 4
    assert [g.met for g in study("unknown").goals] == [False, False, False, True]
