import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from vtox.motor.faults import FAULTS
from vtox.motor.simulator.fleet import fleet, truth
from vtox.motor.simulator.noise import coloured, normals, uniforms, waves
from vtox.motor.simulator.severity import FAULT_MODES, SCALES
from vtox.motor.simulator.signals import window
from vtox.motor.values.nameplate import motor_from_dict


@pytest.mark.parametrize("seed", [1, 2024, 99])
def test_fifty_machines_have_every_fault_and_are_mostly_healthy(seed):
    machines = fleet(50, seed=seed)
    assert len({m.machine_id for m in machines}) == 50
    assert {m.fault for m in machines if m.fault and m.detectable} == set(FAULTS)
    assert sum(m.fault is not None for m in machines) <= 15
    undetectable = [m for m in machines if not m.detectable]
    assert {m.fault for m in undetectable} == set(FAULTS)
    assert all(m.reason for m in undetectable)


@pytest.mark.parametrize("n", [0, 1, 5, 10, 200])
def test_a_fleet_of_any_size(n):
    machines = fleet(n)
    assert len(machines) == n
    assert 2 * sum(m.fault is not None for m in machines) <= max(n, 1)


def test_the_same_seed_gives_the_same_fleet_and_another_seed_another():
    assert fleet(20, seed=5) == fleet(20, seed=5)
    assert fleet(20, seed=5) != fleet(20, seed=6)


@pytest.mark.parametrize("mode", FAULT_MODES)
def test_severity_follows_the_mode_and_level_the_severity(mode):
    low, high = FAULT_MODES[mode]
    for m in fleet(50, fault_mode=mode):
        if m.fault:
            assert low <= m.severity <= high
            assert m.level == pytest.approx(SCALES[m.fault].level(m.severity), rel=1e-3)


def test_ranges_and_onsets_can_be_set_for_a_fault():
    machines = fleet(50, severities={"bearing": (0.9, 0.91)}, onset_s=(0.0, 0.0))
    bearing = [m for m in machines if m.fault == "bearing"]
    assert bearing
    assert all(0.9 <= m.severity <= 0.91 and m.onset_s == 0.0 for m in bearing)
    assert all(m.severity < 0.9 for m in machines if m.fault and m.fault != "bearing")


def test_truth_is_json_and_its_motors_are_nameplates():
    machines = fleet(30)
    rows = json.loads(json.dumps(truth(machines)))
    for m, row in zip(machines, rows, strict=True):
        assert row["machine_id"] == m.machine_id
        assert row["fault"] == m.fault
        assert row["detectable"] is m.detectable
        assert motor_from_dict(row["motor"]) == m.motor


def test_noise_is_a_function_of_its_index():
    index = np.arange(-5_000, 5_000)
    assert np.array_equal(normals(3, index)[100:200], normals(3, index[100:200]))
    assert uniforms(3, index).min() > 0
    assert normals(3, index).std() == pytest.approx(1.0, abs=0.03)
    assert abs(np.corrcoef(normals(3, index), normals(4, index))[0, 1]) < 0.05
    long = coloured(7, -50, 4_000, exponent=1.0, top_hz=20.0)
    assert np.allclose(long[1_000:1_100], coloured(7, 950, 100, exponent=1.0, top_hz=20.0))
    assert long.std() == pytest.approx(1.0, rel=0.4)


def test_the_integral_of_a_wave_is_its_integral():
    t = np.linspace(0, 400, 400_001)
    value, total = waves(11, t, low_hz=0.01, high_hz=0.1)
    assert np.allclose(np.gradient(total, t)[1:-1], value[1:-1], atol=1e-5)
    assert value.std() == pytest.approx(1.0, rel=0.3)


def _first_sample(machine_and_seq):
    machine, seq = machine_and_seq
    return float(window(machine, seq)[0]["ia"][0])


def test_another_process_makes_the_same_windows():
    machine = fleet(1)[0]
    here = [_first_sample((machine, s)) for s in (5, 2)]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert list(pool.map(_first_sample, [(machine, 5), (machine, 2)])) == here
