import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, recording
from tests.unit.motor.diagnosis.diagnosers.insulation.cases import (
    CHANNELS,
    FARADS,
    balanced,
    insulation,
    winding,
    with_fifth_harmonic,
)
from vtox import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import QUIET, VOLTAGES, Recording


def test_a_change_of_capacitance_is_one_from_the_baseline() -> None:
    learnt = learn_baseline(
        [recording(winding(), 3.0, 10_000.0, channels=CHANNELS, seed=s) for s in range(3)], MOTOR
    )
    same = insulation(recording(winding(), fs_hz=10_000.0, channels=CHANNELS, seed=9), learnt)
    assert same.code == "insulation_sound"
    assert (
        same.confidence
        > insulation(recording(winding(), fs_hz=10_000.0, channels=CHANNELS)).confidence
    )
    wet = winding(earth_f=tuple(1.2 * c for c in FARADS))
    d = insulation(recording(wet, fs_hz=10_000.0, channels=CHANNELS), learnt)
    assert (d.state, d.code) == ("warning", "winding_capacitance_changed")
    assert d.indicators["capacitance_change_f"] == pytest.approx(3e-9, rel=0.1)
    assert d.values["change_nanofarad"] == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("farads", [0.8, 1.2])
def test_a_change_of_one_phase_has_its_size_and_phase(
    baseline_without_zero_sequence: Baseline, phase: int, farads: float
) -> None:
    d = insulation(balanced(phase, farads=farads), baseline_without_zero_sequence)
    assert (d.state, d.code) == ("warning", "phase_capacitance_changed")
    assert d.values["phase"] == d.indicators["phase"] == "abc"[phase]
    change_f = (farads - 1) * FARADS[phase]
    assert d.indicators["capacitance_change_f"] == pytest.approx(change_f, rel=0.01)
    assert d.indicators["conductance_s"] == pytest.approx(0, abs=1e-8)
    assert d.severity is not None
    assert d.severity >= 0.25


def test_a_leaking_phase_that_would_look_the_same_is_an_alternative(
    baseline_without_zero_sequence: Baseline,
) -> None:
    d = insulation(balanced(2, farads=0.8), baseline_without_zero_sequence)
    others = {e["phase"]: e for e in d.evidence if e["kind"] == "alternative"}
    assert "a" in others
    assert others["a"]["conductance_change_s"] > 0


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_the_baseline_separates_a_leak_from_unequal_phases(
    baseline_without_zero_sequence: Baseline, phase: int
) -> None:
    d = insulation(balanced(phase, siemens=1e-6, farads=1.02), baseline_without_zero_sequence)
    assert (d.state, d.code) == ("warning", "phase_leaks")
    assert d.indicators["phase"] == "abc"[phase]
    assert d.indicators["conductance_s"] == pytest.approx(1e-6, rel=0.01)
    assert d.indicators["capacitance_change_f"] == pytest.approx(0.02 * FARADS[phase], rel=0.1)


def test_a_baseline_learnt_with_a_leak_does_not_hide_it() -> None:
    leaking = learn_baseline([balanced(1, siemens=5e-6, seed=s) for s in range(12)], MOTOR)
    d = insulation(balanced(1, siemens=5e-6), leaking)
    assert (d.state, d.code) == ("fault", "phase_leaks")
    assert d.indicators["conductance_s"] == pytest.approx(5e-6, rel=0.05)


def test_a_baseline_makes_no_leak_of_large_windings_with_unequal_phases() -> None:
    """The pump of 57 nF a phase that alarmed: its capacitance does not show in the voltages."""
    unequal = winding(earth_f=(57.0e-9, 57.2e-9, 55.3e-9), earth_s=(5e-10,) * 3, third=0.0, v0=0.0)
    records = [recording(unequal, 1.0, 10_000.0, channels=CHANNELS, seed=s) for s in range(5)]
    learnt = learn_baseline(records[:4], MOTOR)
    for known in (None, learnt):
        d = insulation(records[4], known)
        assert (d.state, d.code) == ("unknown", "leakage_too_noisy")


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_the_fifth_harmonic_separates_water_from_lost_capacitance(phase: int) -> None:
    learnt = learn_baseline([with_fifth_harmonic(0, farads=1, siemens=0)] * 4, MOTOR)
    wet = insulation(with_fifth_harmonic(phase, farads=1.2, siemens=5.5e-7), learnt)
    assert wet.indicators["phase"] == "abc"[phase]
    assert wet.indicators["conductance_s"] == pytest.approx(5.5e-7, rel=0.03)
    dry = insulation(with_fifth_harmonic(phase, farads=0.8, siemens=0), learnt)
    assert dry.indicators["phase"] == "abc"[phase]
    assert dry.indicators["capacitance_change_f"] == pytest.approx(-0.2 * FARADS[phase], rel=0.02)
    assert not [e for e in dry.evidence if e["kind"] == "alternative"]


def test_harmonics_that_the_leakage_does_not_follow_do_not_count(
    baseline_without_zero_sequence: Baseline,
) -> None:
    x = balanced(0, farads=1.2)
    t = np.arange(x.samples) / x.fs_hz
    volts = {
        v: x.channels[v] + 5 * np.cos(10 * np.pi * 50.02 * t + k * 2 * np.pi / 3)
        for k, v in enumerate(VOLTAGES)
    }
    d = insulation(Recording({**x.channels, **volts}, x.fs_hz), baseline_without_zero_sequence)
    assert d.indicators["phase"] == "a"
    assert d.indicators["capacitance_change_f"] == pytest.approx(0.2 * FARADS[0], rel=0.01)


def test_healthy_records_with_a_baseline_are_quiet(
    baseline_without_zero_sequence: Baseline,
) -> None:
    records = [
        insulation(balanced(0, seed=100 + s), baseline_without_zero_sequence) for s in range(40)
    ]
    assert {d.state for d in records} == {"unknown"}
    assert all(QUIET in d.evidence for d in records)
