"""A back-test raises and clears alarms as the stream: the same diagnoses, the same events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.motor.alarms.health.test_update import record
from vtox.motor.alarms.health.backtest import backtest
from vtox.motor.alarms.health.marks import Slots, slots_of
from vtox.motor.alarms.health.sensitivity import Sensitivity, rules_from_dict
from vtox.motor.alarms.health.update import MachineHistory, update
from vtox.motor.faults import FAULTS, PERSISTENCE
from vtox.motor.values.domain import QUIET, Diagnosis

EPISODE = {"kind": "episode", "t_start_s": 0.2, "t_end_s": 0.6, "state": "fault"}
diagnoses = st.builds(
    Diagnosis,
    fault=st.just("turn_short"),
    state=st.sampled_from(["normal", "normal", "warning", "fault", "unknown"]),
    severity=st.sampled_from([0.0, 0.2, 0.6]),
    confidence=st.sampled_from([0.3, 0.9]),
    statistic=st.sampled_from([0.5, 0.8, 3.0]),
    threshold=st.just(1.0),
    evidence=st.sampled_from([(), (QUIET,), (EPISODE,)]),
)
tables = st.fixed_dictionaries(
    {
        "k": st.integers(1, 3),
        "n": st.integers(3, 6),
        "clear": st.integers(1, 8),
        "min_severity": st.sampled_from([0.0, 0.3]),
        "min_confidence": st.sampled_from([0.0, 0.5]),
    }
)


@pytest.mark.parametrize("fault", FAULTS)
@given(st.lists(diagnoses, max_size=30), tables)
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_it_gives_the_events_of_the_stream(
    fault: str, made: list[Diagnosis], table: dict[str, float]
) -> None:
    rules = Sensitivity(faults=rules_from_dict({fault: table})).rules
    history, alerts, slots = MachineHistory(), [], []
    for n, d in enumerate(made):
        of_fault = Diagnosis(**{f: getattr(d, f) for f in FIELDS} | {"fault": fault})
        after = update(history, record(n), [of_fault], rules=rules)
        history = after.history
        alerts += after.alerts
        slots.append(slots_of(of_fault, record(n), PERSISTENCE[fault]))
        assert after.marks[fault] == slots[-1].marks
    tried = backtest(slots, rules[fault], "", 0.0, float(len(made)))
    assert [(e.name, e.level, e.t) for e in tried.events] == [
        (a.event, a.level, a.t) for a in alerts
    ]
    expected = history.faults[fault].level if made else ""
    assert tried.level == expected


FIELDS = ("state", "severity", "confidence", "statistic", "threshold", "evidence")


def slots(marks: str) -> list[Slots]:
    return [Slots(mark, float(n)) for n, mark in enumerate(marks)]


def test_an_alarm_that_is_open_at_the_begin_is_not_raised_again() -> None:
    rule = PERSISTENCE["insulation"]  # 3 of 5, cleared by 5
    tried = backtest(slots("fffnnnnnnfff"), rule, "fault", 0.0, 12.0)
    assert [(e.name, e.t) for e in tried.events] == [("cleared", 3.0), ("raised", 9.0)]
    assert (tried.open_s, tried.level) == (6.0, "fault")


def test_without_diagnoses_nothing_changes() -> None:
    tried = backtest([], PERSISTENCE["bearing"], "warning", 5.0, 8.0)
    assert (tried.events, tried.open_s, tried.level) == ((), 3.0, "warning")
    assert backtest([], PERSISTENCE["bearing"], "", 5.0, 8.0).open_s == 0.0
