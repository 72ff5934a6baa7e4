"""The oracles: the signals contain their inputs, and their thresholds are those of 0.1 %."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation import oracle
from evaluation.families.catalogue import FAMILIES
from evaluation.families.machines import machine, record_case
from evaluation.motor_model.case import Faults
from evaluation.motor_model.records import records
from evaluation.runs.machines import nominal_levels_dbc
from vtox.motor.values.domain import Recording


@pytest.mark.long
def test_cage_oracle_measures_the_cage_alone_whatever_supply_and_load_do() -> None:
    """A flicker and a load at twice slip frequency make lines as strong as the broken bars do."""
    m = machine(FAMILIES[0], 0, seed=1)
    sound = record_case(m, 0)
    # The inertia holds the speed: with a ripple of it the lower sideband is weaker.
    sound = replace(sound, load=replace(sound.load, inertia=50.0))
    (quiet,) = records([sound], 3.0, 1_000.0)
    hz = 2 * quiet.truth.slip * quiet.truth.supply_hz
    flicker = replace(sound, supply=replace(sound.supply, flicker=5e-3, flicker_hz=hz))
    load = replace(sound, load=replace(sound.load, inertia=2.0, swing=0.05, swing_hz=hz))
    broken = replace(sound, faults=Faults(rotor_asymmetry=0.02))
    level = 10 ** (nominal_levels_dbc([broken])[0] / 20)
    made = records([sound, flicker, load, broken], 6.0, 1_000.0)
    *without, with_bars = [oracle.cage_statistic(r, circuit=True) for r in made]
    assert with_bars == pytest.approx(level, rel=0.3)
    assert max(without) < 0.1 * level


@pytest.mark.long
def test_turn_oracle_takes_off_what_the_supply_does() -> None:
    m = machine(FAMILIES[3], 0, seed=1)
    sound = [record_case(m, k) for k in range(6)]
    short = replace(sound[0], faults=replace(sound[0].faults, shorted_turns=0.01))
    made = list(records([*sound, short], 1.0, 2_000.0))
    learnt = [oracle.negative_sequence(r) for r in made[:5]]
    assert oracle.turn_statistic(made[-1], learnt) > 5 * oracle.turn_statistic(made[5], learnt)


def test_bearing_oracle_finds_impacts_at_the_order_it_is_given() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(40_000)
    turns = np.arange(40_000) / 10_000 * 25
    x *= 1 + 0.5 * np.cos(2 * np.pi * 3.58 * turns)
    vibration = Recording({"vibration": x}, 10_000.0)
    at, beside = (oracle.bearing_statistic(vibration, turns, [o]) for o in (3.58, 4.1))
    assert at > 2 * beside


def test_threshold_is_that_of_an_exponential_tail() -> None:
    rng = np.random.default_rng(2)
    limit = oracle.threshold(rng.exponential(1.0, 2_000))
    assert limit == pytest.approx(np.log(1 / oracle.FALSE_ALARMS), rel=0.25)
    assert np.isnan(oracle.threshold([]))
