"""Drives whose control makes lines at 2sf: never a fault of the rotor cage, and named."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Motor

DRIVE = replace(MOTOR, supply="inverter")
BROKEN = Machine(lower_dbc=-42.0, upper_dbc=-48.0, slot_dbc=-60.0, tip_rad=0.64 - np.pi / 2)
TWICE_SLIP_HZ = 2 * BROKEN.slip * BROKEN.f0_hz


def diagnosis(
    m: Machine,
    motor: Motor,
    *,
    volts_rad: float = 0.0,
    volts: float = 0.0,
    phase: float = 0.0,
    lag_rad: float = 0.0,
    follows: float = 0.0,
) -> Diagnosis:
    """Return the diagnosis if the voltage carries a line of `volts` at 2sf and an angle.

    Its phase swings by `phase` of its amplitude's swing. The current lags it by `lag_rad`, and the
    phase of the current swings by `follows` of that.
    """
    quiet = replace(m, lower_dbc=-300.0, upper_dbc=-300.0, swing=0.0)
    r, clean = (recording(x, np.random.default_rng(1)) for x in (m, quiet))
    t = np.arange(r.samples) / r.fs_hz
    swing = volts * np.cos(2 * np.pi * TWICE_SLIP_HZ * t + volts_rad)
    x = np.stack([clean.channels[c] for c in CURRENTS])
    turned = (np.roll(x, 1, axis=0) - np.roll(x, -1, axis=0)) / np.sqrt(3)
    for name, swung in zip(CURRENTS, follows * phase * swing * turned, strict=True):
        r.channels[name] += swung.astype(np.float32)
    turned, x = (
        turned * np.cos(lag_rad) + x * np.sin(lag_rad),
        x * np.cos(lag_rad) - turned * np.sin(lag_rad),
    )
    moved = 28 * (x * (1 + swing) + turned * phase * swing)
    measured = dict(zip(VOLTAGES, moved.astype(np.float32), strict=True))
    r = replace(r, channels={**r.channels, **measured})
    (d,) = broken_bar.diagnose(front_end([r], [motor]), [None])
    return d


def test_broken_bars_on_a_drive_with_quiet_voltages_are_found() -> None:
    d = diagnosis(BROKEN, DRIVE)
    assert (d.state, d.code) == ("fault", "rotor_asymmetry")


@pytest.mark.parametrize("volts_rad", [0.0, 1.5, 3.0, 4.5])
@pytest.mark.parametrize("volts", [0.004, 0.01, 0.03])
def test_lines_that_the_control_puts_into_the_voltage_are_no_fault(
    volts: float, volts_rad: float
) -> None:
    """With vector control the voltage answers the current, at any angle."""
    d = diagnosis(BROKEN, DRIVE, volts=volts, volts_rad=volts_rad)
    assert (d.state, d.code) == ("unknown", "sidebands_in_voltage")


@pytest.mark.parametrize(
    ("phase", "code"),
    [(0.03, "sidebands_in_voltage"), (1.0, "rotor_asymmetry"), (30.0, "sidebands_in_voltage")],
)
def test_control_that_answers_the_cage_moves_amplitude_and_phase(phase: float, code: str) -> None:
    """A direct voltage that flickers moves the amplitude alone, a speed that swings the phase."""
    d = diagnosis(BROKEN, DRIVE, volts=0.01 / max(1.0, phase), volts_rad=3.0, phase=phase)
    assert (d.state, d.code) == ("warning" if code == "rotor_asymmetry" else "unknown", code)
    d = diagnosis(BROKEN, MOTOR, volts=0.01 / max(1.0, phase), volts_rad=3.0, phase=phase)
    assert d.code == "sidebands_in_voltage"


@pytest.mark.parametrize("phase", [8.0, 30.0])
def test_a_find_of_the_currents_stays_where_control_swings_the_voltage(phase: float) -> None:
    line = {"volts": 0.01 / phase, "volts_rad": 3.0, "phase": phase, "lag_rad": 0.6}
    d = diagnosis(BROKEN, DRIVE, **line)
    assert (d.state, d.code) == ("warning", "rotor_asymmetry")
    assert [x.code for x in d.doubts] == ["flicker_not_excluded", "sidebands_in_voltage"]
    assert diagnosis(BROKEN, MOTOR, **line).code == "sidebands_in_voltage"


def test_a_find_at_an_estimated_slip_falls_where_a_load_swings_the_speed() -> None:
    no_slots = replace(BROKEN, slot_dbc=-300.0)
    line = {"volts": 0.03 / 30, "volts_rad": 3.0, "phase": 30.0, "lag_rad": 0.6}
    kept, swinging = (diagnosis(no_slots, DRIVE, follows=x, **line) for x in (0.0, 1.0))
    assert (kept.state, kept.code) == ("warning", "rotor_asymmetry")
    assert (swinging.state, swinging.code) == ("unknown", "sidebands_in_voltage")


@pytest.mark.parametrize("swing", [0.003, 0.01, 0.03])
@pytest.mark.parametrize("motor", [DRIVE, MOTOR])
def test_lines_at_half_the_distance_are_no_rotor_cage(swing: float, motor: Motor) -> None:
    """A gain that swings at sf and its second harmonic, which has the shape of broken bars."""
    d = diagnosis(replace(BROKEN, swing=swing, swing_hz=TWICE_SLIP_HZ / 2), motor)
    assert (d.state, d.code) == ("unknown", "sidebands_are_harmonics")
    assert d.values["half_dbc"] == pytest.approx(20 * np.log10(swing * 0.54), abs=1.5)


def test_a_line_far_weaker_at_half_the_distance_does_not_hide_broken_bars() -> None:
    d = diagnosis(replace(BROKEN, swing=5e-4, swing_hz=TWICE_SLIP_HZ / 2), DRIVE)
    assert d.state == "fault"
