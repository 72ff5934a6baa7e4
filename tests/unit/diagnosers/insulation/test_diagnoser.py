from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import diagnose, learn_baseline
from vtox.baseline import Baseline
from vtox.domain import CURRENTS, QUIET, VOLTAGES, Diagnosis, Recording

ALL = (*CURRENTS, *VOLTAGES, "leakage")
HEALTHY = (1e-8, 1e-8, 1e-8)
NANO = (5e-9, 5.05e-9, 4.95e-9)


def judge(x: Recording, baseline: Baseline | None = None) -> Diagnosis:
    (found,) = diagnose(x, MOTOR, faults=["insulation"], baseline=baseline)
    return found


def doubts(found: Diagnosis) -> list[str]:
    return [d.code for d in found.doubts]


def machine(**values: object) -> Machine:
    usual = {"earth_s": HEALTHY, "earth_f": NANO, "third": 0.01, "v0": 0.003, "v2": 0.01j}
    return Machine(**(usual | values))  # type: ignore[arg-type]


def test_the_whole_winding_shows_through_the_third_harmonic() -> None:
    found = judge(recording(machine(), fs_hz=10_000.0, channels=ALL))
    assert (found.state, found.code) == ("normal", "insulation_sound")
    assert found.indicators["whole_winding"] is True
    assert found.indicators["capacitance_f"] == pytest.approx(15e-9, rel=0.01)


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize(("siemens", "state"), [(1e-6, "warning"), (5e-6, "fault")])
def test_a_leaking_phase_is_measured_and_named(phase: int, siemens: float, state: str) -> None:
    earth_s = [1e-8, 1e-8, 1e-8]
    earth_s[phase] = siemens
    x = recording(machine(earth_s=tuple(earth_s)), fs_hz=10_000.0, channels=ALL)
    found = judge(x)
    assert (found.state, found.code) == (state, "phase_leaks")
    assert found.values["phase"] == found.indicators["phase"] == "abc"[phase]
    assert found.values["resistance_megohm"] == pytest.approx(1e-6 / siemens, rel=0.15)
    assert found.indicators["conductance_s"] == pytest.approx(siemens + 2e-8, rel=0.1)
    assert found.indicators["capacitance_f"] == pytest.approx(15e-9, rel=0.02)


def test_a_loss_in_all_phases_shows_too() -> None:
    found = judge(recording(machine(earth_s=(2e-6,) * 3), fs_hz=10_000.0, channels=ALL))
    assert (found.state, found.code) == ("fault", "winding_leaks")
    assert found.indicators["conductance_s"] == pytest.approx(6e-6, rel=0.1)


def test_balanced_voltages_show_only_what_differs_between_the_phases() -> None:
    m = Machine(earth_s=(0.0, 2e-6, 0.0), earth_f=(0.0, 5e-9, 0.0))
    found = judge(recording(m, fs_hz=10_000.0, channels=ALL))
    assert found.indicators["whole_winding"] is False
    assert found.indicators["conductance_s"] == pytest.approx(2e-6, rel=0.02)
    assert found.indicators["capacitance_f"] == pytest.approx(5e-9, rel=0.01)
    assert "equal_loss_not_excluded" in doubts(found)


@pytest.mark.parametrize("siemens", [1e-8, 2e-5])
@pytest.mark.parametrize("learnt", [False, True])
def test_a_loss_equal_in_all_phases_is_not_said_to_be_none(
    unseen: Baseline, siemens: float, learnt: bool
) -> None:
    """50 kohm in every phase cancel to nothing against balanced voltages."""
    m = Machine(earth_s=(siemens,) * 3, earth_f=NANO, v2=0.01j)
    found = judge(recording(m, fs_hz=2_000.0, channels=ALL), unseen if learnt else None)
    assert (found.state, found.severity, found.confidence) == ("unknown", None, 0.0)
    assert QUIET in found.evidence
    assert found.code == "no_phase_leaks"
    assert found.values["possible_microsiemens"] < 1
    assert "equal_loss_not_excluded" in doubts(found)
    assert found.indicators["resistance_40c_ohm"] is None


def test_capacitance_is_judged_against_the_baseline() -> None:
    learnt = learn_baseline(
        [recording(machine(), 3.0, 10_000.0, channels=ALL, seed=s) for s in range(3)], MOTOR
    )
    same = judge(recording(machine(), fs_hz=10_000.0, channels=ALL, seed=9), learnt)
    assert same.code == "insulation_sound"
    assert same.confidence > judge(recording(machine(), fs_hz=10_000.0, channels=ALL)).confidence
    wet = machine(earth_f=tuple(1.2 * c for c in NANO))
    found = judge(recording(wet, fs_hz=10_000.0, channels=ALL), learnt)
    assert (found.state, found.code) == ("warning", "winding_capacitance_changed")
    assert found.indicators["capacitance_change_f"] == pytest.approx(3e-9, rel=0.1)
    assert found.values["change_nanofarad"] == pytest.approx(3, rel=0.1)


def balanced(phase: int, *, farads: float = 1.0, siemens: float = 0.0, seed: int = 9) -> Recording:
    """A supply without zero sequence; one phase has so many times its capacitance, or leaks."""
    earth_s, earth_f = list(HEALTHY), list(NANO)
    earth_s[phase] += siemens
    earth_f[phase] *= farads
    m = Machine(earth_s=tuple(earth_s), earth_f=tuple(earth_f), v2=0.01j)
    return recording(m, fs_hz=2_000.0, channels=ALL, seed=seed)


@pytest.fixture(scope="module")
def unseen() -> Baseline:
    return learn_baseline([balanced(0, seed=s) for s in range(12)], MOTOR)


@pytest.mark.parametrize("phase", [0, 1, 2])
@pytest.mark.parametrize("farads", [0.8, 1.2])
def test_a_shift_of_one_phase_has_its_size_and_phase(
    unseen: Baseline, phase: int, farads: float
) -> None:
    found = judge(balanced(phase, farads=farads), unseen)
    assert (found.state, found.code) == ("warning", "phase_capacitance_changed")
    assert found.values["phase"] == found.indicators["phase"] == "abc"[phase]
    change_f = (farads - 1) * NANO[phase]
    assert found.indicators["capacitance_change_f"] == pytest.approx(change_f, rel=0.01)
    assert found.indicators["conductance_s"] == pytest.approx(0, abs=1e-8)
    assert found.severity is not None
    assert found.severity >= 0.25


def test_a_shift_that_a_leaking_phase_would_explain_names_it(unseen: Baseline) -> None:
    found = judge(balanced(2, farads=0.8), unseen)
    others = {e["phase"]: e for e in found.evidence if e["kind"] == "alternative"}
    assert "a" in others
    assert others["a"]["conductance_change_s"] > 0


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_a_leak_is_told_from_unequal_phases_by_the_baseline(unseen: Baseline, phase: int) -> None:
    found = judge(balanced(phase, siemens=1e-6, farads=1.02), unseen)
    assert (found.state, found.code) == ("warning", "phase_leaks")
    assert found.indicators["phase"] == "abc"[phase]
    assert found.indicators["conductance_s"] == pytest.approx(1e-6, rel=0.01)
    assert found.indicators["capacitance_change_f"] == pytest.approx(0.02 * NANO[phase], rel=0.1)


def test_a_baseline_learnt_with_a_leak_does_not_hide_it() -> None:
    leaking = learn_baseline([balanced(1, siemens=5e-6, seed=s) for s in range(12)], MOTOR)
    found = judge(balanced(1, siemens=5e-6), leaking)
    assert (found.state, found.code) == ("fault", "phase_leaks")
    assert found.indicators["conductance_s"] == pytest.approx(5e-6, rel=0.05)


def fifth(phase: int, *, farads: float, siemens: float) -> Recording:
    """As `balanced`, with 2 % of fifth harmonic, turning backwards, that the leakage follows."""
    x = balanced(phase, farads=farads, siemens=siemens)
    earth_s, earth_f = np.array(HEALTHY), np.array(NANO)
    earth_s[phase] += siemens
    earth_f[phase] *= farads
    t = 10 * np.pi * 50.02 * np.arange(x.samples) / x.fs_hz
    volts = 6.5 * np.exp(1j * (t + 2 * np.pi / 3 * np.arange(3)[:, None]))
    amps = ((earth_s + 10j * np.pi * 50.02 * earth_f) @ volts).real
    added = dict(zip((*VOLTAGES, "leakage"), (*volts.real, amps), strict=True))
    return Recording({n: c + added.get(n, 0) for n, c in x.channels.items()}, x.fs_hz)


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_the_fifth_harmonic_tells_a_leak_with_water_from_lost_capacitance(phase: int) -> None:
    learnt = learn_baseline([fifth(0, farads=1, siemens=0)] * 4, MOTOR)
    wet = judge(fifth(phase, farads=1.2, siemens=5.5e-7), learnt)
    assert wet.indicators["phase"] == "abc"[phase]
    assert wet.indicators["conductance_s"] == pytest.approx(5.5e-7, rel=0.03)
    dry = judge(fifth(phase, farads=0.8, siemens=0), learnt)
    assert dry.indicators["phase"] == "abc"[phase]
    assert dry.indicators["capacitance_change_f"] == pytest.approx(-0.2 * NANO[phase], rel=0.02)
    assert not [e for e in dry.evidence if e["kind"] == "alternative"]


def test_harmonics_that_the_leakage_does_not_follow_are_not_heard(unseen: Baseline) -> None:
    x = balanced(0, farads=1.2)
    t = np.arange(x.samples) / x.fs_hz
    volts = {
        v: x.channels[v] + 5 * np.cos(10 * np.pi * 50.02 * t + k * 2 * np.pi / 3)
        for k, v in enumerate(VOLTAGES)
    }
    found = judge(Recording({**x.channels, **volts}, x.fs_hz), unseen)
    assert found.indicators["phase"] == "a"
    assert found.indicators["capacitance_change_f"] == pytest.approx(0.2 * NANO[0], rel=0.01)


def test_healthy_records_against_their_baseline_are_quiet(unseen: Baseline) -> None:
    found = [judge(balanced(0, seed=100 + s), unseen) for s in range(40)]
    assert {d.state for d in found} == {"unknown"}
    assert all(QUIET in d.evidence for d in found)


def test_warm_windings_are_judged_at_40_degrees() -> None:
    x = recording(machine(earth_s=(1.6e-6, 1e-8, 1e-8)), fs_hz=10_000.0, channels=ALL)
    warm = Recording(x.channels, x.fs_hz, temperature_c=80.0)
    assert judge(x).state == "fault"
    found = judge(warm)
    assert found.code == "no_phase_leaks"
    assert QUIET in found.evidence
    assert found.indicators["resistance_40c_ohm"] == pytest.approx(16 / 1.6e-6, rel=0.1)


def test_voltages_and_leakage_suffice() -> None:
    x = recording(machine(), fs_hz=10_000.0, channels=(*VOLTAGES, "leakage"))
    found = judge(x)
    assert (found.state, found.code) == ("normal", "insulation_sound")
    assert found.indicators["capacitance_f"] == pytest.approx(15e-9, rel=0.01)


@pytest.mark.parametrize(
    ("channels", "missing"),
    [
        (CURRENTS, ("leakage", *VOLTAGES)),
        ((*CURRENTS, *VOLTAGES), ("leakage",)),
        ((*CURRENTS, "leakage"), VOLTAGES),
        (("va", "leakage"), ("vb", "vc")),
    ],
)
def test_missing_channels_are_named(channels: tuple[str, ...], missing: tuple[str, ...]) -> None:
    found = judge(recording(machine(), channels=channels))
    assert (found.state, found.code) == ("unknown", "missing_channel")
    assert found.values["channels"] == missing


def between_lines(x: Recording) -> Recording:
    phases = [x.channels[v] for v in VOLTAGES]
    lines = [a - b for a, b in zip(phases, (*phases[1:], phases[0]), strict=True)]
    return replace(x, channels={**x.channels, **dict(zip(VOLTAGES, lines, strict=True))})


def test_voltages_between_lines_are_no_voltages_to_earth() -> None:
    x = recording(machine(earth_s=(1e-8, 5e-6, 1e-8)), fs_hz=10_000.0, channels=ALL)
    motor = replace(MOTOR, rated_voltage_v=400.0)
    (found,) = diagnose(between_lines(x), motor, faults=["insulation"])
    assert (found.state, found.code) == ("unknown", "voltages_between_lines")
    assert doubts(found) == ["voltages_to_earth_needed"]
    assert learn_baseline(between_lines(x), motor).any_load("insulation.unequal_s") is None
    assert diagnose(x, motor, faults=["insulation"])[0].state == "fault"


def test_a_reversed_transformer_says_so() -> None:
    x = recording(machine(earth_s=(2e-6,) * 3), fs_hz=10_000.0, channels=ALL)
    found = judge(replace(x, channels={**x.channels, "leakage": -x.channels["leakage"]}))
    assert (found.state, found.code) == ("unknown", "leakage_reversed")
    assert found.values["capacitance_nanofarad"] == pytest.approx(-15, rel=0.02)


def test_a_noisy_transformer_says_so() -> None:
    x = recording(machine(), fs_hz=10_000.0, channels=ALL)
    noise = np.random.default_rng(0).normal(size=x.samples) * 0.02
    loud = Recording({**x.channels, "leakage": x.channels["leakage"] + noise}, x.fs_hz)
    found = judge(loud)
    assert (found.state, found.code) == ("unknown", "leakage_too_noisy")


@pytest.mark.parametrize("noise_a", [1e-5, 1e-4])
def test_noise_that_hides_the_whole_winding_leaves_its_phases(noise_a: float) -> None:
    rng = np.random.default_rng(4)
    for seed in range(20):
        x = recording(machine(), channels=ALL, seed=seed)
        leakage = x.channels["leakage"] + noise_a * rng.normal(size=x.samples)
        found = judge(Recording({**x.channels, "leakage": leakage}, x.fs_hz))
        hidden = "equal_loss_not_excluded" in doubts(found)
        assert found.code == ("no_phase_leaks" if hidden else "insulation_sound")
        assert found.indicators["whole_winding"] is not hidden


def test_a_dead_transformer_says_so() -> None:
    x = recording(machine(), fs_hz=10_000.0, channels=ALL)
    dead = Recording({**x.channels, "leakage": np.zeros(x.samples)}, x.fs_hz)
    found = judge(dead)
    assert (found.state, found.code) == ("unknown", "samples_constant")
    assert found.values["channel"] == "leakage"


@pytest.mark.parametrize("temperature_c", [float("nan"), float("inf"), 1e6, -1e6])
def test_a_temperature_no_winding_has_is_none(temperature_c: float) -> None:
    x = recording(machine(), fs_hz=10_000.0, channels=ALL)
    found = judge(Recording(x.channels, x.fs_hz, temperature_c=temperature_c))
    assert found.indicators["temperature_c"] is None
    assert "temperature_unknown" in doubts(found)
