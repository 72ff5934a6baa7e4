"""The shared front end: wiring, phasors, channels of any number, and refusals by name."""

from dataclasses import replace

import numpy as np
import pytest

from tests.signals.current_lines import MOTOR, Machine, recording
from vtox.motor.diagnosis.diagnosers.broken_bar import diagnoser as broken_bar
from vtox.motor.diagnosis.diagnosers.current.current_analysis import CurrentAnalysis
from vtox.motor.diagnosis.diagnosers.current.front_end import front_end
from vtox.motor.diagnosis.diagnosers.current.signal_problems import MIN_LINE_SHARE
from vtox.motor.diagnosis.diagnosers.eccentricity import diagnoser as eccentricity
from vtox.motor.diagnosis.dsp import slot_harmonics
from vtox.motor.values.domain import CURRENTS, VOLTAGES, Motor, Recording


def analysis(m: Machine, motor: Motor = MOTOR, **changes: object) -> CurrentAnalysis:
    r = recording(m, np.random.default_rng(0))
    return front_end([replace(r, **changes)], [motor])


def with_channels(m: Machine, **gains: float) -> Recording:
    r = recording(m, np.random.default_rng(0))
    return replace(r, channels={c: r.channels[c] * np.float32(g) for c, g in gains.items()})


@pytest.mark.parametrize("fs_hz", [1_000.0, 2_500.0, 10_000.0, 50_000.0])
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.7])
def test_frequency_current_and_unbalance(fs_hz: float, seconds: float) -> None:
    f = analysis(Machine(fs_hz=fs_hz, seconds=seconds, negative=0.03j, offset_a=2.0, slip=0.03))
    assert f.problems == ((),)
    assert f.f0_hz[0] == pytest.approx(50.013, abs=0.01)
    assert f.current_rms_a[0] == pytest.approx(8.0, rel=0.01)
    _, i1, i2 = f.sequence_i[0]
    assert i2 / i1 == pytest.approx(np.full(len(i1), i2[0] / i1[0]), abs=2e-4)
    assert np.abs(i2 / i1) == pytest.approx(np.full(len(i1), 0.03), abs=5e-4)


@pytest.mark.parametrize("gains", [(1, 1, 1), (1, -1, 1), (-1, 1, 1)])
@pytest.mark.parametrize("names", [("ia", "ib", "ic"), ("ia", "ic", "ib")])
def test_wiring_does_not_matter(gains: tuple[int, ...], names: tuple[str, ...]) -> None:
    r = recording(Machine(seconds=1.0, negative=0.02), np.random.default_rng(0))
    channels = {n: r.channels[c] * g for n, c, g in zip(names, CURRENTS, gains, strict=True)}
    f = front_end([replace(r, channels=channels)], [MOTOR])
    zero, i1, i2 = np.abs(f.sequence_i[0]).mean(axis=-1)
    assert i2 / i1 == pytest.approx(0.02, abs=1e-3)
    assert zero / i1 < 1e-3
    assert [f.phase_name(0, k) for k in range(3)] == [n[-1] for n in sorted(names)] or names[
        1
    ] != "ib"


@pytest.mark.parametrize("channels", [("ia",), ("ib",), ("ia", "ic"), ("ib", "ic")])
def test_fewer_currents_give_frequency_and_envelope(channels: tuple[str, ...]) -> None:
    r = recording(Machine(seconds=4.0, lower_dbc=-40.0), np.random.default_rng(0))
    f = front_end([replace(r, channels={c: r.channels[c] for c in channels})], [MOTOR])
    assert f.problems == ((),)
    assert not f.three_currents
    assert f.sequence_i.shape[-1] == 0
    assert f.f0_hz[0] == pytest.approx(50.013, abs=0.005)
    assert f.current_rms_a[0] == pytest.approx(8.0, rel=0.01)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"fs_hz": 300.0}, "rate_too_low"),
        ({"fs_hz": 5_000.0}, "supply_off_nameplate"),
        ({"channels": {"vibration": np.ones(1_000)}}, "no_current"),
        ({"channels": {c: np.zeros(2_500) for c in CURRENTS}}, "samples_constant"),
        (
            {"channels": {c: 1e30 * np.sin(np.arange(2_500.0)) for c in CURRENTS}},
            "impossible_values",
        ),
        ({"channels": {c: np.ones(30) for c in CURRENTS}}, "too_few_samples"),
        (
            {"channels": {c: np.sin(np.arange(70.0)) for c in CURRENTS}},
            "record_too_short",
        ),
    ],
)
def test_what_stands_against_currents_has_its_code(change: dict[str, object], code: str) -> None:
    f = analysis(Machine(seconds=1.0), **change)
    assert code in {r.code for r in f.problems[0]}


@pytest.mark.parametrize("seconds", [1.0, 2.0, 10.0])
def test_one_current_in_three_channels_has_its_frequency_and_level(seconds: float) -> None:
    """They have no positive sequence but for a remainder of rounding."""
    r = recording(Machine(f0_hz=49.3, seconds=seconds), np.random.default_rng(4))
    one = front_end([replace(r, channels={"ia": r.channels["ia"]})], [MOTOR])
    three = front_end([replace(r, channels=dict.fromkeys(CURRENTS, r.channels["ia"]))], [MOTOR])
    assert three.f0_hz == pytest.approx(one.f0_hz, abs=1e-6)
    assert three.current_rms_a == pytest.approx(one.current_rms_a, rel=1e-5)
    assert three.problems == one.problems


def test_noise_has_no_supply() -> None:
    rng = np.random.default_rng(1)
    r = Recording({c: rng.standard_normal(5_000) for c in CURRENTS}, 5_000.0)
    (found,) = front_end([r], [MOTOR]).problems[0]
    assert found.code == "supply_not_found"
    assert 0 < found.values["power_share"] < MIN_LINE_SHARE  # type: ignore[operator]


def test_a_few_cycles_are_too_short() -> None:
    (found,) = analysis(Machine(seconds=0.1)).problems[0]
    assert found.code == "too_few_cycles"
    assert found.values["cycles"] == pytest.approx(5, abs=0.5)


def test_one_bad_recording_leaves_the_batch_as_it_was() -> None:
    rng = np.random.default_rng(0)
    good = [recording(Machine(seconds=1.0), rng) for _ in range(3)]
    bad = {c: np.where(np.arange(2_500) == 7, np.nan, x) for c, x in good[1].channels.items()}
    together = front_end([good[0], replace(good[1], channels=bad), good[2]], [MOTOR] * 3)
    alone = front_end([good[2]], [MOTOR])
    assert [bool(p) for p in together.problems] == [False, True, False]
    assert together.f0_hz[2] == pytest.approx(alone.f0_hz[0], abs=1e-9)
    assert together.sequence_i[2] == pytest.approx(alone.sequence_i[0])


def test_pieces_of_a_large_batch_agree_with_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    batch = [recording(Machine(seconds=1.0, f0_hz=50 + 0.01 * k), rng) for k in range(5)]
    whole = front_end(batch, [MOTOR] * 5)
    monkeypatch.setattr("vtox.motor.diagnosis.diagnosers.current.front_end.CHUNK_MIN_RECORDINGS", 2)
    monkeypatch.setattr("vtox.motor.diagnosis.diagnosers.current.front_end.CHUNK_SAMPLES", 0)
    pieces = front_end(batch, [MOTOR] * 5)
    for name in ("f0_hz", "envelope", "sequence_i", "order", "bars_per_pair"):
        assert np.array_equal(getattr(pieces, name), getattr(whole, name))
    assert pieces.problems == whole.problems


def test_slot_bands_of_pieces_are_as_wide_as_the_widest() -> None:
    rng = np.random.default_rng(0)
    batch = [recording(Machine(seconds=1.0, slot_dbc=-60.0), rng) for _ in range(3)]
    motors = [MOTOR, replace(MOTOR, rotor_bars=None), replace(MOTOR, rotor_bars=40)]
    bands = [front_end([r], [m]).slot_band for r, m in zip(batch, motors, strict=True)]
    one = slot_harmonics.concatenate([b for b in bands if b is not None])
    for alone, row, first in zip(bands, one.power, one.first, strict=True):
        assert alone is not None
        assert first == alone.first[0]
        assert np.array_equal(row[: alone.power.shape[-1]], alone.power[0])


def test_what_nobody_looks_at_is_left_out() -> None:
    r = recording(Machine(seconds=1.0), np.random.default_rng(0))
    bare, whole = front_end([r], [MOTOR], frames=False, slot_band=False), front_end([r], [MOTOR])
    assert bare.slot_band is None
    assert bare.sequence_i.shape[-1] == 0
    assert bare.f0_hz == whole.f0_hz
    assert np.array_equal(bare.envelope, whole.envelope)


def test_whatever_is_sent_gets_an_answer() -> None:
    rng = np.random.default_rng(0)
    motors = [Motor(), MOTOR, replace(MOTOR, pole_pairs=1, rated_speed_rpm=2_900.0)]
    for k in range(120):
        samples = int(rng.choice([1, 5, 63, 64, 200, 999, 5_000]))
        fs_hz = float(rng.choice([1, 100, 399, 400, 1_000, 10_000, 1e6]))
        t = np.arange(samples) / fs_hz
        kinds = (
            rng.standard_normal(samples),
            np.zeros(samples),
            np.sin(2 * np.pi * 50 * t) * 10 ** rng.uniform(-9, 9),
            np.where(rng.random(samples) < 0.01, np.nan, 1.0),
            rng.integers(-3, 3, samples),
            1e38 * rng.standard_normal(samples),
        )
        names = rng.permutation([*CURRENTS, *VOLTAGES, "vibration"])[: rng.integers(1, 8)]
        channels = {str(n): kinds[rng.integers(len(kinds))] for n in names}
        speed_rpm = [None, 1_450.0, -5.0, 1e9][k % 4]
        f = front_end([Recording(channels, fs_hz, speed_rpm)], [motors[k % 3]])
        for judge in (broken_bar.diagnose, eccentricity.diagnose):
            (d,) = judge(f, [None])
            assert d.state == "unknown"
            assert d.reason
