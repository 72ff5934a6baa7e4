from dataclasses import replace

import numpy as np
import pytest

from vtox.motor.simulator.currents_and_voltages import Z_NEGATIVE, shorted_turns
from vtox.motor.simulator.fleet import MAX_UNBALANCE, SHORT_LIKE_MAX_UNBALANCE, fleet
from vtox.motor.simulator.noise import subkey
from vtox.motor.simulator.signals import window
from vtox.motor.simulator.timeline import slip_at, timeline
from vtox.motor.values.domain import CHANNEL_UNITS

FS = 10_000.0
A = np.exp(2j * np.pi / 3)
MACHINES = fleet(50, onset_s=(0.0, 0.0))


def find(fault, **fields):
    """First machine whose signals show `fault` and that has the given fields."""
    return next(
        m
        for m in MACHINES
        if m.fault == fault and m.detectable and all(getattr(m, k) == v for k, v in fields.items())
    )


def record(machine, seconds, *, start=20, healthy=False):
    windows = [window(machine, start + i, healthy=healthy)[0] for i in range(seconds)]
    return {name: np.concatenate([w[name] for w in windows]) for name in machine.channels}


def true_timeline(machine, seconds, *, start=20, healthy=False):
    key = subkey(machine.key, 1 if healthy else 2)
    return timeline(machine, key, start, round(seconds * FS), FS)


def line_level(x, cycles):
    """Complex amplitude of exp(2j*pi*cycles) in `x`, through a Hann window."""
    w = np.hanning(len(x))
    return np.sum(x * w * np.exp(-2j * np.pi * cycles)) / np.sum(w)


def space_vector(r):
    return 2 / 3 * (r["ia"] + A * r["ib"] + A**2 * r["ic"])


@pytest.mark.parametrize("machine", MACHINES[:12], ids=lambda m: m.machine_id)
def test_windows_hold_what_the_machine_says(machine):
    channels, speed_rpm = window(machine, 3)
    assert tuple(channels) == machine.channels
    assert set(channels) <= set(CHANNEL_UNITS)
    for x in channels.values():
        assert x.dtype == np.float32
        assert x.shape == (10_000,)
        assert np.isfinite(x).all()
    assert (speed_rpm is not None) is machine.body.tachometer
    if speed_rpm:
        poles = machine.motor.pole_pairs
        expected = 60 * machine.body.run_hz * (1 - slip_at(machine)) / poles
        assert speed_rpm == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("seconds", [0.2, 1.0, 2.5])
def test_windows_join_without_a_step(seconds):
    machine = next(m for m in MACHINES if m.fault is None)
    parts = [window(machine, s, seconds)[0]["ia"] for s in (3, 4)]
    x = np.concatenate(parts).astype(float)
    step = np.abs(np.diff(x, n=2))
    edge = len(parts[0])
    assert step[edge - 3 : edge + 2].max() < step.max() * 1.01


def test_the_rate_can_be_chosen_and_healthy_runs_are_runs_of_their_own():
    machine = find("turn_short")
    assert len(window(machine, 1, fs_hz=5_000)[0]["ia"]) == 5_000
    assert np.array_equal(window(machine, 9)[0]["ia"], window(machine, 9)[0]["ia"])
    assert not np.array_equal(
        window(machine, 9)[0]["ia"], window(machine, 9, healthy=True)[0]["ia"]
    )


def test_the_current_is_what_the_nameplate_and_the_load_ask_for():
    for machine in MACHINES:
        if machine.load > 0.8 and machine.fault is None:
            rms = float(np.std(window(machine, 4)[0]["ia"]))
            assert 0.75 < rms / machine.motor.rated_current_a < 1.1


def test_a_broken_bar_makes_sidebands_at_twice_the_slip():
    machine = find("broken_bar")
    line = true_timeline(machine, 10)
    i = space_vector(record(machine, 10))
    first = abs(line_level(i, line.supply))
    lower = 20 * np.log10(abs(line_level(i, line.supply - 2 * line.slip)) / first)
    assert lower == pytest.approx(machine.level, abs=0.5)
    upper = 20 * np.log10(abs(line_level(i, line.supply + 2 * line.slip)) / first)
    assert machine.level - 9 < upper < machine.level
    healthy = space_vector(record(machine, 10, healthy=True))
    line = true_timeline(machine, 10, healthy=True)
    assert abs(line_level(healthy, line.supply - 2 * line.slip)) / first < 10 ** (-68 / 20)


@pytest.mark.parametrize("phase", ["a", "b", "c"])
def test_shorted_turns_add_negative_sequence_turned_with_the_phase(phase):
    machine = replace(find("turn_short"), phase=phase)
    added = []
    for healthy in (False, True):
        line = true_timeline(machine, 1, healthy=healthy)
        i = space_vector(record(machine, 1, healthy=healthy))
        added.append(line_level(i, -line.supply) / abs(line_level(i, line.supply)))
    change = added[0] - added[1]
    assert 0.01 < abs(change) < 0.15
    # The current in shorted turns lags their voltage: between 0 and 90 degrees.
    turned = np.angle(change * np.exp(-4j * np.pi / 3 * "abc".index(phase)), deg=True)
    assert 0 < turned < 90


def test_the_upper_sideband_is_the_answer_of_the_speed():
    """Torque at 2sf, Re(i) of the sidebands, over slip: the rest accelerates the inertia."""
    machine = find("broken_bar")
    line = true_timeline(machine, 10)
    i = space_vector(record(machine, 10))
    i1 = first = line_level(i, line.supply)  # the frame turns with the voltage
    lower = line_level(i, line.supply - 2 * line.slip) / first
    upper = line_level(i, line.supply + 2 * line.slip) / first
    # Both are products with the same phase; a load alone would make it that of conj(i1) / i1.
    turned = np.angle(lower * upper * i1 / i1.conjugate(), deg=True)
    assert 90 < abs(turned) < 180


def test_a_short_that_a_supply_may_counterfeit_is_not_said_to_be_detectable():
    machine = replace(find("turn_short"), level=SHORT_LIKE_MAX_UNBALANCE)
    _, negative = shorted_turns(machine)
    assert abs(negative) == pytest.approx(MAX_UNBALANCE / abs(Z_NEGATIVE), rel=0.03)
    light = [m for m in fleet(50, fault_mode="light") if m.fault == "turn_short"]
    assert {m.detectable for m in light if "va" not in m.channels} == {False}
    assert {m.detectable for m in light if "va" in m.channels} == {True}


def test_eccentricity_raises_the_rotation_sidebands():
    machine = find("eccentricity")
    levels = []
    for healthy in (False, True):
        line = true_timeline(machine, 4, healthy=healthy)
        i = space_vector(record(machine, 4, healthy=healthy))
        levels.append(20 * np.log10(abs(line_level(i, line.supply - line.shaft))))
    assert levels[0] - levels[1] == pytest.approx(machine.level, abs=1.5)


@pytest.mark.parametrize("defect", ["BPFO", "BPFI", "BSF", "FTF"])
def test_impacts_of_a_bearing_defect_come_at_its_order(defect):
    machine = replace(find("bearing"), defect=defect, level=15.0)
    x = record(machine, 4)["vibration"]
    line = true_timeline(machine, 4)
    envelope = np.abs(x - x.mean()) ** 2
    envelope = envelope - envelope.mean()
    order = machine.motor.bearing.defect_orders[defect] * (2 if defect == "BSF" else 1)
    level = abs(line_level(envelope, order * line.shaft))
    other = [abs(line_level(envelope, (order + d) * line.shaft)) for d in (-0.31, 0.17, 0.29)]
    assert level > 5 * max(other)


def test_impacts_ring_on_into_the_next_window():
    machine = replace(find("bearing"), level=300.0)
    whole = window(machine, 5, 2.0)[0]["vibration"]
    halves = np.concatenate([window(machine, s)[0]["vibration"] for s in (10, 11)])
    noise = machine.body.vibration_rms
    assert np.abs(whole - halves).max() < 8 * noise
    assert np.abs(whole).max() > 100 * noise


def test_leakage_shows_the_injected_conductance():
    machine = find("insulation")
    phasors = []
    for healthy in (False, True):
        line = true_timeline(machine, 5, healthy=healthy)
        r = record(machine, 5, healthy=healthy)
        v = line_level(r[f"v{machine.phase}"], line.supply)
        phasors.append(line_level(r["leakage"], line.supply) / v)
    change = phasors[0] - phasors[1]
    assert 1 / change.real == pytest.approx(machine.level, rel=0.05)
    extra_f = 0.1 * machine.severity * machine.body.earth_capacitance_f
    assert change.imag / (2 * np.pi * machine.body.run_hz) == pytest.approx(extra_f, rel=0.25)


def test_a_fault_begins_at_its_onset():
    machine = replace(find("bearing"), onset_s=7.5, level=40.0)
    x = window(machine, 7)[0]["vibration"]
    assert np.abs(x[:5_000]).max() < 0.3 * np.abs(x[5_000:]).max()


def test_the_supply_wanders_by_its_rms():
    machine = next(m for m in MACHINES if m.fault is None)
    line = timeline(machine, 99, 0.0, 6_000, 10.0)
    hz = np.diff(line.supply[::10])
    assert hz.std() == pytest.approx(machine.body.wander_hz, rel=0.4)
    assert hz.mean() == pytest.approx(machine.body.run_hz, abs=0.01)
