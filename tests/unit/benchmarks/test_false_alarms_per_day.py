"""The simulated day of healthy machines, and the counting of its alerts."""

import numpy as np
import pytest

from benchmarks.day_profiles import DAY_S, Day, days
from benchmarks.day_signals import window
from benchmarks.false_alarms_per_day import Tally, poisson, report
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.turn_short.conditions import sequences
from vtox.motor.diagnosis.dsp.supply_line import FRAME_S
from vtox.pipeline.configuration import keys

FS_HZ = 2000.0


@pytest.fixture(scope="module")
def fleet() -> list[Day]:
    return days(10, seed=4, hours=2.0)


def rms_a(day: Day, start_s: float, seconds: float = 2.0) -> float:
    x = window(day, start_s, seconds, FS_HZ).recording(FS_HZ).channels["ia"]
    return float(np.sqrt(np.mean(x**2)))


def test_some_loads_are_steady_and_some_step(fleet: list[Day]) -> None:
    steps = [d.steps for d in fleet]
    assert steps[:4] == [0] * 4
    assert all(s >= 1 for s in steps[4:7])
    assert min(steps[7:]) >= 6


def test_current_follows_load_without_a_shaft_jump(fleet: list[Day]) -> None:
    day = fleet[-1]
    t = float(day.load_t_s[1])
    assert day.load[2] < 0.85 * day.load[1]
    assert rms_a(day, t + 2) < 0.95 * rms_a(day, t - 4)
    through = window(day, np.floor(t) - 1, 3.0, FS_HZ).recording(FS_HZ).channels["vibration"]
    assert np.max(np.abs(through)) < 8 * np.std(through)


def test_windows_join_to_one_signal_with_new_noise(fleet: list[Day]) -> None:
    day = fleet[0]
    halves = [window(day, s, 1.0, FS_HZ) for s in (10.0, 11.0)]
    whole = window(day, 10.0, 2.0, FS_HZ)
    for name in ("ia", "ib", "ic"):
        joined = np.concatenate([h.counts[name] for h in halves]).astype(float)
        apart = joined - whole.counts[name]
        noise = day.machine.body.clamp_noise * np.sqrt(2) * 32_767 / 5
        assert apart.std() == pytest.approx(noise, rel=0.1)


def test_supply_unbalance_wanders(fleet: list[Day]) -> None:
    day = next(d for d in days(30, seed=4, hours=2.0) if "va" in d.machine.channels)
    unbalance = []
    for start_s in (0.0, 3600.0):
        x = window(day, start_s, 5 * FRAME_S, FS_HZ).recording(FS_HZ)
        s = sequences(front_end([x], [day.machine.motor]))
        assert s.v1 is not None
        assert s.v2 is not None
        unbalance.append(complex((s.v2 / s.v1).mean()))
    assert 0.0002 < abs(unbalance[1] - unbalance[0]) < 0.01
    assert abs(unbalance[0]) == pytest.approx(abs(day.machine.body.unbalance), abs=3e-4)


def test_commissioning_is_at_the_first_load(fleet: list[Day]) -> None:
    day = fleet[-1]
    assert day.load_t_s[0] == -DAY_S
    assert rms_a(day, -600.0) == pytest.approx(rms_a(day, 10.0), rel=0.05)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)]
)
def test_exact_intervals_of_a_count(count: int, low: float, high: float) -> None:
    """Garwood 1936, table for 95 %."""
    assert poisson(count) == pytest.approx((low, high), rel=1e-3)


def test_results_and_alerts_are_counted_by_fault() -> None:
    tally = Tally()
    for state, n in (("normal", 8), ("warning", 2), ("unknown", 5)):
        for _ in range(n):
            tally.count(keys.RESULTS, result(state))
    for event in ("raised", "escalated", "cleared"):
        alert = {
            "machine_id": "M",
            "fault": "bearing",
            "event": event,
            "level": "fault",
            "reason": "x",
        }
        tally.count(keys.ALERTS, {k.encode(): v.encode() for k, v in alert.items()})
    lines = report(tally, machine_days=2.0).splitlines()
    row = next(line for line in lines if line.startswith("| bearing"))
    cells = [c.strip() for c in row.strip("|").split("|")]
    assert cells[1:5] == ["8 / 2 / 0 / 5", "0.2", "0.013", "1"]
    assert "0.500 (0.013-2.786)" in next(line for line in lines if line.startswith("| all"))


def result(state: str) -> dict[bytes, bytes]:
    texts = {
        "fault": "bearing",
        "state": state,
        "code": "x",
        "reason": "x",
        "t_start": "10",
        "t_end": "20",
    }
    return {k.encode(): v.encode() for k, v in texts.items()}
