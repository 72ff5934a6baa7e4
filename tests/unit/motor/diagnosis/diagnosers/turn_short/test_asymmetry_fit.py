from dataclasses import replace

import numpy as np
import pytest

from tests.signals.phasor_motor import MOTOR, Machine, recording
from tests.unit.motor.diagnosis.diagnosers.turn_short.cases import CHANNELS, turn_short
from vtox import learn_baseline
from vtox.motor.diagnosis.diagnosers.turn_short import asymmetry_fit
from vtox.motor.diagnosis.diagnosers.turn_short.asymmetry_model import Sequences, prior
from vtox.motor.values.arrays import Complex
from vtox.motor.values.domain import Recording


def test_one_supply_frequency_is_learnt() -> None:
    runs = [recording(Machine(hz=hz), 2.0, seed=k) for k, hz in enumerate((50.0, 40.0, 50.1))]
    learnt = learn_baseline(runs, MOTOR).asymmetry
    assert learnt is not None
    assert (learnt.recordings, learnt.supply_hz) == (2, pytest.approx(50.05, abs=0.01))


def test_one_supply_frequency_of_a_session_is_learnt() -> None:
    drive = replace(MOTOR, supply="inverter", rated_voltage_v=None)
    runs = [
        recording(Machine(hz=hz), 2.0, channels=CHANNELS, seed=k)
        for k, hz in enumerate((50.0, 40.0, 40.1))
    ]
    learnt = learn_baseline(runs, drive, one_session=True).asymmetry
    assert learnt is not None
    assert learnt.recordings == 1
    assert learnt.supply_hz == pytest.approx(40.05, abs=0.01)
    assert learnt == learn_baseline(runs[1:], drive, one_session=True).asymmetry


def test_clamps_put_back_teach_no_slope_over_load() -> None:
    """Learnt at low loads with clamps that differ by 0.3 % each time, diagnosed at high ones."""
    for turn in range(6):
        rng = np.random.default_rng(turn)

        def put_back(load: float, rng: np.random.Generator = rng) -> Recording:
            gain_errors = 0.003 * (rng.normal(size=3) + 1j * rng.normal(size=3))
            m = Machine(
                load=load, v2=0.003 * np.exp(6.3j * rng.random()), gains=tuple(1 + gain_errors)
            )
            return recording(m, 3.0, channels=CHANNELS, seed=int(rng.integers(1000)))

        learnt = learn_baseline([put_back(load) for load in (0.3, 0.4, 0.45)], MOTOR)
        diagnoses = [turn_short(put_back(load), learnt) for load in (0.6, 0.8, 1.0)]
        assert [d.state for d in diagnoses] == ["normal"] * 3
        assert (
            turn_short(recording(Machine(short_a=0.8), channels=CHANNELS), learnt).state
            == "warning"
        )


def piece(hz: float, frames: int = 100, *, voltages: bool = True, seed: int = 0) -> Sequences:
    """Frames that follow I2 = Y22 V2 + c I1 with little noise; V2 moves."""
    rng = np.random.default_rng(seed)
    i1 = np.full(frames, 8.0 * np.sqrt(2), complex)
    v1 = np.full(frames, 231.0 * np.sqrt(2), complex)
    v2 = 0.01 * v1 * np.exp(2j * np.pi * np.arange(frames) / frames)
    noise = 1e-4 * (rng.normal(size=frames) + 1j * rng.normal(size=frames))
    i2 = ADMITTANCE * v2 / 23.1 + (0.004 + noise) * i1
    return Sequences(i1, i2, 0.01 * i1, *((v1, v2) if voltages else (None, None)), hz)


ADMITTANCE = 5 - 4j  # per unit of 10 A over 231 V


def test_pieces_of_one_frequency_are_joined() -> None:
    pieces = [piece(50.0), piece(40.0), piece(50.5, voltages=False)]
    grid, slow = asymmetry_fit.concatenate_by_frequency(pieces)
    assert (len(grid.i1), grid.hz, grid.v1) == (200, pytest.approx(50.25), None)
    assert (len(slow.i1), slow.hz) == (100, 40.0)
    assert slow.v1 is not None


def test_the_admittance_is_learnt_where_the_unbalance_moves() -> None:
    model = asymmetry_fit.fit([piece(50.0, 2000, seed=k) for k in range(3)], MOTOR)
    assert model is not None
    assert model.mean[0] == pytest.approx(ADMITTANCE, abs=0.1)
    assert model.residual == pytest.approx(0.01)
    assert (model.recordings, model.frames, model.supply_hz) == (3, 1500, 50.0)


@pytest.mark.parametrize("moves", [0.0002, 0.0005, 0.002])
@pytest.mark.parametrize("noise", [0.0, 0.0005])
@pytest.mark.parametrize("frames", [40, 200])
def test_a_supply_that_fluctuates_teaches_no_false_admittance(
    moves: float, noise: float, frames: int
) -> None:
    """V2 moves from frame to frame, by `moves` of V1, and is measured with `noise` of V1."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        admittance = rng.uniform(4, 8) * np.exp(-1j * np.radians(rng.uniform(60, 80)))
        runs = [fluctuating(rng, frames, admittance, moves, noise) for _ in range(8)]
        model = asymmetry_fit.fit(runs, MOTOR)
        assert model is not None
        std = np.sqrt(model.covariance[0][0].real)
        assert abs(model.mean[0] - admittance) < 4 * std


def fluctuating(
    rng: np.random.Generator, frames: int, admittance: complex, moves: float, noise: float
) -> Sequences:
    """Frames of one recording, a quarter of a frame apart, on a supply that always moves."""

    def white(n: int) -> Complex:
        return np.asarray(rng.normal(size=n) + 1j * rng.normal(size=n))

    def framed(x: Complex) -> Complex:  # by a Hann window over four pieces
        return np.convolve(x, np.array([0.15, 0.69, 0.69, 0.15]), "valid")

    i1 = np.full(frames, 8.0 * np.sqrt(2), complex)
    v1 = np.full(frames, 231.0 * np.sqrt(2), complex)
    v2 = (0.005 + moves * framed(white(frames + 3))) * v1
    i2 = admittance * v2 / 23.1 + (0.004 + 3e-4 * framed(white(frames + 3))) * i1
    return Sequences(i1, i2, 0.01 * i1, v1, v2 + noise * framed(white(frames + 3)) * v1, 50.0)


def test_without_frames_nothing_is_learnt() -> None:
    assert asymmetry_fit.fit([], MOTOR) is None
    assert asymmetry_fit.fit([piece(50.0, 0)], MOTOR) is None


def test_the_posterior_is_that_of_correlated_frames() -> None:
    """Against the plain formula with the full covariance of the frames of a recording."""
    start = prior(MOTOR, 8.0, None)
    rng = np.random.default_rng(3)
    shapes = (30, 20)
    x = [np.stack([np.zeros(n), rng.uniform(1, 2, n), np.ones(n)], axis=1) + 0j for n in shapes]
    y = [0.01 * (rng.normal(size=n) + 1j * rng.normal(size=n)) for n in shapes]
    noise, recording_std = 0.003, 0.006
    precision = np.linalg.inv(np.array(start.covariance))
    pull = precision @ np.array(start.mean)
    for rows, values in zip(x, y, strict=True):
        u = rows[:, 1].real
        weight = np.linalg.inv(noise**2 * np.eye(len(u)) + recording_std**2 * np.outer(u, u))
        precision = precision + rows.conj().T @ weight @ rows
        pull = pull + rows.conj().T @ weight @ values
    mean, covariance = asymmetry_fit._posterior(start, x, y, noise, recording_std)
    assert covariance == pytest.approx(np.linalg.inv(precision))
    assert mean == pytest.approx(np.linalg.solve(precision, pull))
