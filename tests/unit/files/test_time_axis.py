import numpy as np
import pytest

from vtox.errors import RecordingError
from vtox.files.time_axis import plain_name, sampling_rate, seconds_per_unit


@pytest.mark.parametrize("fs_hz", [100.0, 1000.0, 12_000.0, 25_600.0, 44_100.0, 1 / 0.00037])
@pytest.mark.parametrize("digits", [6, 9])
def test_rate_survives_the_rounding_of_written_times(fs_hz: float, digits: int) -> None:
    t = np.round(5 + np.arange(20_000) / fs_hz, digits)
    assert sampling_rate(t, 1.0, "t") == pytest.approx(fs_hz, rel=1e-6)


def test_rate_with_significant_digits_as_spreadsheets_write_them() -> None:
    t = np.array([float(f"{v:.7g}") for v in np.arange(300_000) / 25_600])
    assert sampling_rate(t, 1.0, "t") == 25_600.0


def test_whole_rates_come_out_whole() -> None:
    assert sampling_rate(np.round(np.arange(100) / 3000, 5), 1.0, "t") == 3000.0
    assert sampling_rate(np.arange(100) * 0.1, 1e-3, "t") == 10_000.0


@pytest.mark.parametrize(
    ("t", "message"),
    [
        (np.delete(np.arange(1000) * 1e-3, 500), r"step 0\.002 after sample 500 \(t = 0\.499\)"),
        (np.repeat(np.arange(500) * 1e-3, 2), "not uniform"),
        (np.arange(100) * 1e-3 * (1 + np.arange(100) * 0.01), "not uniform"),
        (np.arange(100)[::-1] * 1e-3, "expected to rise"),
        (np.zeros(10), "expected to rise"),
        (np.array([0.0, 0.1]), "expected 3 or more"),
    ],
    ids=["gap", "repeated", "sweep", "backwards", "standing", "short"],
)
def test_times_that_give_no_rate(t: np.ndarray, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        sampling_rate(t, 1.0, "file.csv: column 'time_s'")


def test_jitter_of_a_fifth_of_a_step_is_not_uniform() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(1000) * 1e-3 + rng.uniform(-2e-4, 2e-4, 1000)
    with pytest.raises(RecordingError, match="not uniform"):
        sampling_rate(t, 1.0, "t")


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("time_s", 1.0),
        ("Time [ms]", 1e-3),
        ("t", 1.0),
        ("timestamp_us", 1e-6),
        ("time_h", None),
        ("ia", None),
        ("torque", None),
    ],
)
def test_time_columns(column: str, unit: float | None) -> None:
    assert seconds_per_unit(column) == unit


def test_plain_names() -> None:
    assert plain_name(" Ia [mA] ") == "ia_ma"
    assert plain_name("Vibration (m/s^2)") == "vibration_m/s^2"
    assert plain_name("de_g") == "de_g"
