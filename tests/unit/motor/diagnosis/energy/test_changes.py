"""The change of one motor between two times: its interval is narrow and covers the truth."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.motor_model.plants import Plant
from tests.signals.loaded_motor import MACHINES, Loaded, loaded, nameplate, terminals
from tests.unit.motor.diagnosis.energy.test_rated_losses import MOTOR
from vtox.motor.diagnosis.dsp.power import power_sums
from vtox.motor.diagnosis.energy.changes import energy_change
from vtox.motor.diagnosis.energy.rated_losses import rated_columns
from vtox.motor.diagnosis.energy.shaft_load import shaft_load
from vtox.motor.values.domain import Motor
from vtox.motor.values.energy import MeterCounts
from vtox.motor.values.terminal_power import POWERS

HOUR_S = 3600
HOUR = MeterCounts(estimated_ms=3_600_000, powered_ms=3_600_000, shaft_j=30_000_000, lost_j=3 << 20)


def hour(x: Loaded, motor: Motor, gain: complex) -> tuple[MeterCounts, float]:
    """Count one hour at a state, clamps wrong by `gain`; and the half width of its losses, W."""
    i, v = terminals(x)
    sums = power_sums(np.hstack([gain * i, v]), np.zeros((1, 6, 39), np.complex64))
    load = shaft_load(sums, np.array([x.hz]), None, rated_columns([motor]))
    counts = MeterCounts(
        powered_ms=1000 * HOUR_S,
        estimated_ms=1000 * HOUR_S,
        shaft_j=round(HOUR_S * load.shaft_w[0]),
        lost_j=round(HOUR_S * load.loss_w[0]),
        reactive_vars=round(HOUR_S * sums[0, POWERS][1]),
    )
    return counts, float(load.loss_half_w[0])


@pytest.mark.parametrize("plant", MACHINES, ids=lambda p: p.name)
def test_the_interval_covers_the_change_and_is_narrower(plant: Plant) -> None:
    rng = np.random.default_rng(3)
    covered, narrower = [], []
    for _ in range(40):
        motor = nameplate(plant, resistance=True)
        assert motor.rated_efficiency
        losses = (1 / motor.rated_efficiency - 1) * (1 + 0.05 * rng.normal())
        motor = replace(motor, rated_efficiency=1 / (1 + losses))
        clamps = 1 + 0.005 * rng.normal() + 0.0026j * rng.normal()
        states = []
        for torque in rng.uniform(0.5, 1.1, 2):
            warm = 1 + 0.04 * rng.normal()
            warmed = replace(
                plant, stator_ohm=warm * plant.stator_ohm, rotor_ohm=warm * plant.rotor_ohm
            )
            states.append(loaded(warmed, torque))
        hours = [hour(x, motor, clamps) for x in states]
        found = energy_change(motor, *(counts for counts, _ in hours))
        assert found.loss_w is not None
        assert found.loss_half_w is not None
        true_w = np.diff([x.input_w - x.shaft_w for x in states])[0]
        covered.append(abs(found.loss_w - true_w) <= found.loss_half_w)
        narrower.append(found.loss_half_w / np.hypot(*(half_w for _, half_w in hours)))
    assert np.mean(covered) >= 0.9
    assert np.median(narrower) < 0.6


@pytest.mark.parametrize(
    ("motor", "before", "after", "code"),
    [
        (None, HOUR, HOUR, "rated_power_unknown"),
        (replace(MOTOR, supply="inverter", stator_resistance_ohm=0.5), HOUR, HOUR,
         "change_on_inverter_unknown"),
        (MOTOR, MeterCounts(), HOUR, "no_estimated_hours_before"),
        (MOTOR, HOUR, MeterCounts(), "no_estimated_hours"),
    ],
)  # fmt: skip
def test_an_unknown_change_has_a_code(
    motor: Motor | None, before: MeterCounts, after: MeterCounts, code: str
) -> None:
    found = energy_change(motor, before, after)
    assert (found.code, found.loss_w) == (code, None)
