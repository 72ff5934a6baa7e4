"""Measurements pass whatever their size and resolution; other signals are named."""

import numpy as np
import pytest

from tests import naive
from vtox.motor.diagnosis.dsp import quality
from vtox.motor.values.domain import Reason

FS_HZ = 10_000.0
T_S = np.arange(20_000) / FS_HZ
SINE = np.sin(2 * np.pi * 50.013 * T_S)


def reasons(x: np.ndarray, fs_hz: float = FS_HZ) -> tuple[Reason, ...]:
    return quality.problems(np.asarray(x, np.float32)[None, None], ("ia",), fs_hz)[0]


def codes(x: np.ndarray, fs_hz: float = FS_HZ) -> list[str]:
    return [r.code for r in reasons(x, fs_hz)]


@pytest.mark.parametrize("counts", [2, 3, 5, 20, 200, 2_000, 30_000])
@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("third", [0.0, 0.05, -0.05])
def test_quantised_waveforms_are_measurements(counts: int, noise: float, third: float) -> None:
    rng = np.random.default_rng(counts)
    wave = SINE + third * np.sin(6 * np.pi * 50.013 * T_S)
    x = np.round(counts * wave + noise * rng.standard_normal(len(wave)))
    assert reasons(0.00061 * x) == ()


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e4])
def test_vibration_and_slow_rates_pass(size: float) -> None:
    rng = np.random.default_rng(1)
    assert reasons(size * rng.standard_normal(20_000)) == ()
    assert reasons(size * SINE[::10], 1_000.0) == ()


@pytest.mark.parametrize("hold", [3, 4, 10, 45, 500])
def test_held_samples_are_stuck(hold: int) -> None:
    x = np.repeat(SINE[::hold], hold)
    assert naive.repeated_share(x) > 0.6
    (found,) = reasons(x)
    assert found.code == "samples_stuck"
    assert found.values["channel"] == "ia"
    assert found.values["new_hz"] == pytest.approx(FS_HZ / hold, rel=0.03)


@pytest.mark.parametrize("hold", [2, 3, 4, 6, 12])
@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_held_samples_are_stuck_wherever_they_begin(hold: int, late: int) -> None:
    t_s = np.arange(100_000) / FS_HZ
    rng = np.random.default_rng(hold)
    x = np.sin(2 * np.pi * 50.013 * t_s) + 0.01 * rng.standard_normal(len(t_s))
    held = np.repeat(x[::hold], hold)[late : len(x) - 20]
    assert codes(held) == (["samples_stuck"] if hold > 2 else [])


@pytest.mark.parametrize("samples", [64, 97, 333, 2_079])
def test_short_records_are_tested_like_long_ones(samples: int) -> None:
    x = np.random.default_rng(samples).standard_normal(samples)
    assert codes(x) == []
    assert codes(np.repeat(x, 4)[:samples]) == ["samples_stuck"]
    assert quality.problems(np.empty((2, 0, samples), np.float32), (), FS_HZ) == [(), ()]


def test_a_burst_of_clipping_is_found() -> None:
    x = SINE.copy()
    x[8_000:13_000] = np.clip(x[8_000:13_000], -1.0, 0.9)
    x[:8_000] *= 0.8
    x[13_000:] *= 0.8
    assert codes(x) == ["clipped"]


@pytest.mark.parametrize("samples", [64, 100, 900, 2_003])
def test_short_records_are_looked_at_alike(samples: int) -> None:
    x = SINE[:samples] + 0.3
    assert reasons(x) == ()
    assert codes(np.where(np.arange(samples) == 5, np.nan, x)) == ["samples_missing"]


def test_each_channel_answers_for_itself() -> None:
    x = np.stack([SINE, np.clip(SINE, -0.5, 0.5), 0 * SINE])[None].astype(np.float32)
    (found,) = quality.problems(x, ("ia", "ib", "ic"), FS_HZ)
    assert [(f.code, f.values["channel"]) for f in found] == [
        ("clipped", "ib"),
        ("samples_constant", "ic"),
    ]


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_channels_answer_alike_however_they_lie_in_memory(axes: tuple[int, ...]) -> None:
    x = np.stack([SINE, np.repeat(SINE[::4], 4)])[None].astype(np.float32)
    laid_out = x.transpose(axes).copy().transpose(np.argsort(axes))
    assert np.array_equal(laid_out, x)
    (found,) = quality.problems(laid_out, ("ia", "ib"), FS_HZ)
    assert [(f.code, f.values["channel"]) for f in found] == [("samples_stuck", "ib")]


def test_rows_of_irregular_length_are_stuck() -> None:
    rng = np.random.default_rng(2)
    x = np.repeat(3 + 0.4 * rng.standard_normal(500), rng.integers(25, 60, 500))[:10_000]
    assert codes(x) == ["samples_stuck"]


@pytest.mark.parametrize("at", [0.99, 0.97, 0.8, 0.3])
def test_clipped(at: float) -> None:
    (found,) = reasons(np.clip(SINE, -at, at))
    assert found.code == "clipped"
    assert (found.values["high"], found.values["low"]) == (pytest.approx(at), pytest.approx(-at))
    assert codes(np.clip(np.round(2_000 * SINE), -2_000 * at, 3_000)) == ["clipped"]


def test_a_gap_is_missing_samples_with_its_place() -> None:
    x = SINE.copy()
    x[5_000:6_000] = 0
    (found,) = reasons(x)
    assert found.code == "samples_repeat"
    assert found.values["first_s"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("hold_s", [0.008, 0.02])
@pytest.mark.parametrize("counts", [200, 2_000, 30_000])
@pytest.mark.parametrize("first", [4_037, 4_050, 4_099])
def test_samples_held_now_and_then_are_found(hold_s: float, counts: int, first: int) -> None:
    x = np.round(counts * SINE)
    held = round(hold_s * FS_HZ)
    for start in (first, first + 10_000):
        x[start : start + held] = x[start]
    (found,) = reasons(x)
    assert found.code == "samples_repeat"
    assert found.values["repeat_s"] == pytest.approx(hold_s, rel=0.3)


def test_mostly_at_rest() -> None:
    x = SINE.copy()
    x[9_000:] = 0
    (found,) = reasons(x)
    assert found.code == "samples_rest"
    assert found.values["share"] == pytest.approx(0.55, abs=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(value: float) -> None:
    x = SINE.copy()
    x[123] = value
    (found,) = reasons(x)
    assert found.code == "samples_missing"
    assert (found.values["missing_samples"], found.values["samples"]) == (1, 20_000)
    assert found.values["first_s"] == 0.0123


def test_impossible_values() -> None:
    (found,) = reasons(1e20 * SINE)
    assert found.code == "impossible_values"
    assert found.values["largest"] == pytest.approx(1e20, rel=1e-3)


def test_constant_short_and_impossible_rate() -> None:
    assert codes(np.full(1_000, 0.3)) == ["samples_constant"]
    assert codes(SINE[:20]) == ["too_few_samples"]
    assert codes(SINE, 0.01) == ["impossible_rate"]


def test_one_bad_recording_does_not_colour_its_neighbours() -> None:
    batch = np.stack([SINE, np.clip(SINE, -0.5, 0.5), SINE]).astype(np.float32)
    found = quality.problems(batch[:, None], ("ib",), FS_HZ)
    assert [bool(f) for f in found] == [False, True, False]
