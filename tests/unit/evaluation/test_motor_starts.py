"""Starts of the motor model against the equivalent circuit and the balance of energy."""

import numpy as np
import pytest

from evaluation.motor_model.case import Case, ShaftLoad
from evaluation.motor_model.plants import PLANTS, slip_at_torque, steady_state
from evaluation.motor_model.start_case import Start, StartCase
from evaluation.motor_model.start_records import StartRecord, rewound, start_records
from vtox.motor.values.domain import CURRENTS, VOLTAGES

pytestmark = pytest.mark.long

PLANT = PLANTS["2kw2"]
FS_HZ = 5_000.0


def rms(record: StartRecord, begin_s: float, end_s: float) -> float:
    """Return the rms of the three currents between two times, A."""
    x = np.stack([record.channels[c] for c in CURRENTS]).astype(float)
    return float(np.sqrt(np.mean(x[:, round(begin_s * FS_HZ) : round(end_s * FS_HZ)] ** 2)))


def case(inertia: float = 1.0, **start: object) -> StartCase:
    load = ShaftLoad(torque=0.5, quadratic=1.0, inertia=inertia)
    return StartCase(case=Case(plant=PLANT, load=load), start=Start(at_s=0.1, **start))  # type: ignore[arg-type]


def circuit_a(slip: float) -> float:
    return float(abs(steady_state(PLANT, slip).stator_a) / np.sqrt(2))


def test_the_current_of_a_rotor_held_by_inertia_is_that_of_the_circuit_at_slip_one() -> None:
    direct, star = start_records([case(1e4), case(1e4, method="star_delta")], 0.6, FS_HZ)
    assert rms(direct, 0.4, 0.6) == pytest.approx(circuit_a(1.0), rel=0.005)
    assert rms(star, 0.4, 0.6) == pytest.approx(circuit_a(1.0) / 3, rel=0.005)


def test_a_start_ends_in_the_steady_state_of_the_circuit() -> None:
    slip = slip_at_torque(PLANT, 0.5 * PLANT.rated_torque_nm)
    speed_rpm = 60 * PLANT.supply_hz / PLANT.pole_pairs * (1 - slip)
    methods = ("direct", "star_delta", "soft", "drive")
    found = start_records([case(method=m, ramp_s=1.0) for m in methods], 2.0, FS_HZ)
    for record in found:
        assert record.speed_rpm[-1] == pytest.approx(speed_rpm, rel=1e-3)
        assert rms(record, 1.8, 2.0) == pytest.approx(circuit_a(slip), rel=0.01)
        assert rms(record, 0.0, 0.08) < 1e-3


def test_torque_less_load_is_what_the_inertia_gains() -> None:
    (record,) = start_records([case(5.0)], 1.0, FS_HZ)
    slip = slip_at_torque(PLANT, 0.5 * PLANT.rated_torque_nm)
    full = 2 * np.pi * PLANT.supply_hz / PLANT.pole_pairs * (1 - slip)
    w = record.speed_rpm.astype(float) * np.pi / 30
    net_nm = record.torque_nm - 0.5 * PLANT.rated_torque_nm * (w / full) ** 2
    gained = 6.0 * PLANT.inertia_kgm2 * w**2 / 2
    assert np.sum(net_nm * w) / FS_HZ == pytest.approx(gained[-1], rel=0.01)


def test_a_weak_supply_dips_by_the_share_of_its_reactance() -> None:
    (record,) = start_records([case(1e4, source=0.2)], 0.6, FS_HZ)
    v = np.stack([record.channels[c] for c in VOLTAGES]).astype(float)
    level = np.sqrt(np.mean(v[:, -1000:] ** 2)) / np.sqrt(np.mean(v[:, :400] ** 2))
    i = steady_state(PLANT, 1.0)
    z = PLANT.peak_phase_v / i.stator_a
    x = 0.2 * 2j * np.pi * PLANT.supply_hz * (PLANT.stator_leakage_h + PLANT.rotor_leakage_h)
    assert level == pytest.approx(abs(z / (z + x)), rel=0.01)


def test_a_machine_rewound_for_more_poles_turns_slower_at_the_same_flux() -> None:
    eight = rewound(PLANT, pole_pairs=4, supply_hz=60.0)
    assert eight.rated_speed_rpm == pytest.approx(PLANT.rated_speed_rpm * 0.6)
    assert eight.voltage_v / 60 == pytest.approx(PLANT.voltage_v / 50)
    assert eight.rated_torque_nm == pytest.approx(PLANT.rated_torque_nm * 2)
