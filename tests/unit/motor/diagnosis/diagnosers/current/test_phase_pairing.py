"""Voltages that are not of the same phases as the currents: turned where sure, else not used."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import Motor, diagnose, learn_baseline
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.phase_pairing import match_voltages_to_currents
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Diagnosis, Recording

Channels = dict[str, Array]
BOTH = (*CURRENTS, *VOLTAGES)


def turned_back(x: Channels) -> Channels:
    """Name the voltages so that V1 lags where it should lead: the angle becomes -89 degrees."""
    return x | {"va": x["vb"], "vb": x["vc"], "vc": x["va"]}


def turned_on(x: Channels) -> Channels:
    return x | {"va": x["vc"], "vb": x["va"], "vc": x["vb"]}


def reversed_clamps(x: Channels) -> Channels:
    return x | {c: -x[c] for c in CURRENTS}


def between_lines(x: Channels) -> Channels:
    return x | {"va": x["va"] - x["vb"], "vb": x["vb"] - x["vc"], "vc": x["vc"] - x["va"]}


def read(
    m: Machine, wrong: Callable[[Channels], Channels], seed: int = 0, seconds: float = 1.0
) -> Recording:
    x = recording(m, seconds, channels=BOTH, seed=seed)
    return Recording(wrong(dict(x.channels)), x.fs_hz)


def judge(x: Recording, baseline: Baseline | None = None, motor: Motor = MOTOR) -> Diagnosis:
    (found,) = diagnose(x, motor, faults=["turn_short"], baseline=baseline)
    return found


@pytest.mark.parametrize("wrong", [turned_back, reversed_clamps])
@pytest.mark.parametrize("phase", ["a", "b", "c"])
def test_voltages_are_turned_to_the_currents(
    wrong: Callable[[Channels], Channels], phase: str
) -> None:
    m = Machine(v2=0.012j, short_a=4.0, phase=phase)
    right, found = judge(read(m, lambda x: x)), judge(read(m, wrong))
    assert found.indicators.pop("voltages_turned_deg") in (120, -120, 180, -180)
    assert found.state == right.state == "fault"
    assert found.indicators == pytest.approx(right.indicators, abs=1e-4)


@pytest.mark.parametrize("wrong", [turned_back, turned_on, reversed_clamps, between_lines])
@pytest.mark.parametrize("learnt", [False, True])
def test_no_wrong_name_makes_an_alarm(wrong: Callable[[Channels], Channels], learnt: bool) -> None:
    baseline = None
    if learnt:
        healthy = [read(Machine(load=0.7 + 0.1 * k), wrong, k, 2.0) for k in range(3)]
        baseline = learn_baseline(healthy, MOTOR)
    for k in range(6):
        v2 = 0.012 * np.exp(1j * k)
        d = judge(read(Machine(load=0.8, v2=v2), wrong, 10 + k), baseline)
        assert d.state in {"normal", "unknown"}, d.reason


@pytest.mark.parametrize(
    ("wrong", "code", "name", "value"),
    [
        (turned_on, "voltages_not_paired_or_generating", "power_factor_angle_deg", 156),
        (between_lines, "voltages_between_lines", "phase_voltage_ratio", 1.73),
    ],
)
def test_what_cannot_be_turned_is_refused_by_its_code(
    wrong: Callable[[Channels], Channels], code: str, name: str, value: float
) -> None:
    x = read(Machine(), wrong)
    for motor in (MOTOR, replace(MOTOR, supply="inverter")):
        (found,) = front_end([x], [motor]).pairing_problems
        assert found is not None
        assert found.code == code
        assert found.values[name] == pytest.approx(value, rel=5e-3)
        d = judge(x, motor=motor)
        assert d.state == "unknown"
        assert code in {d.code, *(r.code for r in d.doubts)}


def test_currents_serve_where_the_voltages_are_refused() -> None:
    healthy = [read(Machine(load=0.75 + 0.05 * k), turned_on, k, 2.0) for k in range(2)]
    baseline = learn_baseline(healthy, MOTOR)
    d = judge(read(Machine(v2=0.005, short_a=4.0, phase="b"), turned_on), baseline)
    assert d.state in {"warning", "fault"}
    assert d.indicators["basis"] == "currents and baseline"
    assert "voltages_not_paired_or_generating" in {r.code for r in d.doubts}


@pytest.mark.parametrize(
    ("lag_deg", "turned_deg", "known"),
    [
        (-5, 0, True),
        (40, 0, True),
        (93, 0, True),
        (140, 0, False),  # generates, or turned
        (-140, 180, True),
        (-80, 120, True),
        (-100, None, False),  # 20 with one turn, 80 with another
        (-20, 60, True),
        (178, -120, True),
        (-160, None, False),
    ],
)
def test_the_angle_decides(lag_deg: float, turned_deg: int | None, known: bool) -> None:
    i1 = np.exp(-1j * np.radians([[lag_deg] * 4]))
    found = match_voltages_to_currents(i1, np.full((1, 4), 325.0 + 0j), np.array([50.0]), [MOTOR])
    assert bool(found.problems[0]) is not known
    assert np.isfinite(found.lag_rad[0]) == known
    if turned_deg is not None:
        assert np.angle(
            found.voltage_rotation[0] / np.exp(1j * np.radians(turned_deg))
        ) == pytest.approx(0)
