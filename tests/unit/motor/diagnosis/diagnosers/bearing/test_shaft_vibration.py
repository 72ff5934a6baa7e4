"""The doubts about the shaft of a sound bearing."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.vibration import MOTOR, Machine, defect, recording
from tests.unit.motor.diagnosis.diagnosers.bearing.cases import diagnose, doubts
from vtox.motor.values.domain import Diagnosis, Motor

CODES = {"unbalance_lines", "misalignment_lines", "looseness_lines"}


def shaft(*sizes: float, halves: float = 0.0, motor: Motor = MOTOR) -> Diagnosis:
    """Diagnose a sound machine by the size of its shaft lines, m/s^2, and of 0.5x and 1.5x."""
    x = recording(Machine(shaft=sizes), 4.0)
    t = np.arange(x.samples) / x.fs_hz
    samples = x.channels["vibration"].copy()
    for order in (0.5, 1.5):
        samples += (halves * np.cos(2 * np.pi * order * 24.3 * t)).astype(np.float32)
    return diagnose(replace(x, channels={"vibration": samples}), motor)


def observations(d: Diagnosis) -> list[str]:
    return [code for code in doubts(d) if code in CODES]


@pytest.mark.parametrize(
    ("sizes", "halves", "codes"),
    [
        ((0.3, 0.1), 0.0, []),
        ((2.0, 0.5), 0.0, ["unbalance_lines"]),
        ((2.0, 2.5), 0.0, ["misalignment_lines"]),
        ((0.2, 0.1, 3.0), 0.0, ["misalignment_lines"]),
        ((2.0, 0.5), 0.5, ["looseness_lines"]),
    ],
)
def test_shaft_lines_are_named_beside_a_sound_bearing(
    sizes: tuple[float, ...], halves: float, codes: list[str]
) -> None:
    d = shaft(*sizes, halves=halves)
    assert (d.state, d.code) == ("normal", "no_defect_comb")
    assert observations(d) == codes


def test_the_velocity_of_the_lines_is_given() -> None:
    (seen,) = [r for r in shaft(2.0, 0.0).doubts if r.code in CODES]
    # 2 m/s^2 at 24.3 Hz.
    assert seen.values["once_mm_s"] == pytest.approx(2e3 / 2**0.5 / (2 * np.pi * 24.3), rel=0.03)
    assert seen.values["velocity_mm_s"] == pytest.approx(seen.values["once_mm_s"], rel=0.05)
    assert (seen.values["order"], seen.values["channel"]) == (1.0, "vibration")


def test_an_observation_changes_no_state_and_no_confidence() -> None:
    loud, quiet = shaft(5.0), shaft(0.2)
    assert observations(loud)
    assert (loud.state, loud.severity) == (quiet.state, quiet.severity)
    assert loud.confidence == pytest.approx(quiet.confidence, abs=0.1)


def test_magnetic_pull_is_not_the_shafts() -> None:
    # Four times a turn at no load is twice the supply; on a drive it lies there at any load.
    pull = Machine(shaft_hz=24.97, shaft=(0.1,), supply=6.0)
    assert observations(diagnose(recording(pull, 4.0))) == []
    drive = replace(MOTOR, supply="inverter", supply_hz=None)
    assert observations(diagnose(recording(pull, 4.0), drive)) == []


def test_nothing_is_said_of_the_shaft_where_a_race_is_damaged() -> None:
    d = diagnose(recording(Machine(shaft=(5.0,), impacts=(defect("BPFO", 2.0),)), 4.0))
    assert d.code == "bearing_defect"
    assert observations(d) == []


def test_nothing_is_said_at_an_uncertain_speed() -> None:
    assert observations(diagnose(recording(Machine(shaft=(5.0,)), 4.0, speed=False))) == []
