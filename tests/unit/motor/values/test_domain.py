"""Values that recordings and nameplates accept, and the errors of those they refuse."""

import numpy as np
import pytest

from vtox import Motor, Recording, diagnose, learn_baseline
from vtox.motor.errors import NameplateError, RecordingError
from vtox.motor.values.domain import Window

SINE = np.sin(2 * np.pi * 50 * np.arange(5000) / 5000)


@pytest.mark.parametrize("bad", [SINE + 0j, np.array(["a", "b"]), np.array([None, "x"])])
def test_samples_that_are_not_real_numbers_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(RecordingError, match=r"ia: .*expected real numbers"):
        Recording({"ia": bad}, 5000.0)


@pytest.mark.parametrize("fs_hz", ["1000", None, np.nan, -1])
def test_a_rate_that_is_no_rate_is_refused(fs_hz: object) -> None:
    with pytest.raises(RecordingError, match="fs_hz"):
        Recording({"ia": SINE}, fs_hz)  # type: ignore[arg-type]


def test_a_speed_is_a_number_or_not_measured() -> None:
    with pytest.raises(RecordingError, match="speed_rpm"):
        Recording({"ia": SINE}, 5000.0, speed_rpm="1470")  # type: ignore[arg-type]
    assert Recording({"ia": SINE}, 5000.0, speed_rpm=np.nan).speed_rpm is None
    assert type(Recording({"ia": SINE}, 5000.0, np.float32(1470)).speed_rpm) is float


def test_a_recording_without_samples_is_unknown() -> None:
    found = diagnose(Recording({"ia": np.zeros(0)}, 5000.0))
    assert {d.state for d in found} == {"unknown"}
    assert all(d.reason for d in found)


def test_a_tiny_speed_is_diagnosed() -> None:
    assert all(d.reason for d in diagnose(Recording({"ia": SINE}, 5000.0, speed_rpm=1e-30)))


def test_numbers_of_numpy_become_plain() -> None:
    motor = Motor(pole_pairs=np.int64(2), rated_current_a=np.float32(2.5))  # type: ignore[arg-type]
    assert (type(motor.pole_pairs), type(motor.rated_current_a)) == (int, float)


@pytest.mark.parametrize(
    "plate", [{"pole_pairs": 2.5}, {"rotor_bars": 28.5}, {"rotor_bars": 10**6}]
)
def test_counts_are_whole_and_possible(plate: dict[str, float]) -> None:
    with pytest.raises(NameplateError, match="expected a whole number from"):
        Motor(**plate)  # type: ignore[arg-type]


def test_windows_and_recordings_share_their_samples() -> None:
    window = Window(machine_id="m", seq=1, t0=0.0, fs_hz=5000.0, channels={"ia": SINE})
    for block in (window, Recording({"ia": SINE}, 5000.0)):
        assert (block.samples, block.duration_s) == (5000, 1.0)


def test_one_recording_teaches_as_a_list_of_one() -> None:
    one = Recording({c: np.roll(SINE, k) for k, c in enumerate(("ia", "ib", "ic"))}, 5000.0)
    assert learn_baseline(one) == learn_baseline([one])
