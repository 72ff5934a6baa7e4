"""A baseline at other loads and with clamps that drifted: no false alarm, and shorts are found."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, GAINS, turn_short
from vtox import learn_baseline
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Diagnosis, Recording
from vtox.motor.words.rendering import advice


@pytest.fixture(scope="module", params=[CHANNELS, CURRENTS], ids=["voltages", "currents only"])
def learnt(request: pytest.FixtureRequest) -> tuple[tuple[str, ...], Baseline]:
    """A baseline of 12 records at loads of 0.55 to 0.65."""
    channels: tuple[str, ...] = request.param
    rng = np.random.default_rng(3)
    angles = np.exp(2j * np.pi * rng.uniform(size=12))
    machines = [
        Machine(load=0.55 + 0.05 * (k % 3), v2=1e-3 * rng.uniform() * angle, gains=GAINS)
        for k, angle in enumerate(angles)
    ]
    records = [recording(m, 2.0, channels=channels, seed=k) for k, m in enumerate(machines)]
    return channels, learn_baseline(records, MOTOR)


def with_computed(r: Recording, computed: str) -> Recording:
    """Return the recording as of two clamps, the third current computed from theirs."""
    a, b = (r.channels[c].astype(np.float64) for c in CURRENTS if c != computed)
    return replace(r, channels={**r.channels, computed: (-a - b).astype(np.float32)})


@pytest.mark.parametrize("computed", CURRENTS)
def test_a_gain_of_one_of_two_clamps_is_no_short(computed: str) -> None:
    rng = np.random.default_rng(5)
    angles = np.exp(2j * np.pi * rng.uniform(size=12))
    machines = [
        Machine(load=0.55 + 0.05 * (k % 3), v2=1e-3 * rng.uniform() * angle, gains=GAINS)
        for k, angle in enumerate(angles)
    ]

    def record(m: Machine, s: float, seed: int) -> Recording:
        return with_computed(recording(m, s, channels=CHANNELS, seed=seed), computed)

    baseline = learn_baseline([record(m, 2.0, k) for k, m in enumerate(machines)], MOTOR)
    for k, drift in enumerate((0.015, -0.04)):
        clamp = [j for j, c in enumerate(CURRENTS) if c != computed][k]
        a, b, c = (g * (1 + drift * (j == clamp)) for j, g in enumerate(GAINS))
        d = turn_short(record(Machine(load=0.6, gains=(a, b, c)), 1.0, 50 + k), baseline)
        assert (d.state, d.code) == ("unknown", "clamp_of_two_not_excluded")
        assert d.values["gain_change_ratio"] == pytest.approx(abs(drift), abs=0.004)
    short = Machine(load=0.6, gains=GAINS, short_a=1.0, phase="b")
    assert turn_short(record(short, 1.0, 60), baseline).code == "turn_short_found"


def at(
    learnt: tuple[tuple[str, ...], Baseline], *, load: float, drift: float, short_a: float
) -> list[Diagnosis]:
    """Return the diagnoses of one record a clamp, which reads too much by `drift`."""
    channels, baseline = learnt
    found = []
    for k in range(3):
        gains = tuple(g * (1 + drift * (j == k)) for j, g in enumerate(GAINS))
        m = Machine(load=load, gains=gains, short_a=short_a, phase="abc"[k], v2=5e-4j)  # type: ignore[arg-type]
        found.append(turn_short(recording(m, channels=channels, seed=50 + k), baseline))
    return found


@pytest.mark.parametrize("drift", [0.0, 0.005, 0.015, 0.04])
@pytest.mark.parametrize("load", [0.3, 0.6, 1.0])
def test_no_load_and_no_drift_is_a_short(
    learnt: tuple[tuple[str, ...], Baseline], load: float, drift: float
) -> None:
    found = at(learnt, load=load, drift=drift, short_a=0.0)
    assert {d.state for d in found} <= {"normal", "unknown"}
    assert all(advice(d.code) for d in found if d.state == "unknown")


@pytest.mark.parametrize("load", [0.3, 0.6, 1.0])
def test_a_short_is_found_or_the_baseline_is_said_to_be_of_other_loads(
    learnt: tuple[tuple[str, ...], Baseline], load: float
) -> None:
    found = at(learnt, load=load, drift=0.005, short_a=1.0)
    elsewhere = len(learnt[0]) == 3 and load == 1.0
    assert {d.state for d in found} == {"unknown" if elsewhere else "warning"}
    assert {d.code == "no_baseline_at_load" for d in found} == {elsewhere}
