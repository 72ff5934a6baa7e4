from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from vtox import diagnose, learn_baseline
from vtox.motor.diagnosis.diagnosers.features import ROTATION_SIDEBANDS, SLIP_SIDEBANDS, SUPPLY
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_fit import fit
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences
from vtox.motor.diagnosis.learning.extension import (
    PERIOD_S,
    covers_load,
    extend_baseline,
    further_period,
    one_load,
    reason_not_to_extend,
)
from vtox.motor.values.baseline import RISE_DB, Asymmetry, Band, Baseline, Level
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Reason

BOTH = (*CURRENTS, *VOLTAGES)
UNRATED = Motor(pole_pairs=2, supply_hz=50.0)
NAME = ROTATION_SIDEBANDS[0]


def learnt(load: float, *, short_a: float = 0.0, channels: tuple[str, ...] = CURRENTS) -> Baseline:
    healthy = [
        recording(
            Machine(load=load, gains=(1.01, 1.0, 1.0), short_a=short_a),
            10.0,
            channels=channels,
            seed=seed,
        )
        for seed in range(4)
    ]
    found: Baseline = learn_baseline(healthy, MOTOR)
    return found


def bands(*levels: tuple[float, float], name: str = NAME) -> Baseline:
    """A baseline of one feature: (load, level) per band."""
    return Baseline(tuple(Band(a, a * 1.1, {name: Level(20, x, 0.2)}) for a, x in levels))


@pytest.mark.parametrize("channels", [CURRENTS, BOTH])
def test_a_load_learnt_later_is_judged_like_the_first(channels: tuple[str, ...]) -> None:
    low, high = learnt(0.5, channels=channels), learnt(0.9, channels=channels)
    load_a = high.asymmetry.low_a if high.asymmetry else 0.0
    assert not covers_load(low, load_a)
    assert reason_not_to_extend(low, high) is None
    both = extend_baseline(low, high, MOTOR)
    assert covers_load(both, load_a)
    assert both.asymmetry is not None
    assert (both.seconds, both.asymmetry.recordings) == (80.0, 8)
    for load in (0.5, 0.9):
        healthy = recording(Machine(load=load, gains=(1.01, 1.0, 1.0)), channels=channels, seed=9)
        short = recording(
            Machine(load=load, gains=(1.01, 1.0, 1.0), short_a=2.0), channels=channels, seed=9
        )
        states = [
            diagnose(x, MOTOR, faults=["turn_short"], baseline=both)[0].state
            for x in (healthy, short)
        ]
        assert states[0] == "normal", load
        assert states[1] in ("warning", "fault"), load


def test_another_supply_frequency_is_no_load_to_learn() -> None:
    low, high = learnt(0.5, channels=BOTH), learnt(0.9, channels=BOTH)
    assert high.asymmetry is not None
    slow = replace(high, bands=(), asymmetry=replace(high.asymmetry, supply_hz=40.0))
    why = reason_not_to_extend(low, slow)
    assert why is not None
    assert why.code == "supply_frequency_differs"
    assert why.values == pytest.approx({"f0_hz": 40.0, "baseline_hz": 50.0}, rel=0.01)


@pytest.mark.parametrize("channels", [CURRENTS, BOTH])
def test_a_short_that_came_with_the_load_is_not_learnt(channels: tuple[str, ...]) -> None:
    low, short = learnt(0.5, channels=channels), learnt(0.9, short_a=2.0, channels=channels)
    why = reason_not_to_extend(low, short)
    assert why is not None
    assert why.code == "asymmetry_differs"
    assert 0.005 < why.values["difference_ratio"] < 0.1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("load_a", "level", "rise_db", "limit_db"),
    [
        (6.0, -59.0, None, None),
        (6.0, -57.0, 3.0, 2.4),
        (9.0, -57.0, None, None),
        (20.0, -55.0, 5.0, 4.0),
        (6.0, -70.0, None, None),
        (2.5, -54.0, None, None),  # as many amperes
        (2.5, -49.0, 5.0, 4.0),
    ],
)
def test_levels_rise_with_the_load_up_to_a_limit(
    load_a: float, level: float, rise_db: float | None, limit_db: float | None
) -> None:
    why = reason_not_to_extend(bands((5.0, -60.0)), bands((load_a, level)))
    assert (why and why.code) == (rise_db and "level_rises")
    if why:
        assert why.values["feature"] == NAME
        assert why.values["rise_db"] == pytest.approx(rise_db, abs=0.05)
        assert why.values["limit_db"] == pytest.approx(limit_db, abs=0.1)


def test_no_rise_that_would_be_a_warning_is_learnt() -> None:
    """At twice the load 5 dB were once taken for the load's, and with them a fault of 5 dB."""
    far = bands((10.0, -60.0 + RISE_DB + 1.0))
    why = reason_not_to_extend(bands((5.0, -60.0)), far)
    assert why is not None
    assert why.values["limit_db"] == RISE_DB


def test_a_sideband_that_hides_no_cage_fault_may_rise() -> None:
    def why(before: float, after: float) -> Reason | None:
        low = bands((5.0, before), name=SLIP_SIDEBANDS)
        return reason_not_to_extend(low, bands((9.0, after), name=SLIP_SIDEBANDS))

    assert why(-80.0, -65.0) is None
    rise = why(-63.0, -55.0)
    assert rise is not None
    assert rise.values["rise_db"] == pytest.approx(8.0)


def test_another_speed_is_another_machine() -> None:
    one, other = bands((5.0, 50.0), name=SUPPLY), bands((9.0, 40.0), name=SUPPLY)
    why = reason_not_to_extend(one, other)
    assert why is not None
    assert why.code == "supply_frequency_differs"
    assert why.values == {"f0_hz": 40.0, "baseline_hz": 50.0}


def test_what_was_never_known_is_not_learnt_later() -> None:
    both = extend_baseline(bands((5.0, -60.0)), bands((9.0, -50.0), name=SLIP_SIDEBANDS), MOTOR)
    assert both.bands == bands((5.0, -60.0)).bands
    grown = extend_baseline(bands((5.0, -60.0)), bands((9.0, -58.0)), MOTOR)
    assert [b.levels[NAME].mean for b in grown.bands] == [-60.0, -58.0]
    assert extend_baseline(grown, bands((9.1, -50.0)), MOTOR).bands == grown.bands


def test_bases_may_differ() -> None:
    """Without a rated current the scale is the load itself, another for each."""
    low, high = (
        learn_baseline(
            [recording(Machine(load=x, gains=(1.01, 1.0, 1.0)), 10.0, seed=s) for s in range(4)],
            UNRATED,
        )
        for x in (0.5, 0.9)
    )
    both = extend_baseline(low, high, UNRATED)
    for load in (0.5, 0.9):
        x = recording(Machine(load=load, gains=(1.01, 1.0, 1.0)), seed=9)
        (found,) = diagnose(x, UNRATED, faults=["turn_short"], baseline=both)
        assert found.state == "normal"


def test_without_a_model_of_the_currents_nothing_is_compared() -> None:
    low = learnt(0.5)
    bare = replace(low, asymmetry=None)
    assert reason_not_to_extend(bare, learnt(0.9, short_a=2.0)) is None
    assert extend_baseline(bare, learnt(0.9), MOTOR).asymmetry is None


def test_one_load() -> None:
    assert one_load([5.0, 6.2])
    assert not one_load([5.0, 6.3])


def day(number: int, ratio: complex = 0j) -> Baseline:
    """A baseline of one period of currents whose supply drew I2/I1 of `ratio`."""
    i1 = np.full(200, 10 * np.sqrt(2), complex)
    own = fit([Sequences(i1, ratio * i1, 0 * i1)], MOTOR)
    assert own is not None
    return Baseline(asymmetry=replace(own, period_t=number * 1.5 * PERIOD_S))


def days(*ratios: complex) -> Asymmetry:
    known: Baseline | None = day(0, ratios[0])
    for number, ratio in enumerate(ratios[1:], 1):
        assert known is not None
        known = further_period(known, day(number, ratio), MOTOR)
    assert known is not None
    assert known.asymmetry is not None
    return known.asymmetry


def test_days_on_which_the_supply_moves_widen_what_is_expected() -> None:
    steady, moving = days(0, 0, 0, 0, 0), days(0, 0.03, 0.03j, -0.03, -0.03j)
    assert steady.recordings == moving.recordings == 5
    assert steady.session < day(0).asymmetry.session  # type: ignore[union-attr]
    # Five values at (0, 0) and a circle of 0.03 have a deviation per part of 0.021; the prior's
    # four count as much.
    assert moving.session == pytest.approx(0.016, rel=0.1)
    assert abs(moving.mean[1] + moving.mean[2]) < 0.003


def test_more_than_a_supply_draws_is_no_period() -> None:
    assert further_period(day(0), day(1, 0.25), MOTOR) is None
    other = replace(day(1), asymmetry=replace(days(0), base_v=230.0))
    assert further_period(day(0), other, MOTOR) is None


def test_loads_of_one_day_are_one_period() -> None:
    first, same = day(0), day(0)
    assert extend_baseline(first, same, MOTOR).asymmetry.recordings == 1  # type: ignore[union-attr]
    assert extend_baseline(first, day(1), MOTOR).asymmetry.recordings == 2  # type: ignore[union-attr]
