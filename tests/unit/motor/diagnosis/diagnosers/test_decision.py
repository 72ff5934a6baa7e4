"""The table that decides every fault: the first rule that holds, its reasons, and the answers."""

from dataclasses import dataclass

import numpy as np
import pytest

from vtox.motor.diagnosis.diagnosers.columns import Stated, objects
from vtox.motor.diagnosis.diagnosers.decision import (
    DecisionTable,
    Indicator,
    abstentions,
    always,
    doubted,
    rule,
    stated,
    verdicts,
)
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import Reason


@dataclass(frozen=True)
class Columns:
    level: Float64
    limit: Float64
    stated: Stated = ()


SHORT = rule("short", lambda x: x.level < 0)
HIGH = rule(
    "high", lambda x: x.level > x.limit, "level", fault=lambda x: x.level > 2 * x.limit, unit="db"
)
TABLE = DecisionTable(SHORT, HIGH, rule("quiet", always, state="normal"))


def columns(*level: float, stated: Stated = ()) -> Columns:
    return Columns(np.array(level), np.full(len(level), 10.0), stated)


def codes(table: DecisionTable[Columns], x: Columns) -> list[str]:
    return table.codes[table.decide(x, len(x.level))].tolist()


def test_the_first_rule_that_holds_decides() -> None:
    either = DecisionTable(rule("low", lambda x: x.level < 5), rule("any", always), SHORT)
    assert codes(either, columns(-1, 4, 5)) == ["low", "low", "any"]


def test_a_fault_is_a_warning_beyond_a_second_limit() -> None:
    found = TABLE.states[TABLE.decide(columns(-1, 10, 10.5, 20, 20.5), 5)]
    assert found.tolist() == ["unknown", "normal", "warning", "warning", "fault"]


def test_nan_holds_for_no_comparison() -> None:
    assert codes(TABLE, columns(np.nan, 30)) == ["quiet", "high"]
    assert DecisionTable(SHORT, HIGH).decide(columns(np.nan, 30), 2)[0] == -1


def test_an_empty_batch_has_no_answers() -> None:
    x = columns()
    decided = TABLE.decide(x, 0)
    found = verdicts("f", TABLE, x, decided)
    assert (decided.shape, TABLE.reasons(x, decided), found.answers()) == ((0,), [], [])
    assert found.diagnoses() == []


def test_values_are_those_of_the_record_that_the_rule_decided() -> None:
    x = columns(30, 1, 15)
    first, second, third = TABLE.reasons(x, TABLE.decide(x, 3))
    assert first == (Reason("high", {"level": 30.0, "unit": "db"}),)
    assert second == (Reason("quiet"),)
    assert third == (Reason("high", {"level": 15.0, "unit": "db"}),)


def test_a_record_that_nothing_decides_has_no_reason() -> None:
    table, x = DecisionTable(SHORT), columns(-1, 1)
    decided = table.decide(x, 2)
    assert decided.tolist() == [0, -1]
    assert table.reasons(x, decided) == [(Reason("short"),), ()]


def test_all_doubts_that_hold_follow_the_code_in_order() -> None:
    near = rule("near", lambda x: x.level < 12, ("by_db", "limit"))
    own = rule("high", lambda x: x.level > 10, doubts=(rule("own", lambda x: x.level < 14),))
    table = DecisionTable(*doubted((near,), own))
    x = columns(11, 13, 15)
    found = table.reasons(x, table.decide(x, 3))
    assert [[r.code for r in rs] for rs in found] == [
        ["high", "own", "near"],
        ["high", "own"],
        ["high"],
    ]
    assert found[0][2].values == {"by_db": 10.0}


def test_a_rule_of_unless_takes_the_place_where_both_hold() -> None:
    other = rule("other", lambda x: x.level > 20)
    table = DecisionTable(rule("high", lambda x: x.level > 10, unless=(other,), causes=("c",)))
    decided = table.decide(columns(5, 15, 25), 3)
    assert decided.tolist() == [-1, 1, 0]
    assert (table.codes.tolist(), table.places.tolist()) == (["other", "high"], ["high", "high"])
    assert table.rules[0].causes == ("c",)


def test_stated_reasons_decide_and_the_rest_are_doubts() -> None:
    table = DecisionTable(stated("stated", lambda x: x.level > 0), rule("any", always))
    said = (Reason("a"), Reason("b"))
    x = columns(1, 1, -1, stated=[said, (), said])
    decided = table.decide(x, 3)
    assert decided.tolist() == [0, 1, 1]
    assert table.reasons(x, decided) == [said, (Reason("any"),), (Reason("any"),)]


def test_a_longer_table_goes_on_from_what_is_decided() -> None:
    begun, x = DecisionTable(SHORT), columns(-1, 30, 1)
    before = begun.decide(x, 3)
    found = TABLE.decide(x, 3, after=begun, decided=before)
    assert before.tolist() == [0, -1, -1], "it is left as it was"
    assert found.tolist() == TABLE.decide(x, 3).tolist()


def test_numbers_count_only_where_the_state_has_any() -> None:
    x = columns(-1, 1, 30)
    found = verdicts("f", TABLE, x, TABLE.decide(x, 3), severity=0.12345, confidence=0.9)
    assert [a.severity for a in found.answers()] == [None, 0.0, 0.123]
    assert [a.confidence for a in found.answers()] == [0.0, 0.9, 0.9]
    assert [a.statistic for a in found.answers()] == [None] * 3


def test_a_record_has_the_indicators_and_evidence_of_its_own() -> None:
    x, own = columns(1, 30), {"kind": "line"}
    level = {"level_db": Indicator(x.level, x.level > 10), "n": Indicator(np.array([3, 4]))}
    given = objects([None, (own,)])
    found = verdicts("f", TABLE, x, TABLE.decide(x, 2), indicators=level, evidence=given)
    first, second = found.diagnoses()
    assert (first.indicators, first.evidence) == ({"n": 3}, ())
    assert (second.indicators, second.evidence) == ({"level_db": 30.0, "n": 4}, (own,))


@pytest.mark.parametrize("shared", [True, False])
def test_a_batch_abstains_for_the_reasons_of_each_record(shared: bool) -> None:
    said = (Reason("motor_stands_still"), Reason("near"))
    found = abstentions("f", [said, said if shared else (Reason("other"),)]).diagnoses()
    assert [d.code for d in found] == [said[0].code, said[0].code if shared else "other"]
    assert {(d.state, d.severity, d.confidence) for d in found} == {("unknown", None, 0.0)}
    assert [d.doubts for d in found] == [said[1:], said[1:] if shared else ()]
