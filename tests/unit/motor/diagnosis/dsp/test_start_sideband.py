"""The sweep of the lower sideband is found in a start, and nothing else is taken for it."""

import numpy as np
import pytest

from tests.signals.motor_start import FS_HZ, with_sideband
from vtox.motor.diagnosis.dsp.start_sideband import space_vector, start_sideband
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, Array, Recording

SECONDS = 2.0
SAMPLES = round(SECONDS * FS_HZ)
LEVEL = np.full(SAMPLES, 6.0)
# Slip falls from 1 to 0.02, slowly at first.
SLIP = 1 - 0.98 * (np.arange(SAMPLES) / SAMPLES) ** 1.5


def stack(x: Recording) -> Array:
    return np.array([x.channels[c] for c in CURRENTS])


def currents(share: float, slip: Float64 = SLIP, f0_hz: float = 50.0) -> Array:
    return stack(with_sideband(LEVEL, f0_hz, slip, share))


@pytest.mark.parametrize("f0_hz", [50.0, 60.0])
@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
def test_the_sweep_has_its_level_and_its_times(share: float, f0_hz: float) -> None:
    found = start_sideband(currents(share, f0_hz=f0_hz), FS_HZ, f0_hz)
    assert found is not None
    assert found.level_db == pytest.approx(20 * np.log10(share), abs=1.0)
    slip = np.interp(found.hz_s[:, 1], np.arange(SAMPLES) / FS_HZ, SLIP)
    assert found.hz_s[:, 0] == pytest.approx(f0_hz * (1 - 2 * slip), abs=0.03 * f0_hz)


def test_the_order_of_the_phases_does_not_matter() -> None:
    assert start_sideband(currents(0.03)[[0, 2, 1]], FS_HZ, 50.0) is not None


@pytest.mark.parametrize(
    "slip",
    [
        SLIP[::-1],  # a line that moves downwards, as loads make it
        np.full(SAMPLES, 0.8),  # lines that stand still
        np.full(SAMPLES, 0.99),
        0.75 + 0.2 * np.sin(2 * np.pi * 3 * np.arange(SAMPLES) / FS_HZ),  # to and fro
        np.maximum(SLIP - 0.5, 0.0),  # above 0 alone
    ],
    ids=["downwards", "constant", "unbalance", "to and fro", "above 0"],
)
def test_other_lines_are_no_sweep(slip: Float64) -> None:
    assert start_sideband(currents(0.1, slip), FS_HZ, 50.0) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_sweep(seed: int) -> None:
    x = stack(with_sideband(LEVEL, 50.0, SLIP, 0.0, seed=seed))
    assert start_sideband(x, FS_HZ, 50.0) is None


def test_the_space_vector_turns_forwards_with_the_supply() -> None:
    z = space_vector(currents(0.0), FS_HZ, 50.0)
    turns = np.exp(-2j * np.pi * 50.0 * np.arange(SAMPLES) / FS_HZ)
    assert abs(np.mean(z * turns)) == pytest.approx(6 * np.sqrt(2), rel=0.01)
