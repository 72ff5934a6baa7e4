"""A drive that controls the currents: a short shows in its voltage as much as in its current."""

from dataclasses import replace

import pytest

from evaluation.motor_model.case import Case, Clamps, Faults, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import nameplate, records
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, turn_short
from vtox import learn_baseline
from vtox.motor.values.domain import Recording

SOUND = Case(
    plant=PLANTS["2kw2"],
    supply=SupplyVoltage(control_hz=120.0, unbalance=0.002),
    load=ShaftLoad(torque=0.7, inertia=2.0),
    clamps=Clamps(gain=(0.004, -0.003, 0.0), noise=1e-3),
)
MOTOR = replace(nameplate(SOUND.plant), supply="inverter")


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    short = Faults(shorted_turns=0.1, shorted_phase="b")
    cases = [*(replace(SOUND, seed=k) for k in range(3)), replace(SOUND, faults=short, seed=9)]
    return [r.recording(CHANNELS) for r in records(cases, 1.0, 2_000.0)]


def test_what_control_hides_in_the_voltage_is_found_after_a_baseline(
    recordings: list[Recording],
) -> None:
    learnt = learn_baseline(recordings[:2], MOTOR)
    found, sound = (turn_short(x, learnt, MOTOR) for x in (recordings[3], recordings[2]))
    assert (found.state, found.code, found.indicators["phase"]) == (
        "fault",
        "turn_short_found",
        "b",
    )
    assert sound.state == "normal"


def test_before_a_baseline_it_may_be_one_channel_of_the_voltages(
    recordings: list[Recording],
) -> None:
    assert turn_short(recordings[3], None, MOTOR).code == "voltage_unbalance_too_large"


def test_such_a_record_teaches_no_baseline(recordings: list[Recording]) -> None:
    assert learn_baseline(recordings[3:], MOTOR).asymmetry is None
