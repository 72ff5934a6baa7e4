from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import (
    CHANNELS,
    GAINS,
    healthy_baseline,
    turn_short,
)
from vtox import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS


@pytest.mark.parametrize(
    ("hz", "basis"), [(50.0, "voltage and baseline"), (38.0, "voltage, no baseline")]
)
def test_a_baseline_applies_at_its_supply_frequency(hz: float, basis: str) -> None:
    drive = replace(MOTOR, supply="inverter")
    runs = [recording(Machine(hz=51.0), 2.0, channels=CHANNELS, seed=k) for k in range(3)]
    learnt = learn_baseline(runs, drive)
    assert learnt.asymmetry is not None
    assert learnt.asymmetry.supply_hz == pytest.approx(51.0, abs=0.01)
    d = turn_short(recording(Machine(hz=hz, v2=0.01), channels=CHANNELS), learnt, drive)
    assert d.indicators["basis"] == basis
    if hz == 38.0:
        assert d.code == "no_baseline_at_frequency"
        assert d.values["f0_hz"] == pytest.approx(38.0, abs=0.05)
        assert d.values["baseline_hz"] == pytest.approx(51.0, abs=0.05)


def test_a_baseline_of_currents_applies_at_its_loads() -> None:
    narrow = learn_baseline([recording(Machine(load=1.0), 2.0)], MOTOR)
    assert turn_short(recording(Machine(load=1.0)), narrow).state == "normal"
    d = turn_short(recording(Machine(load=0.1)), narrow)
    assert (d.state, d.code) == ("unknown", "no_baseline_at_load")


def test_a_baseline_that_saw_the_supply_move_expects_it_to_move_farther() -> None:
    learnt = healthy_baseline(CURRENTS, v2_max=0.01)
    for turn in range(8):
        v2 = 0.03 * np.exp(2j * np.pi * turn / 8)
        d = turn_short(recording(Machine(load=0.7, v2=v2, gains=GAINS), seed=turn), learnt)
        assert (d.state, d.code) == ("unknown", "supply_not_excluded")
        assert d.values["limit_ratio"] == pytest.approx(0.2 / 0.77, rel=0.1)


def test_a_baseline_learnt_with_voltages_needs_them(baseline_with_voltages: Baseline) -> None:
    d = turn_short(recording(Machine()), baseline_with_voltages)
    assert (d.state, d.code) == ("unknown", "baseline_needs_voltages")
    assert d.indicators["basis"] == "currents, no baseline"


def test_voltages_that_cannot_be_used_are_named_before_the_baseline_that_needs_them(
    baseline_with_voltages: Baseline,
) -> None:
    x = recording(Machine(), channels=CHANNELS)
    broken = replace(x, channels={**x.channels, "vc": 10 * x.channels["vc"]})
    d = turn_short(broken, baseline_with_voltages)
    assert (d.state, d.code) == ("unknown", "channel_scale_differs")
