"""Behind a drive that changes speed the lines of a cage exceed those by its voltage."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from tests.signals.current_lines import MOTOR
from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Recording

DRIVE = replace(MOTOR, supply="inverter", rotor_bars=None)
FS_HZ, SECONDS, SLIP = 2_000.0, 20.0, 0.022


def moving(lower_dbc: float, *, moves_hz: float = 0.6, seed: int = 1) -> Recording:
    """Return a record at a random walk of the frequency, to which amplitude and phase answer."""
    rng = np.random.default_rng(seed)
    points = round(SECONDS * FS_HZ)
    walk = lfilter([1e-3], [1, -0.999], np.cumsum(rng.standard_normal(points)))
    hz = 45.0 + moves_hz * (walk - walk.mean()) / walk.std()
    supply = 2 * np.pi * np.cumsum(hz) / FS_HZ
    answer = lfilter([2e-3], [1, -1.993, 0.9931], np.gradient(hz) * FS_HZ) / 50
    cage = 10 ** (lower_dbc / 20) * np.exp(-2j * SLIP * supply)
    current = np.exp(1j * supply + (0.02 - 0.03j) * answer - 0.6j) * (1 + cage)
    channels = {}
    for names, x, scale in ((CURRENTS, current, 11.3), (VOLTAGES, np.exp(1j * supply), 290.0)):
        for k, name in enumerate(names):
            phase = (x * np.exp(-2j * np.pi * k / 3)).real + 1e-4 * rng.standard_normal(points)
            channels[name] = (scale * phase).astype(np.float32)
    return Recording(channels, FS_HZ)


def diagnosis(x: Recording, *, voltages: bool = True) -> Diagnosis:
    kept = CURRENTS if not voltages else (*CURRENTS, *VOLTAGES)
    x = replace(x, channels={n: x.channels[n] for n in kept})
    (d,) = broken_bar.diagnose(front_end([x], [DRIVE]), [None])
    return d


@pytest.mark.parametrize("seed", [1, 2])
def test_a_broken_cage_is_found_while_the_drive_moves(seed: int) -> None:
    d = diagnosis(moving(-44.0, seed=seed))
    assert (d.state, d.code) == ("warning", "rotor_asymmetry")  # never a fault
    assert d.indicators["lower_sideband_dbc"] == pytest.approx(-44.0, abs=1.5)
    assert d.values["distance_hz"] == pytest.approx(2 * SLIP * 45.0, abs=0.15)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sound_cage_is_not_called_sound_while_the_drive_moves(seed: int) -> None:
    d = diagnosis(moving(-300.0, seed=seed))
    assert (d.state, d.code) == ("unknown", "supply_not_steady")
    assert d.indicators["detectable_dbc"] < -54


def test_without_voltages_and_on_a_ramp_nothing_is_decided() -> None:
    assert diagnosis(moving(-44.0), voltages=False).code == "supply_not_steady"
    assert diagnosis(moving(-44.0, moves_hz=5.0)).code == "supply_not_steady"
