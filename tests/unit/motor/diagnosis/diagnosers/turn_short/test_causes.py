from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, GAINS, turn_short
from vtox import learn_baseline
from vtox.motor.diagnosis.diagnosers.turn_short import causes
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import prior
from vtox.motor.diagnosis.diagnosers.turn_short.causes import AsymmetryChange, Cause
from vtox.motor.values.arrays import TURN_120
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Recording


def test_a_changed_clamp_is_not_a_short(baseline_of_currents: Baseline) -> None:
    gains = (GAINS[0], GAINS[1] * 0.85, GAINS[2])
    d = turn_short(recording(Machine(gains=gains)), baseline_of_currents)
    assert (d.state, d.code) == ("unknown", "clamp_changed")
    assert d.values["phase"] == "b"
    assert d.values["gain_change_ratio"] == pytest.approx(-0.15, abs=0.02)
    assert d.evidence[0]["phase"] == "b"


def test_a_joint_is_a_doubt_of_the_short(baseline_with_voltages: Baseline) -> None:
    d = turn_short(
        recording(Machine(joint_ohm=0.6, phase="c", gains=GAINS), channels=CHANNELS),
        baseline_with_voltages,
    )
    assert d.state in ("warning", "fault")
    (joint,) = [e for e in d.evidence if e.get("cause") == "high_resistance_joint"]
    assert joint["phase"] == "c"
    (doubt,) = d.doubts
    assert (doubt.code, doubt.values["phase"]) == ("joint_not_excluded", "c")


@pytest.mark.parametrize("phase", ["a", "b", "c"])
@pytest.mark.parametrize("on_s", [(0.6, 1.4), (0.0, 9.0)])
def test_a_bolted_short_under_load_has_its_phase_without_voltages(
    baseline_of_currents: Baseline, phase: str, on_s: tuple[float, float]
) -> None:
    # Little resistance: the loop lags by its leakage, and behind the current of a loaded motor.
    m = Machine(load=0.9, short_a=4, lag_deg=78.0, phase=phase, on_s=on_s, gains=GAINS)
    d = turn_short(recording(m, 2.0), baseline_of_currents, replace(MOTOR, rated_power_w=5000.0))
    assert d.indicators["phase"] == phase


def swapped(x: Recording) -> Recording:
    ia, ib, ic = (x.channels[c] for c in CURRENTS)
    return Recording({"ia": ia, "ib": ic, "ic": ib}, x.fs_hz)


def test_swapped_clamps_keep_the_name_of_the_phase() -> None:
    learnt = learn_baseline(
        [swapped(recording(Machine(load=load), 2.0)) for load in (0.7, 0.9)], MOTOR
    )
    d = turn_short(swapped(recording(Machine(short_a=4, phase="b", gains=GAINS))), learnt)
    assert d.indicators["phase"] == "c"


MODEL = prior(MOTOR, 8.0, 230.0)


def change(delta_i2: complex, delta_i0: complex = 0j, **values: float) -> AsymmetryChange:
    defaults = {"i1_growth": None, "power_factor_angle_rad": None, "load_a": 8.0} | values
    return AsymmetryChange(delta_i2=delta_i2, delta_i0=delta_i0, **defaults)  # type: ignore[arg-type]


@pytest.mark.parametrize("phase", range(3))
@pytest.mark.parametrize("gain", [-0.15, 0.04])
def test_the_gain_of_a_clamp_explains_i0_and_i2_together(phase: int, gain: float) -> None:
    i0, i2 = gain / 3 * TURN_120**-phase, gain / 3 * TURN_120**phase
    clamp = causes.clamp_change(change(i2, i0))
    assert clamp is not None
    assert (clamp.phase, clamp.gain) == (phase, pytest.approx(gain))
    assert causes.clamp_change(change(i2)) is None


@pytest.mark.parametrize("phase", range(3))
@pytest.mark.parametrize("loop_lag_deg", [-20, 30, 80])
def test_with_voltages_each_phase_owns_a_third_of_the_circle(
    phase: int, loop_lag_deg: float
) -> None:
    angle_rad = np.radians(35.0)
    short = 0.03 * np.exp(1j * (angle_rad - np.radians(loop_lag_deg))) * TURN_120**phase
    short_change = change(short, power_factor_angle_rad=angle_rad)
    assert causes.shorted_phase(short_change, MOTOR) == phase


@pytest.mark.parametrize("phase", range(3))
def test_the_current_of_a_joint_lies_along_the_admittance(phase: int) -> None:
    joint = change(-0.01 * MODEL.mean[0] * TURN_120**phase)
    assert causes.other_causes(joint, MODEL, voltage=True) == [
        Cause("high_resistance_joint", phase)
    ]
    other = change(0.01j * MODEL.mean[0] * np.exp(1j * np.pi / 6) * TURN_120**phase)
    assert causes.other_causes(other, MODEL, voltage=True) == []
    assert causes.other_causes(other, MODEL, voltage=False) == [Cause("supply_unbalance")]


def test_the_power_factor_angle_falls_with_the_load() -> None:
    """Without voltages a short at one angle of I2 is of another phase at another load."""
    turn = np.exp(1j * np.radians(80.0))
    phases = [causes.shorted_phase(change(0.03 * turn, load_a=a), MOTOR) for a in (6.0, 12.0)]
    assert phases == [0, 1]
