"""Channels that were exchanged and ratios that changed since the baseline are no turn short."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, RATED_V, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, turn_short
from vtox import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Array, Recording

# Clamps 3 % and 1 degree apart: on other phases they make an I2 that was not learnt.
GAINS = (1.02, 0.99 * np.exp(0.02j), 1.0)
V2 = 0.01j


@pytest.fixture(scope="module")
def learnt() -> Baseline:
    machines = [Machine(load=load, v2=V2, gains=GAINS) for load in np.linspace(0.3, 0.45, 6)]
    records = [recording(m, 2.0, channels=CHANNELS, seed=k) for k, m in enumerate(machines)]
    return learn_baseline(records, MOTOR)


def record(load: float = 0.4, short_a: float = 0.0) -> Recording:
    m = Machine(load=load, v2=V2, gains=GAINS, short_a=short_a)
    return recording(m, channels=CHANNELS, seed=20)


def exchanged(x: Recording, names: tuple[str, ...], order: tuple[int, ...]) -> Recording:
    moved = {n: x.channels[names[k]] for n, k in zip(names, order, strict=True)}
    return replace(x, channels={**x.channels, **moved})


def changed(x: Recording, factor: float, names: tuple[str, ...]) -> Recording:
    scaled: dict[str, Array] = {n: factor * x.channels[n] for n in names}
    return replace(x, channels={**x.channels, **scaled})


ORDERS = [(1, 2, 0), (2, 0, 1), (1, 0, 2)]


@pytest.mark.parametrize("names", [CURRENTS, VOLTAGES], ids=["currents", "voltages"])
@pytest.mark.parametrize("order", ORDERS)
def test_exchanged_channels_are_no_short(
    learnt: Baseline, names: tuple[str, ...], order: tuple[int, ...]
) -> None:
    d = turn_short(exchanged(record(), names, order), learnt)
    assert (d.state, d.code) == ("normal", "asymmetry_within_limit")
    assert d.indicators["voltages_turned_deg"] in (-120, 120)


def test_a_short_among_exchanged_channels_is_not_named(learnt: Baseline) -> None:
    assert turn_short(record(short_a=1.0), learnt).code == "turn_short_found"
    d = turn_short(exchanged(record(short_a=1.0), CURRENTS, ORDERS[0]), learnt)
    assert (d.state, d.code) == ("unknown", "phases_renamed")
    assert d.values["learnt_deg"] == 0


def test_a_short_on_a_machine_that_was_learnt_with_exchanged_channels_is_found() -> None:
    machines = [Machine(load=load, v2=V2, gains=GAINS) for load in np.linspace(0.3, 0.45, 6)]
    records = [
        exchanged(recording(m, 2.0, channels=CHANNELS, seed=k), CURRENTS, ORDERS[0])
        for k, m in enumerate(machines)
    ]
    baseline = learn_baseline(records, MOTOR)
    for short_a, code in ((0.0, "asymmetry_within_limit"), (1.0, "turn_short_found")):
        x = exchanged(record(short_a=short_a), CURRENTS, ORDERS[0])
        assert turn_short(x, baseline).code == code


def test_time_backwards_is_no_short(learnt: Baseline) -> None:
    x = record()
    d = turn_short(replace(x, channels={n: y[::-1] for n, y in x.channels.items()}), learnt)
    assert d.state == "unknown"


@pytest.mark.parametrize("load", [0.3, 0.45])
@pytest.mark.parametrize(("factor", "names"), [(1.7, CURRENTS), (0.58, VOLTAGES)])
def test_another_ratio_of_all_clamps_is_no_short(
    learnt: Baseline, load: float, factor: float, names: tuple[str, ...]
) -> None:
    d = turn_short(changed(record(load), factor, names), learnt)
    assert (d.state, d.code) == ("unknown", "current_scale_changed")


@pytest.mark.parametrize("load", [0.2, 1.0])
def test_another_load_is_no_other_ratio(learnt: Baseline, load: float) -> None:
    assert turn_short(record(load), learnt).code == "asymmetry_within_limit"
    assert turn_short(record(load, short_a=1.0), learnt).code == "turn_short_found"


def test_a_baseline_keeps_how_it_was_measured(learnt: Baseline) -> None:
    read = Baseline.from_json(learnt.to_json()).asymmetry
    assert read is not None
    assert read == learnt.asymmetry
    assert read.turned_deg == 0
    assert read.susceptance_s == pytest.approx(5.0 / RATED_V, rel=0.01)
