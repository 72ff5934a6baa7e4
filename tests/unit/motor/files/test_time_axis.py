from pathlib import Path

import numpy as np
import pytest

from vtox.motor.errors import FileError
from vtox.motor.files.time_axis import epoch_unit, sampling_rate

PATH = Path("file.csv")


@pytest.mark.parametrize("fs_hz", [100.0, 1000.0, 12_000.0, 25_600.0, 44_100.0, 1 / 0.00037])
@pytest.mark.parametrize("digits", [6, 9])
def test_rate_survives_the_rounding_of_written_times(fs_hz: float, digits: int) -> None:
    t = np.round(5 + np.arange(20_000) / fs_hz, digits)
    assert sampling_rate(t, 1.0, PATH, "t").fs_hz == pytest.approx(fs_hz, rel=1e-6)


def test_rate_with_significant_digits_as_spreadsheets_write_them() -> None:
    t = np.array([float(f"{v:.7g}") for v in np.arange(300_000) / 25_600])
    assert sampling_rate(t, 1.0, PATH, "t").fs_hz == 25_600.0


def test_whole_rates_come_out_whole() -> None:
    assert sampling_rate(np.round(np.arange(100) / 3000, 5), 1.0, PATH, "t").fs_hz == 3000.0
    assert sampling_rate(np.arange(100) * 0.1, 1e-3, PATH, "t").fs_hz == 10_000.0


@pytest.mark.parametrize(
    ("t", "message"),
    [
        (np.delete(np.arange(1000) * 1e-3, 500), r"step 0\.002 after sample 500 \(t = 0\.499\)"),
        (np.repeat(np.arange(500) * 1e-3, 2), "not uniform"),
        (np.arange(100) * 1e-3 * (1 + np.arange(100) * 0.01), "not uniform"),
        (np.arange(100)[::-1] * 1e-3, "expected to rise"),
        (np.zeros(10), "expected to rise"),
        (np.array([0.0, 0.1]), "expected 3 or more"),
        (np.array([0.0, 1e200, 1.0]), "sample 2: 1e\\+200, expected at most 1e\\+20"),
        (np.array([-1.7e308, 0.0, 1.7e308]), "expected at most"),
        (np.arange(4) * 5e-324, "expected to rise"),
    ],
    ids=[
        *("gap", "repeated", "sweep", "backwards", "standing", "short"),
        *("overflow", "endless", "denormal"),
    ],
)
def test_times_that_give_no_rate(t: np.ndarray, message: str) -> None:
    with pytest.raises(FileError, match=message):
        sampling_rate(t, 1.0, PATH, "time_s")


def test_jitter_of_a_fifth_of_a_step_is_not_uniform() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(1000) * 1e-3 + rng.uniform(-2e-4, 2e-4, 1000)
    with pytest.raises(FileError, match="not uniform"):
        sampling_rate(t, 1.0, PATH, "t")


def test_times_coarser_than_the_samples_are_named() -> None:
    t = np.repeat(np.arange(20.0), 50)
    with pytest.raises(FileError, match="times are written to 1 only, 50 samples each"):
        sampling_rate(t, 1.0, PATH, "t")


@pytest.mark.parametrize(
    ("first", "unit"),
    [
        (1.7e9, (1.0, "s")),
        (1.7e12, (1e-3, "ms")),
        (1.7e15, (1e-6, "us")),
        (1.7e18, (1e-9, "ns")),
        (0.0, None),
    ],
)
def test_units_of_times_since_1970(first: float, unit: tuple[float, str] | None) -> None:
    assert epoch_unit(first) == unit
