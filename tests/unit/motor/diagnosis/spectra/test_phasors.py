"""Phasors of a recording, and that their ratios are those of the diagnosis."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals import phasor_motor
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.diagnosis.spectra.phasors import phasors
from vtox.motor.errors import SpectrumError
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording

BOTH = (*CURRENTS, *VOLTAGES)
MACHINE = replace(phasor_motor.Machine(), v2=0.02, short_a=3.0)


def test_channels_stand_120_degrees_apart_and_currents_lag() -> None:
    x = phasor_motor.recording(phasor_motor.Machine(), channels=BOTH)
    found = phasors(x, phasor_motor.MOTOR)
    by_name = {p.channel: p for p in found.phasors}
    assert list(by_name) == [*VOLTAGES, *CURRENTS]
    assert by_name["va"].angle_deg == pytest.approx(0.0, abs=1e-6)
    assert by_name["vb"].angle_deg == pytest.approx(-120.0, abs=0.1)
    assert by_name["vc"].rms == pytest.approx(phasor_motor.RATED_V, rel=1e-3)
    lag_deg = np.degrees(np.arctan2(0.5, 0.8 * 0.85))
    assert by_name["ia"].angle_deg == pytest.approx(-lag_deg, abs=0.2)
    assert found.lag_deg == pytest.approx(lag_deg, abs=0.2)
    assert found.supply_hz == pytest.approx(50.02, abs=1e-3)


def test_the_unbalance_is_that_of_the_diagnosis() -> None:
    x = phasor_motor.recording(MACHINE, 2.0, channels=BOTH)
    found = phasors(x, phasor_motor.MOTOR)
    (d,) = diagnose(x, phasor_motor.MOTOR, faults={"turn_short"})
    assert found.negative_sequence_ratio == pytest.approx(
        d.indicators["negative_sequence_ratio"], abs=2e-5
    )
    assert found.voltage_unbalance_ratio == pytest.approx(0.02, abs=1e-3)


def test_without_voltages_the_first_current_is_the_reference() -> None:
    found = phasors(phasor_motor.recording(MACHINE), None)
    assert found.phasors[0].channel == "ia"
    assert found.phasors[0].angle_deg == pytest.approx(0.0, abs=1e-6)
    assert (found.voltage_unbalance_ratio, found.lag_deg) == (None, None)


def test_a_reversed_clamp_is_shown_as_it_is_wired() -> None:
    m = replace(phasor_motor.Machine(), gains=(1.0, -1.0, 1.0))
    found = phasors(phasor_motor.recording(m), phasor_motor.MOTOR)
    assert found.phasors[1].angle_deg == pytest.approx(60.0, abs=0.2)


def test_one_current_has_no_sequences() -> None:
    found = phasors(phasor_motor.recording(MACHINE, channels=("ia",)), None)
    assert (found.negative_sequence_ratio, found.zero_sequence_ratio) == (None, None)


@pytest.mark.parametrize("samples", [8, 4000])
def test_without_a_supply_there_are_none(samples: int) -> None:
    with pytest.raises(SpectrumError):
        phasors(Recording({"ia": np.zeros(samples)}, 2000.0), None)
