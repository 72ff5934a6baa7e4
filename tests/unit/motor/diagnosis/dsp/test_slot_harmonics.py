"""Slip from slot harmonics: right to 5e-4, and a low score where there are none."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.fft

from tests.signals.current_lines import Machine, recording
from vtox.motor.diagnosis.dsp import slot_harmonics

FS_HZ = 2_500.0


def whole_band(x: np.ndarray, df_hz: float) -> slot_harmonics.SlotBand:
    spectrum = scipy.fft.rfft(x)
    return slot_harmonics.band(spectrum, np.zeros(len(x), int), spectrum.shape[-1], df_hz)


def search(machines: list[Machine], seed: int = 0) -> slot_harmonics.SlotLines:
    rng = np.random.default_rng(seed)
    x = np.stack([list(recording(m, rng).channels.values()) for m in machines])
    samples = x.shape[-1]
    f0_hz = np.array([m.f0_hz for m in machines])
    n = len(machines)
    return slot_harmonics.slot_harmonics(
        whole_band(x, machines[0].fs_hz / samples),
        f0_hz,
        np.full(n, 14.0),
        np.full(n, 0.003),
        np.full(n, 0.05),
    )


@pytest.mark.parametrize("seconds", [1.0, 4.0, 10.0])
@pytest.mark.parametrize("slip", [0.006, 0.0137, 0.021, 0.042])
def test_slip_is_right(seconds: float, slip: float) -> None:
    m = Machine(seconds=seconds, fs_hz=FS_HZ, slip=slip, slot_dbc=-60.0, wander_hz=0.005)
    got = search([replace(m, f0_hz=f) for f in (49.9, 50.0, 50.07)])
    # In one second slot lines at 0.6 % slip lie within the harmonics' skirt: half says so.
    assert np.all(np.abs(got.slip - slip) < np.maximum(5e-4, got.half if slip < 0.01 else 0))
    assert np.all(got.score > 9)
    assert np.all(got.lead > 1.5)


def test_noise_alone_scores_low() -> None:
    machines = [Machine(fs_hz=FS_HZ, noise=1e-3, f0_hz=50 + 0.001 * k) for k in range(60)]
    assert np.quantile(search(machines).score, 0.95) < 8.6


def test_unknown_bars_score_nothing() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([list(recording(Machine(slot_dbc=-50.0), rng).channels.values())])
    got = slot_harmonics.slot_harmonics(
        whole_band(x, 0.1), np.array([50.013]), *(np.array([v]) for v in (np.nan, 0.0, 0.05))
    )
    assert got.score[0] == 0


def test_without_noise_nothing_is_infinite() -> None:
    x = np.zeros((1, 3, 25_000))
    got = slot_harmonics.slot_harmonics(
        whole_band(x, 0.1), np.array([50.0]), *(np.array([v]) for v in (14.0, 0.003, 0.05))
    )
    assert (got.score[0], got.lead[0]) == (0, 0)


@pytest.mark.parametrize("bars_per_pair", [8.0, 14.0, 22.0])
@pytest.mark.parametrize("slip", [(0.003, 0.05), (0.0, 0.12), (0.02, 0.02)])
def test_a_part_gives_what_the_whole_gives(bars_per_pair: float, slip: tuple[float, float]) -> None:
    m = Machine(seconds=2.0, fs_hz=FS_HZ, slot_dbc=-60.0, noise=1e-3)
    x = np.stack([list(recording(m, np.random.default_rng(4)).channels.values())])
    f0_hz, ratio = np.array([m.f0_hz]), np.array([bars_per_pair])
    all_ = whole_band(x, 0.5)
    first, width = slot_harmonics.reach(f0_hz, ratio, 0.12, 0.5, all_.bins)
    part = replace(all_, power=all_.power[:, first[0] : first[0] + width], first=first)
    bounds = [np.array([s]) for s in slip]
    a, b = (slot_harmonics.slot_harmonics(band, f0_hz, ratio, *bounds) for band in (all_, part))
    assert (a.slip, a.score, a.lead, a.strongest) == (b.slip, b.score, b.lead, b.strongest)


def test_the_part_always_holds_a_line() -> None:
    first, width = slot_harmonics.reach(np.array([50.0]), np.array([1e4]), 0.12, 0.5, 100)
    assert (first[0], width) == (97, 3)
    assert slot_harmonics.reach(np.array([50.0]), np.array([np.nan]), 0.12, 0.5, 100)[1] == 0


def swinging(
    slip: float, depth: float, *, wander: float = 0.0, size: float = 1e-3, seconds: float = 10.0
) -> slot_harmonics.SlotLines:
    """Return the lines where the rotor angle swings by `depth` rad (at the slots) at 2sf.

    And wanders by `wander` rad a sample, which gives a line its skirt.
    """
    t = np.arange(round(seconds * FS_HZ)) / FS_HZ
    rng = np.random.default_rng(3)
    turn = 2 * np.pi * 14 * 50 * (1 - slip) * t + depth * np.sin(2 * np.pi * 2 * slip * 50 * t)
    turn += wander * np.cumsum(rng.standard_normal(len(t)))
    lines = sum(size * np.cos(turn + k * 2 * np.pi * 50 * t + k) for k in (-1, 1, 3))
    # The floor is uneven: ten times less noise below 700 Hz.
    noise = scipy.fft.rfft(1e-3 * rng.standard_normal(len(t)))
    noise[: round(700 * seconds)] *= 0.1
    x = np.cos(2 * np.pi * 50 * t) + lines + scipy.fft.irfft(noise, len(t))
    one = np.ones(1)
    return slot_harmonics.slot_harmonics(
        whole_band(x[None, None], 1 / seconds), 50 * one, 14 * one, 0.003 * one, 0.08 * one
    )


@pytest.mark.parametrize("slip", [0.0137, 0.0215, 0.052])
@pytest.mark.parametrize("depth", [0.3, 1.0, 1.8, 2.6])
def test_sidebands_of_a_swinging_speed_are_not_taken_for_the_line(
    slip: float, depth: float
) -> None:
    got = swinging(slip, depth)
    assert got.score[0] > 9
    assert got.slip[0] == pytest.approx(slip, abs=5e-4)


@pytest.mark.parametrize("off_hz", [0.3, 0.5, 0.7, -0.6])
def test_the_skirt_of_a_line_near_a_harmonic_is_no_line(off_hz: float) -> None:
    slip = 1 - (13 + off_hz / 50) / 14
    got = swinging(slip, 0.0, wander=0.02, size=4e-3)
    assert got.score[0] < 9 or got.slip[0] == pytest.approx(slip, abs=3e-4)
