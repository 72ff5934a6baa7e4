"""Power at the terminals: against closed forms, the plain mean of samples, and pqopen-lib."""

from dataclasses import replace

import numpy as np
import pytest

from tests import naive
from tests.signals import terminals
from tests.signals.terminals import LINES
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.dsp import partial_fft
from vtox.motor.diagnosis.dsp.power import harmonic_phasors
from vtox.motor.values.domain import Motor, Recording
from vtox.motor.values.terminal_power import TOLD, TerminalPower


def power_of(*recordings: Recording) -> TerminalPower:
    motors = [Motor()] * len(recordings)
    power = front_end(recordings, motors, frames=True, slot_band=False).power
    assert power is not None
    return power


def test_the_figures_are_those_of_the_lines() -> None:
    x = power_of(terminals.recording())
    (v1, i1), (v2, i2) = LINES[1], LINES[-1]
    distortion_v, distortion_i = (
        np.sqrt(sum(abs(p[k]) ** 2 for n, p in LINES.items() if abs(n) > 1)) for k in (0, 1)
    )
    at_line_v, at_line_i = np.hypot(abs(v1), abs(v2)), np.hypot(abs(i1), abs(i2))
    apparent = 1.5 * np.hypot(at_line_v, distortion_v) * np.hypot(at_line_i, distortion_i)
    assert x.active_w[0] == pytest.approx(terminals.active_w(), rel=1e-5)
    assert x.reactive_var[0] == pytest.approx(1.5 * (v1 * np.conj(i1)).imag, rel=1e-5)
    assert x.apparent_va[0] == pytest.approx(apparent, rel=1e-5)
    assert x.power_factor[0] == pytest.approx(terminals.active_w() / apparent, rel=1e-5)
    assert x.displacement_factor[0] == pytest.approx(np.cos(0.6), rel=1e-5)
    at_line = 1.5 * at_line_v * at_line_i
    assert x.distortion_va[0] == pytest.approx(np.sqrt(apparent**2 - at_line**2), rel=1e-3)
    assert x.voltage_unbalance[0] == pytest.approx(abs(v2) / v1, rel=1e-4)
    assert x.voltage_thd[0] == pytest.approx(distortion_v / at_line_v, rel=1e-4)
    assert x.current_thd[0] == pytest.approx(distortion_i / at_line_i, rel=1e-4)
    for order in TOLD:
        v, i = LINES.get(order) or LINES[-order]
        assert getattr(x, f"voltage_harmonic_{order}")[0] == pytest.approx(
            abs(v) / at_line_v, abs=1e-5
        )
        assert getattr(x, f"current_harmonic_{order}")[0] == pytest.approx(
            abs(i) / at_line_i, abs=1e-5
        )


def test_active_power_is_the_mean_of_the_samples() -> None:
    v, i = terminals.samples(hz=50.0)
    assert power_of(terminals.recording(hz=50.0)).active_w[0] == pytest.approx(
        naive.active_power(v, i), rel=1e-5
    )


def test_unbalance_by_nema_is_the_largest_deviation_between_lines() -> None:
    v, i = terminals.samples({1: (300.0, 10.0), -1: (9.0, 1.0)}, hz=50.0)
    lines = np.sqrt(np.mean((v - np.roll(v, -1, axis=0)) ** 2, axis=1))
    amps = np.sqrt(np.mean(i**2, axis=1))
    x = power_of(terminals.recording({1: (300.0, 10.0), -1: (9.0, 1.0)}, hz=50.0))
    for found, three in ((x.voltage_unbalance_nema, lines), (x.current_unbalance_nema, amps)):
        assert found[0] == pytest.approx(max(abs(three / three.mean() - 1)), rel=1e-3)


@pytest.mark.parametrize("absent", ["ia", "ib", "ic"])
def test_two_currents_give_what_three_give(absent: str) -> None:
    whole = terminals.recording()
    channels = {n: x for n, x in whole.channels.items() if n != absent}
    two, three = power_of(replace(whole, channels=channels)), power_of(whole)
    for name in ("active_w", "reactive_var", "apparent_va", "current_unbalance", "current_thd"):
        assert getattr(two, name) == pytest.approx(getattr(three, name), rel=1e-5)


def test_what_the_phases_have_in_common_counts_nowhere() -> None:
    whole = terminals.recording()
    common = 40 * np.cos(2 * np.pi * 3 * 50.03 * np.arange(whole.samples) / whole.fs_hz)
    moved = {n: x + common * n.startswith("v") for n, x in whole.channels.items()}
    one, other = power_of(whole), power_of(replace(whole, channels=moved))
    for name in ("active_w", "apparent_va", "voltage_thd", "voltage_v"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-5)


def test_a_batch_agrees_with_each_of_its_records() -> None:
    many = [terminals.recording(hz=hz) for hz in (49.7, 50.0, 50.31)]
    batch = power_of(*many)
    for k, one in enumerate(many):
        assert batch.active_w[k] == pytest.approx(power_of(one).active_w[0], rel=1e-9)


def test_harmonics_of_a_long_record_are_those_of_a_short_one() -> None:
    x = np.stack(terminals.samples(seconds=4.0)[0])[None]
    spectra = partial_fft.spectra(x.astype(np.float32))
    assert spectra.ways > 1
    found = np.abs(harmonic_phasors(spectra, np.array([50.03]), 10_000.0))[0, 0]
    assert found[3] == pytest.approx(9.0, rel=1e-4)
    assert found[11] == pytest.approx(2.0, rel=1e-4)


def test_orders_above_half_the_rate_are_zero() -> None:
    x = power_of(terminals.recording(fs_hz=1_000.0))
    assert (x.voltage_harmonic_11[0], x.voltage_harmonic_13[0]) == (0.0, 0.0)
    assert x.voltage_harmonic_5[0] == pytest.approx(9 / 325, rel=1e-3)


@pytest.mark.parametrize("hz", [49.6, 50.03, 50.4])
def test_pqopen_agrees(hz: float) -> None:
    """P, Q, V2 within 0.1 %, frequency within 2 mHz, harmonics within 0.1 % of the fundamental."""
    pytest.importorskip("pqopen", reason="pqopen-lib is not installed")
    theirs = by_pqopen(*terminals.samples(hz=hz, seconds=3.0))
    record = terminals.recording(hz=hz, seconds=3.0)
    analysis = front_end([record], [Motor()], frames=True, slot_band=False)
    x = analysis.power
    assert x is not None
    assert analysis.f0_hz[0] == pytest.approx(theirs["hz"], abs=2e-3)
    assert x.active_w[0] == pytest.approx(theirs["active_w"], rel=1e-3)
    # Theirs is the sum over phases, which has the negative sequence in it.
    v2, i2 = LINES[-1]
    negative_var = 1.5 * (v2 * np.conj(i2)).imag
    assert x.reactive_var[0] + negative_var == pytest.approx(theirs["reactive_var"], rel=1e-3)
    assert x.voltage_unbalance[0] == pytest.approx(theirs["unbalance"], abs=1e-3)
    for order in TOLD:
        assert getattr(x, f"voltage_harmonic_{order}")[0] == pytest.approx(
            theirs[f"v{order}"], abs=1e-3
        )
        assert getattr(x, f"current_harmonic_{order}")[0] == pytest.approx(
            theirs[f"i{order}"], abs=1e-3
        )


def by_pqopen(v: np.ndarray, i: np.ndarray) -> dict[str, float]:
    """Return the same by pqopen-lib."""
    from daqopen.channelbuffer import AcqBuffer
    from pqopen.powersystem import PowerSystem

    buffers = [AcqBuffer(size=len(v[0]) + 1) for _ in range(6)]
    system = PowerSystem(buffers[0], 10_000.0)
    for k in range(3):
        system.add_phase(buffers[k], buffers[3 + k])
    system.enable_harmonic_calculation(20)
    for buffer, x in zip(buffers, np.concatenate([v, i]), strict=True):
        buffer.put_data(x)
    system.process()
    last = {name: channel.last_sample_value for name, channel in system.output_channels.items()}

    def harmonic(name: str, order: int) -> float:
        phases = [last[f"{name}{k}_H_rms"] for k in (1, 2, 3)]
        return float(
            np.hypot.reduce([p[order] for p in phases]) / np.hypot.reduce([p[1] for p in phases])
        )

    return {
        "hz": float(last["Freq"]),
        "active_w": float(last["P"]),
        "reactive_var": float(sum(last[f"Q{k}_H1"] for k in (1, 2, 3))),
        "unbalance": float(last["U_unbal_2"]) / 100,
        **{f"{u.lower() if u == 'I' else 'v'}{n}": harmonic(u, n) for u in "UI" for n in TOLD},
    }
