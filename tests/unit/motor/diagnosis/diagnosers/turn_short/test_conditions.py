from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, turn_short
from vtox import Motor
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.turn_short.diagnoser import healthy_sequences
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Recording


def test_an_open_phase_is_no_short(baseline_with_voltages: Baseline) -> None:
    x = recording(Machine(), channels=CHANNELS)
    rng = np.random.default_rng(0)
    line = x.channels["ib"]
    currents = {"ia": 0.01 * rng.standard_normal(len(line)), "ib": line, "ic": -line}
    d = turn_short(Recording(dict(x.channels) | currents, x.fs_hz), baseline_with_voltages)
    assert (d.state, d.code) == ("unknown", "phase_open")


@pytest.mark.parametrize(
    ("machine", "channels", "motor", "code"),
    [
        (Machine(), ("ia", "ib"), MOTOR, "missing_channel"),
        (Machine(v2=0.04), CHANNELS, MOTOR, "voltage_unbalance_too_large"),
        (Machine(), CURRENTS, Motor(supply="inverter"), "no_baseline"),
        (Machine(), CURRENTS, Motor(rated_current_a=60.0), "load_too_low"),
        (Machine(gains=(0.2, 1, 1)), CURRENTS, MOTOR, "currents_do_not_sum_to_zero"),
    ],
)
def test_it_abstains_with_a_code(
    machine: Machine, channels: tuple[str, ...], motor: Motor, code: str
) -> None:
    d = turn_short(recording(machine, channels=channels), motor=motor)
    assert (d.state, d.code) == ("unknown", code)


def test_a_current_that_more_than_doubles_is_not_steady() -> None:
    x = recording(Machine(load=0.3))
    step = np.where(np.arange(x.samples) < x.samples / 2, 1.0, 2.5)
    d = turn_short(Recording({n: y * step for n, y in x.channels.items()}, x.fs_hz))
    assert (d.state, d.code) == ("unknown", "current_not_steady")
    assert d.values["high_a"] == pytest.approx(2.5 * float(d.values["low_a"]), rel=0.01)


@pytest.mark.parametrize("channels", [CURRENTS, ("ia", "ic")])
def test_what_is_missing_or_too_short_is_said(channels: tuple[str, ...]) -> None:
    x = recording(Machine(), 0.19, channels=channels)
    d = turn_short(x, motor=None)
    if channels == CURRENTS:
        assert (d.code, d.values["needed_s"]) == ("record_too_short", 0.2)
    else:
        assert (d.code, d.values["channels"]) == ("missing_channel", ("ib",))


def test_an_inverter_with_a_bad_voltage_says_which() -> None:
    x = recording(Machine(), channels=CHANNELS)
    dead = Recording(dict(x.channels) | {"vb": np.zeros(x.samples)}, x.fs_hz)
    d = turn_short(dead, motor=replace(MOTOR, supply="inverter"))
    assert (d.code, d.values["channel"]) == ("samples_constant", "vb")


def test_only_recordings_that_can_be_diagnosed_teach() -> None:
    x = [recording(m) for m in (Machine(), Machine(gains=(0.2, 1, 1)))]
    analysis = front_end(x, [MOTOR, MOTOR])
    usable = healthy_sequences(analysis)
    assert [s is not None for s in usable] == [True, False]
