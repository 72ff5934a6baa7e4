"""Values that healthy recordings teach, and those they leave open."""

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, RATED_V, Y22, Machine, recording
from vtox import diagnose, learn_baseline
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.errors import InputError
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Recording

BOTH = (*CURRENTS, *VOLTAGES)


def test_five_seconds_at_a_kilohertz_are_enough_for_currents() -> None:
    learnt = learn_baseline([recording(Machine(), 5.0, 1000.0)], MOTOR).asymmetry
    assert learnt is not None
    assert (learnt.recordings, learnt.base_v) == (1, None)
    assert learnt.low_a == pytest.approx(abs(6.8 - 5j), rel=0.02)


def test_the_negative_sequence_admittance_is_found_where_the_supply_shows_it() -> None:
    machines = [Machine(v2=0.01 * np.exp(2j * np.pi * k / 5), load=0.7) for k in range(5)]
    learnt = learn_baseline([recording(m, 2.0, channels=BOTH) for m in machines], MOTOR).asymmetry
    assert learnt is not None
    assert learnt.mean[0] == pytest.approx(Y22 * RATED_V / 10, rel=0.01)
    steady = learn_baseline(
        [recording(Machine(v2=0.001), 2.0, channels=BOTH) for _ in range(5)], MOTOR
    ).asymmetry
    assert steady is not None
    assert steady.covariance[0][0].real > 100 * learnt.covariance[0][0].real


def noisy(m: Machine, seed: int) -> Recording:
    """Twenty seconds read by voltage channels with noise of 0.1 % of the rated voltage."""
    x = recording(m, 20.0, channels=BOTH, seed=seed)
    rng = np.random.default_rng(seed)
    noise = {v: x.channels[v] + 0.4 * rng.normal(size=x.samples) for v in VOLTAGES}
    return Recording({**x.channels, **noise}, x.fs_hz)


def test_noise_of_the_voltage_is_not_taken_for_a_supply_that_moves() -> None:
    learnt = learn_baseline([noisy(Machine(v2=0.002), seed) for seed in range(4)], MOTOR)
    assert learnt.asymmetry is not None
    true = Y22 * RATED_V / 10
    deviation = learnt.asymmetry.covariance[0][0].real ** 0.5
    assert abs(learnt.asymmetry.mean[0] - true) < 3 * deviation
    moved = noisy(Machine(v2=0.005), 9)
    assert diagnose(moved, MOTOR, faults=["turn_short"], baseline=learnt)[0].state == "normal"


def swinging(v2: complex, seed: int) -> Recording:
    """Twenty seconds, read as `noisy`, of a load that moves by some per cent."""
    parts = [
        noisy(Machine(v2=v2, load=0.8 + 0.02 * np.sin(0.9 * k + seed), hz=50.0), 10 * seed + k)
        for k in range(5)
    ]
    cut = {n: [p.channels[n][: len(p.channels[n]) // 5] for p in parts] for n in BOTH}
    return Recording({n: np.concatenate(x) for n, x in cut.items()}, parts[0].fs_hz)


def test_a_load_that_moves_does_not_hide_what_a_steady_supply_draws() -> None:
    """V2 over I1 moves with the load: I2 over I1 follows it by the admittance as well."""
    learnt = learn_baseline([swinging(-0.006, seed) for seed in range(4)], MOTOR)
    assert learnt.asymmetry is not None
    deviation = learnt.asymmetry.covariance[0][0].real ** 0.5
    assert abs(learnt.asymmetry.mean[0] - Y22 * RATED_V / 10) < 2 * deviation
    for v2 in (0.002, 0.008j - 0.002, -0.014):
        (d,) = diagnose(swinging(v2, 9), MOTOR, faults=["turn_short"], baseline=learnt)
        assert d.state in ("normal", "unknown"), d.reason


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_what_sets_recordings_apart_is_not_learnt_as_a_slope_over_load(count: int) -> None:
    """The supply's unbalance moves by 0.12 %: healthy machines at other loads stay so."""
    rng = np.random.default_rng(count)
    judged = []
    for _ in range(8):
        usual = 0.005 * np.exp(2j * np.pi * rng.uniform())
        supply = iter(usual + 0.00085 * (rng.standard_normal((11, 2)) @ [1, 1j]))
        healthy = [
            recording(Machine(load=0.7 + 0.12 * rng.uniform(), v2=next(supply)), 3.0, seed=k)
            for k in range(count)
        ]
        learnt = learn_baseline(healthy, MOTOR)
        loads = (0.65, 0.75, 0.85, 0.9, 0.95, 1.0)
        now = [recording(Machine(load=x, v2=next(supply)), seed=20) for x in loads]
        judged += diagnose_batch([DiagnosisInput(r, MOTOR, learnt) for r in now], ["turn_short"])
    states = [d.state for (d,) in judged]
    assert set(states) <= {"normal", "unknown"}
    assert states.count("normal") >= 40


def test_recordings_of_one_hour_do_not_average_the_supply() -> None:
    """They agree with each other, not with the later supply: 2.7 % of I1 here."""
    healthy = [recording(Machine(load=0.72, v2=0.005), 5.0, seed=k) for k in range(4)]
    learnt = learn_baseline(healthy, MOTOR)
    moved = [0.005 + 0.0044 * np.exp(2j * np.pi * k / 6) for k in range(6)]
    now = [recording(Machine(load=0.72, v2=v2), seed=20) for v2 in moved]
    judged = diagnose_batch([DiagnosisInput(r, MOTOR, learnt) for r in now], ["turn_short"])
    assert {d.state for (d,) in judged} == {"normal"}


def test_voltages_that_moved_a_little_tell_the_admittance() -> None:
    """Clamps hang while a baseline is learnt: 0.2 % of V2 give the current that 1.8 % will draw."""
    healthy = [
        recording(Machine(v2=v2), 5.0, channels=BOTH, seed=k)
        for k, v2 in enumerate((0.005, 0.007, 0.005j))
    ]
    learnt = learn_baseline(healthy, MOTOR)
    now = recording(Machine(load=0.6, v2=-0.018), channels=BOTH, seed=9)
    (d,) = diagnose(now, MOTOR, faults=["turn_short"], baseline=learnt)
    assert d.state == "normal", d.reason


def test_recordings_of_one_session_show_what_sets_it_apart_once() -> None:
    healthy = [recording(Machine(load=0.7), 3.0, seed=k) for k in range(4)]
    apart, together = (learn_baseline(healthy, MOTOR, one_session=s) for s in (False, True))
    single = learn_baseline(healthy[:1], MOTOR)
    assert [b.asymmetry and b.asymmetry.recordings for b in (apart, together)] == [4, 1]

    def open_left(b: Baseline) -> float:
        assert b.asymmetry
        x = np.array([0, 1.35, 1])  # at this load
        return float((x @ np.array(b.asymmetry.covariance) @ x).real)

    assert open_left(together) == pytest.approx(open_left(single), rel=0.05)
    assert open_left(apart) < 0.4 * open_left(single)


def test_a_recording_without_use_teaches_nothing() -> None:
    dead = recording(Machine(), 2.0, channels=("ia",))
    learnt = learn_baseline([dead])
    assert learnt.asymmetry is None
    with pytest.raises(InputError, match="no recordings"):
        learn_baseline([])
