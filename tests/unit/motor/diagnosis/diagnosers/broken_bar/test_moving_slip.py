"""Broken bars are found while the load moves; lines that do not follow the slip are none."""

from dataclasses import dataclass

import numpy as np
import pytest

from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Diagnosis, Motor, Recording

FS_HZ = 1_000.0
SECONDS = 10.0
F0_HZ = 50.0
SLIP = 0.03
T_S = np.arange(int(SECONDS * FS_HZ)) / FS_HZ
LOADS = {
    "ramp": 1 + 0.3 * (T_S / SECONDS - 0.5),
    "slow sine": 1 + 0.2 * np.sin(2 * np.pi * 0.21 * T_S),
    "slow steps": np.interp(T_S, [0, 3, 4.5, 7, 8, 10], [1.15, 1.15, 0.85, 0.85, 1.1, 1.1]),
}
MOTOR = Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1455.0, rated_current_a=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A quasi-static motor: the active current and the slip follow the load, the rest does not."""

    load: Float64
    lower_dbc: float = -300.0
    swing: float = 0.0  # of the load, at a frequency of its own
    swing_hz: float = 0.0


def recording(m: Machine, seed: int = 0) -> Recording:
    rng = np.random.default_rng(seed)
    load = m.load + m.swing * np.cos(2 * np.pi * m.swing_hz * T_S + rng.uniform(0, 6.28))
    current = load - 0.6j
    slip_angle = 2 * np.pi * F0_HZ * np.cumsum(SLIP * m.load / m.load.mean()) / FS_HZ
    turn = np.exp(1j * rng.uniform(0, 6.28))
    current = current * (1 + 10 ** (m.lower_dbc / 20) * turn * np.exp(-2j * slip_angle))
    supply = np.exp(2j * np.pi * F0_HZ * T_S)
    channels = {}
    for names, space, size in ((CURRENTS, current * supply, 11.0), (VOLTAGES, supply, 325.0)):
        for k, name in enumerate(names):
            x = (space * np.exp(-2j * np.pi * k / 3)).real + 2e-4 * rng.standard_normal(len(T_S))
            channels[name] = (size * x).astype(np.float32)
    return Recording(channels, FS_HZ, speed_rpm=1500 * (1 - SLIP))


def diagnose(m: Machine, *, voltages: bool = False, speed: bool = True) -> Diagnosis:
    r = recording(m)
    names = (*CURRENTS, *VOLTAGES) if voltages else CURRENTS
    r = Recording(
        {n: r.channels[n] for n in names}, r.fs_hz, speed_rpm=r.speed_rpm if speed else None
    )
    (d,) = broken_bar.diagnose(front_end([r], [MOTOR]), [None])
    return d


def moving_slip(d: Diagnosis) -> dict[str, float]:
    return dict(next(e for e in d.evidence if e["kind"] == "moving_slip"))


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("voltages", [False, True])
def test_broken_bars_are_found_with_their_level(load: str, voltages: bool) -> None:
    d = diagnose(Machine(load=LOADS[load], lower_dbc=-48.0), voltages=voltages)
    assert (d.state, d.code) == ("warning", "rotor_asymmetry")
    assert d.indicators["lower_sideband_dbc"] == pytest.approx(-48.0, abs=1.0)
    assert d.values["distance_hz"] == pytest.approx(2 * SLIP * F0_HZ, abs=0.1)
    moves = moving_slip(d)
    assert moves["lowest_slip"] == pytest.approx(SLIP * LOADS[load].min(), rel=0.1)
    assert moves["highest_slip"] == pytest.approx(SLIP * LOADS[load].max(), rel=0.1)
    assert moves["over_fixed"] > 2


def test_an_estimated_slip_is_tracked_too() -> None:
    d = diagnose(Machine(load=LOADS["slow sine"], lower_dbc=-42.0), speed=False)
    assert (d.state, d.code) == ("warning", "rotor_asymmetry")


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("lower_dbc", [-300.0, -62.0])
def test_sound_rotor_cages_are_normal(load: str, lower_dbc: float) -> None:
    d = diagnose(Machine(load=LOADS[load], lower_dbc=lower_dbc))
    # Steps leave transients, which may hide sidebands.
    assert d.state == "normal" or (load == "slow steps" and d.code == "noise_hides_sidebands")


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("share", [0.95, 1.0, 1.05])
def test_a_load_oscillation_near_twice_slip_frequency_is_no_broken_bar(
    load: str, share: float
) -> None:
    m = Machine(load=LOADS[load], swing=0.05, swing_hz=share * 2 * SLIP * F0_HZ)
    for d in (diagnose(m), diagnose(m, voltages=True)):
        assert d.state == "unknown"
        assert moving_slip(d)["over_fixed"] < 1


@pytest.mark.parametrize(("parts", "swing"), [(2, 0.35), (3, 0.35), (3, 0.7), (4, 0.35), (5, 0.35)])
def test_multiples_of_a_strong_load_oscillation_are_no_broken_bar(parts: int, swing: float) -> None:
    m = Machine(load=np.ones_like(T_S), swing=swing, swing_hz=2 * SLIP * F0_HZ / parts)
    assert diagnose(m).state in ("normal", "unknown")


def test_a_load_that_moves_too_far_is_not_steady() -> None:
    d = diagnose(Machine(load=1 + 1.2 * (T_S / SECONDS - 0.5), lower_dbc=-42.0))
    assert (d.state, d.code) == ("unknown", "current_not_steady")
