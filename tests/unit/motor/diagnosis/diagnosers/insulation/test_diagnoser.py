import numpy as np
import pytest

from tests.signals.phasor_motor import Machine, recording
from tests.unit.motor.diagnosis.diagnosers.insulation.cases import (
    CHANNELS,
    FARADS,
    doubts,
    insulation,
    winding,
)
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import QUIET, Recording


def test_the_third_harmonic_shows_the_whole_winding() -> None:
    d = insulation(recording(winding(), fs_hz=10_000.0, channels=CHANNELS))
    assert (d.state, d.code) == ("normal", "insulation_sound")
    assert d.indicators["whole_winding"] is True
    assert d.indicators["capacitance_f"] == pytest.approx(15e-9, rel=0.01)


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize(("siemens", "state"), [(1e-6, "warning"), (5e-6, "fault")])
def test_a_leaking_phase_is_detected_with_its_name(phase: int, siemens: float, state: str) -> None:
    earth_s = [1e-8, 1e-8, 1e-8]
    earth_s[phase] = siemens
    x = recording(winding(earth_s=tuple(earth_s)), fs_hz=10_000.0, channels=CHANNELS)
    d = insulation(x)
    assert (d.state, d.code) == (state, "phase_leaks")
    assert d.values["phase"] == d.indicators["phase"] == "abc"[phase]
    assert d.values["resistance_megohm"] == pytest.approx(1e-6 / siemens, rel=0.15)
    assert d.indicators["conductance_s"] == pytest.approx(siemens + 2e-8, rel=0.1)
    assert d.indicators["capacitance_f"] == pytest.approx(15e-9, rel=0.02)


def test_a_loss_in_all_phases_is_detected() -> None:
    d = insulation(recording(winding(earth_s=(2e-6,) * 3), fs_hz=10_000.0, channels=CHANNELS))
    assert (d.state, d.code) == ("fault", "winding_leaks")
    assert d.indicators["conductance_s"] == pytest.approx(6e-6, rel=0.1)


def test_balanced_voltages_show_only_the_difference_between_phases() -> None:
    m = Machine(earth_s=(0.0, 2e-6, 0.0), earth_f=(0.0, 5e-9, 0.0))
    d = insulation(recording(m, fs_hz=10_000.0, channels=CHANNELS))
    assert d.indicators["whole_winding"] is False
    assert d.indicators["conductance_s"] == pytest.approx(2e-6, rel=0.02)
    assert d.indicators["capacitance_f"] == pytest.approx(5e-9, rel=0.01)
    assert "equal_loss_not_excluded" in doubts(d)


@pytest.mark.parametrize("siemens", [1e-8, 2e-5])
@pytest.mark.parametrize("learnt", [False, True])
def test_without_zero_sequence_no_winding_is_normal(
    baseline_without_zero_sequence: Baseline, siemens: float, learnt: bool
) -> None:
    """50 kohm in every phase cancel to nothing against balanced voltages."""
    m = Machine(earth_s=(siemens,) * 3, earth_f=FARADS, v2=0.01j)
    d = insulation(
        recording(m, fs_hz=2_000.0, channels=CHANNELS),
        baseline_without_zero_sequence if learnt else None,
    )
    assert (d.state, d.severity, d.confidence) == ("unknown", None, 0.0)
    assert QUIET in d.evidence
    assert d.code == "no_phase_leaks"
    assert d.values["possible_microsiemens"] < 1
    assert "equal_loss_not_excluded" in doubts(d)
    assert d.indicators["resistance_40c_ohm"] is None


def test_resistance_is_corrected_to_40_degrees() -> None:
    x = recording(winding(earth_s=(1.6e-6, 1e-8, 1e-8)), fs_hz=10_000.0, channels=CHANNELS)
    warm = Recording(x.channels, x.fs_hz, temperature_c=80.0)
    assert insulation(x).state == "fault"
    d = insulation(warm)
    assert d.code == "no_phase_leaks"
    assert QUIET in d.evidence
    assert d.indicators["resistance_40c_ohm"] == pytest.approx(16 / 1.6e-6, rel=0.1)


def test_a_noisy_transformer_leaves_the_insulation_unknown() -> None:
    x = recording(winding(), fs_hz=10_000.0, channels=CHANNELS)
    noise = np.random.default_rng(0).normal(size=x.samples) * 0.02
    loud = Recording({**x.channels, "leakage": x.channels["leakage"] + noise}, x.fs_hz)
    d = insulation(loud)
    assert (d.state, d.code) == ("unknown", "leakage_too_noisy")


@pytest.mark.parametrize("noise_a", [1e-5, 1e-4])
def test_noise_that_hides_the_whole_winding_leaves_its_phases(noise_a: float) -> None:
    rng = np.random.default_rng(4)
    for seed in range(20):
        x = recording(winding(), channels=CHANNELS, seed=seed)
        leakage = x.channels["leakage"] + noise_a * rng.normal(size=x.samples)
        d = insulation(Recording({**x.channels, "leakage": leakage}, x.fs_hz))
        hidden = "equal_loss_not_excluded" in doubts(d)
        assert d.code == ("no_phase_leaks" if hidden else "insulation_sound")
        assert d.indicators["whole_winding"] is not hidden


@pytest.mark.parametrize("temperature_c", [float("nan"), float("inf"), 1e6, -1e6])
def test_an_impossible_temperature_counts_as_unknown(temperature_c: float) -> None:
    x = recording(winding(), fs_hz=10_000.0, channels=CHANNELS)
    d = insulation(Recording(x.channels, x.fs_hz, temperature_c=temperature_c))
    assert d.indicators["temperature_c"] is None
    assert "temperature_unknown" in doubts(d)
