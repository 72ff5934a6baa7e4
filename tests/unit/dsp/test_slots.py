"""Slip from slot harmonics: right to 5e-4, silent where there are none."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.fft

from tests.currents import Machine, recording
from vtox.dsp import slots

FS_HZ = 2_500.0


def search(machines: list[Machine], seed: int = 0) -> slots.SlotLines:
    rng = np.random.default_rng(seed)
    x = np.stack([list(recording(m, rng).channels.values()) for m in machines])
    samples = x.shape[-1]
    f0_hz = np.array([m.f0_hz for m in machines])
    n = len(machines)
    return slots.slot_harmonics(
        scipy.fft.rfft(x),
        machines[0].fs_hz / samples,
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
    got = slots.slot_harmonics(
        scipy.fft.rfft(x), 0.1, np.array([50.013]), *(np.array([v]) for v in (np.nan, 0.0, 0.05))
    )
    assert got.score[0] == 0
