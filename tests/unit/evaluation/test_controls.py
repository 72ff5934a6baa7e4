"""Machines behind current controllers: signs of a fault at the terminals, against an open loop."""

from dataclasses import replace
from typing import get_args

import pytest

from evaluation.motor_model.case import Case, ControlName, Faults, ShaftLoad, SupplyVoltage
from evaluation.motor_model.plants import PLANTS
from evaluation.motor_model.records import SimulatedRecord, nameplate, records
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.values.domain import CURRENTS, VOLTAGES

SOUND = Case(plant=PLANTS["2kw2"], load=ShaftLoad(torque=0.7, inertia=2.0))
SHORTED = replace(SOUND, faults=Faults(shorted_turns=0.05))


def records_of(
    *cases: Case, control_hz: float, control: ControlName = "current"
) -> list[SimulatedRecord]:
    supply = SupplyVoltage(control_hz=control_hz, control=control)
    return list(records([replace(c, supply=supply) for c in cases], 1.0, 1_000.0))


def test_current_controllers_answer_a_short_with_the_voltage() -> None:
    _, open_loop = records_of(SOUND, SHORTED, control_hz=0.0)
    sound, closed = records_of(SOUND, SHORTED, control_hz=100.0)
    assert sound.truth.negative_ratio < 0.002
    assert 0.1 < closed.truth.negative_ratio / open_loop.truth.negative_ratio < 0.6


@pytest.mark.parametrize("control", get_args(ControlName))
def test_a_sound_machine_runs_alike_with_and_without_control(control: ControlName) -> None:
    (open_loop,) = records_of(SOUND, control_hz=0.0)
    (closed,) = records_of(SOUND, control_hz=100.0, control=control)
    assert closed.truth.slip == pytest.approx(open_loop.truth.slip, rel=0.02)
    assert closed.truth.supply_hz == pytest.approx(open_loop.truth.supply_hz, rel=1e-3)
    current = [float(abs(r.channels["ia"]).max()) for r in (open_loop, closed)]
    assert current[1] == pytest.approx(current[0], rel=0.02)


def test_one_batch_is_controlled_or_not() -> None:
    controlled = replace(SOUND, supply=SupplyVoltage(control_hz=100.0))
    with pytest.raises(ValueError, match="control_hz"):
        list(records([SOUND, controlled], 1.0, 1_000.0))


@pytest.mark.parametrize("control", ["slip", "torque"])
def test_voltages_of_a_controlled_drive_lose_no_find(control: ControlName) -> None:
    broken = replace(SOUND, slot_harmonic=3e-3, faults=Faults(rotor_asymmetry=0.02))
    supply = SupplyVoltage(control_hz=100.0, control=control, switching_hz=4_000.0)
    (r,) = records([replace(broken, supply=supply)], 12.0, 2_000.0)
    motor = replace(nameplate(broken.plant), supply="inverter")
    alone, measured = (
        diagnose_batch([DiagnosisInput(r.recording(channels), motor)], ["broken_bar"])[0][0]
        for channels in (CURRENTS, (*CURRENTS, *VOLTAGES))
    )
    assert (alone.state, measured.state) == ("warning", "warning")
    assert "sidebands_in_voltage" in [x.code for x in measured.doubts]
