"""Abstentions that advice ends, and records that a rule changes when it is off."""

from evaluation.ablation import codes_of, switched_off
from evaluation.inputs.base import Base
from evaluation.inputs.mistake import RawInput
from evaluation.runs.advice import SetUp, Tried, _put_right, _tried
from evaluation.seeds import Stage
from evaluation.studies.advice import advice_study
from tests.signals.phasor_motor import Machine, recording
from tests.unit.motor.diagnosis.diagnosers.columns import columns, outcome
from vtox.motor.diagnosis.diagnosers.turn_short.evidence import TurnShortEvidence
from vtox.motor.diagnosis.diagnosers.turn_short.rules import RULES
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, reason

CHANNELS = (*CURRENTS, *VOLTAGES)
PLATE = {"pole_pairs": 2, "supply_hz": 50.0, "rated_current_a": 10.0, "rated_voltage_v": 400.0}


def whole() -> Base:
    """A machine with voltages, and a baseline of them."""
    healthy = tuple(
        recording(Machine(load=0.8, v2=0.003 * k), 1.0, channels=CHANNELS, seed=k) for k in range(4)
    )
    raw = RawInput(healthy[0].channels, healthy[0].fs_hz, None, PLATE)
    return Base("m", raw, Baseline(), healthy)


def test_advice_that_is_followed_decides() -> None:
    base = whole()
    currents = {n: base.raw.channels[n] for n in CURRENTS}
    lacking = SetUp(RawInput(currents, base.raw.fs_hz, None, PLATE), None)
    (turn_short,) = (t for t in _tried(base, lacking, "voltages") if t.fault == "turn_short")
    assert (turn_short.code, turn_short.remedies[0]) == ("no_baseline", "baseline")
    assert turn_short.decided


def test_a_channel_that_is_missing_is_added_and_nothing_else() -> None:
    base = whole()
    lacking = SetUp(RawInput({"ia": base.raw.channels["ia"]}, base.raw.fs_hz, None, {}), None)
    now = _put_right(lacking, base, "channel")
    assert set(now.raw.channels) == set(CHANNELS)
    assert (now.raw.motor, now.baseline) == ({}, None)


def test_codes_that_nothing_decides_are_listed() -> None:
    tried = [
        Tried("bearing", "no_speed", "m", "no speed", ("speed",), True, "no_defect_comb"),
        Tried("insulation", "missing_channel", "m", "x", ("channel",), False, "leakage_too_noisy"),
    ]
    study = advice_study(tried, Stage())
    ended, open_, unreached = study.tables
    assert [row[0] for row in ended.rows] == ["`no_speed`"]
    assert [row[0] for row in open_.rows] == ["`missing_channel`"]
    assert "leakage_too_noisy" in str(unreached.rows)
    assert study.goals[0].met is False


def test_without_a_rule_the_next_one_that_holds_decides() -> None:
    given = {"over": True, "by_voltage": True, "renamed": True}
    x = columns(TurnShortEvidence, three_currents=True, frames=True, low_a=1.0, high_a=1.0, **given)
    assert outcome(RULES, x)[0].code == "phases_renamed"
    with switched_off("phases_renamed"):
        assert outcome(RULES, x)[0].code == "turn_short_found"
    assert outcome(RULES, x)[0].code == "phases_renamed"


def test_a_code_that_an_earlier_step_states_is_switched_off_too() -> None:
    stated = (reason("samples_repeat"), reason("clipped"))
    x = columns(TurnShortEvidence, input_problems=stated)
    with switched_off("samples_repeat"):
        _, reasons = outcome(RULES, x)
    assert [r.code for r in reasons] == ["clipped"]


def test_rules_are_listed_in_reading_order() -> None:
    codes = codes_of("turn_short")
    assert codes.index("missing_channel") < codes.index("turn_short_found")
