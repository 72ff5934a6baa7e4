"""Wrong ratios, units and channels make figures that look like faults; none may be called one."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.current import plausibility
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Diagnosis, Recording

CHANNELS = (*CURRENTS, *VOLTAGES, "leakage")
EARTH = {"earth_s": (1e-8,) * 3, "earth_f": (5e-9, 5.3e-9, 4.9e-9), "third": 0.01}
SOUND = recording(Machine(**EARTH), 10.0, channels=CHANNELS)  # type: ignore[arg-type]
Change = Callable[[dict[str, Array]], None]


def scale(ratio: float, *names: str) -> Change:
    def change(channels: dict[str, Array]) -> None:
        for name in names:
            channels[name] = channels[name] * ratio

    return change


def copy(source: str, *targets: str) -> Change:
    def change(channels: dict[str, Array]) -> None:
        for target in targets:
            channels[target] = channels[source]

    return change


def interleave(*names: str) -> Change:
    """Channels that were written sample by sample, and read one after the other."""

    def change(channels: dict[str, Array]) -> None:
        stream = np.stack([channels[n] for n in names]).T.ravel()
        channels.update(zip(names, np.split(stream, len(names)), strict=True))

    return change


def quantise(steps: float, *names: str) -> Change:
    def change(channels: dict[str, Array]) -> None:
        for name in names:
            step = np.abs(channels[name]).max() / steps
            channels[name] = np.rint(channels[name] / step) * step

    return change


def diagnoses(change: Change, rate: float = 1.0) -> dict[str, Diagnosis]:
    channels = dict(SOUND.channels)
    change(channels)
    x = Recording(channels, rate * SOUND.fs_hz)
    (found,) = diagnose_batch(
        [DiagnosisInput(x, replace(MOTOR, rotor_bars=28), None)], list(FAULTS)
    )
    return {d.fault: d for d in found}


@pytest.mark.parametrize(
    ("change", "fault", "code"),
    [
        (scale(1000, *CURRENTS), "turn_short", "current_far_above_rated"),
        (scale(1000, *CURRENTS), "broken_bar", "current_far_above_rated"),
        (scale(1.9, *CURRENTS), "broken_bar", "current_far_above_rated"),
        (scale(0.001, *CURRENTS), "turn_short", "current_far_below_rated"),
        (scale(1000, "ib"), "turn_short", "channel_scale_differs"),
        (scale(1000, "ib"), "broken_bar", "channel_scale_differs"),
        (quantise(16, *CURRENTS), "turn_short", "converter_resolution"),
        (quantise(16, "ib"), "broken_bar", "converter_resolution"),
        (quantise(16, "vb"), "insulation", "converter_resolution"),
        (scale(1000, *VOLTAGES), "insulation", "voltage_off_nameplate"),
        (scale(0.001, *VOLTAGES), "insulation", "voltage_off_nameplate"),
        (scale(-1, "vb"), "insulation", "voltages_of_no_supply"),
        (scale(1.3, "va"), "insulation", "voltages_of_no_supply"),
        (scale(3**0.5, *VOLTAGES), "insulation", "voltages_between_lines"),
        (copy("va", "vb"), "turn_short", "voltages_of_no_supply"),
        (copy("va", "vb", "vc"), "insulation", "voltages_of_no_supply"),
        (interleave("ia", "ib"), "turn_short", "supply_not_found"),
        (scale(1000, "leakage"), "insulation", "leakage_implausible"),
        (scale(0, "vc"), "insulation", "samples_constant"),
        (scale(0.001, "vc"), "insulation", "voltages_of_no_supply"),
        (scale(1000, "va"), "insulation", "channel_scale_differs"),
        (copy("ia", "leakage"), "insulation", "leakage_as_large_as_phase_current"),
        (scale(0.001, "leakage"), "insulation", "leakage_implausible"),
    ],
)
def test_what_no_machine_shows_is_unknown_with_its_reason(
    change: Change, fault: str, code: str
) -> None:
    found = diagnoses(change)
    assert (found[fault].state, found[fault].code) == ("unknown", code)
    assert {d.state for d in found.values()} <= {"unknown", "normal"}


def switch_off(start_s: float, end_s: float) -> Change:
    def change(channels: dict[str, Array]) -> None:
        off = slice(round(start_s * SOUND.fs_hz), round(end_s * SOUND.fs_hz))
        rng = np.random.default_rng(0)
        for name in CURRENTS:
            channels[name] = channels[name].copy()
            channels[name][off] = 1e-3 * rng.standard_normal(len(channels[name][off]))

    return change


def test_a_motor_that_is_switched_off_within_the_record_runs_down() -> None:
    d = diagnoses(switch_off(9.0, 10.0))["turn_short"]
    assert (d.state, d.code) == ("unknown", "motor_runs_down")
    assert d.values["end_s"] == pytest.approx(9.0, abs=0.05)


@pytest.mark.parametrize("times_s", [(0.0, 5.0), (3.0, 6.0)])
def test_a_motor_that_was_switched_within_the_record(times_s: tuple[float, float]) -> None:
    d = diagnoses(switch_off(*times_s))["turn_short"]
    assert (d.state, d.code) == ("unknown", "switched_within_record")
    assert d.values["off_s"] == pytest.approx(times_s[1] - times_s[0], abs=0.2)


def cut_out(start_s: float, end_s: float) -> Change:
    def change(channels: dict[str, Array]) -> None:
        lost = slice(round(start_s * SOUND.fs_hz), round(end_s * SOUND.fs_hz))
        channels.update({n: np.delete(x, lost) for n, x in channels.items()})

    return change


@pytest.mark.parametrize("fault", ["turn_short", "eccentricity", "broken_bar"])
def test_samples_are_missing_where_the_phase_of_the_voltages_jumps(fault: str) -> None:
    assert diagnoses(cut_out(4.0, 4.5055))[fault].code == "supply_phase_jumps"


@pytest.mark.parametrize("fault", ["turn_short", "insulation"])
def test_a_wrong_rate_contradicts_the_supply_of_the_nameplate(fault: str) -> None:
    assert diagnoses(scale(1.0), rate=2.0)[fault].code == "supply_off_nameplate"


def test_a_sound_machine_is_plausible() -> None:
    codes = {d.code for d in diagnoses(scale(1.0)).values()}
    assert not codes & {
        "current_far_above_rated",
        "current_far_below_rated",
        "channel_scale_differs",
        "voltage_off_nameplate",
        "voltages_of_no_supply",
        "leakage_as_large_as_phase_current",
    }


def test_voltages_during_an_earth_fault_are_plausible() -> None:
    """Phase a lies on earth, b and c rise to the voltage between lines."""
    turn = np.exp(2j * np.pi / 3)
    to_earth = np.array([1, 1 / turn, turn]) - 1
    assert plausibility.voltages_to_earth_problem(to_earth) is None
    assert plausibility.channel_scale_problem(VOLTAGES, np.abs(to_earth).tolist()) is None


@pytest.mark.parametrize(("capacitance_f", "spread_f"), [(5e-9, 0.0), (1e-6, 0.0), (4e-6, 2e-6)])
def test_a_winding_may_have(capacitance_f: float, spread_f: float) -> None:
    assert plausibility.capacitance_problem(capacitance_f, spread_f) is None


@pytest.mark.parametrize(
    ("capacitance_f", "spread_f"), [(5e-12, 1e-10), (-1e-11, 1e-10), (1.5e-5, 1e-6)]
)
def test_no_winding_has(capacitance_f: float, spread_f: float) -> None:
    problem = plausibility.capacitance_problem(capacitance_f, spread_f)
    assert problem is not None
    assert problem.code == "leakage_implausible"


EVEN = 230 * np.exp(-2j * np.pi / 3 * np.arange(3))


@pytest.mark.parametrize(
    ("leakage_a", "load_a", "voltages", "code"),
    [
        (0.025, 10.0, EVEN, None),  # 9 kohm
        (2.0, 100.0, EVEN, None),
        (0.2, 2.0, EVEN, None),
        (1.0, 10.0, EVEN, "leakage_larger_than_earth_fault"),
        (1.0, 10.0, EVEN - EVEN[0], None),  # phase a lies on earth
    ],
)
def test_leakage_is_that_of_an_earth_fault_at_most(
    leakage_a: float, load_a: float, voltages: np.ndarray, code: str | None
) -> None:
    problem = plausibility.earth_fault_problem(leakage_a, load_a, voltages)
    assert (problem and problem.code) == code
