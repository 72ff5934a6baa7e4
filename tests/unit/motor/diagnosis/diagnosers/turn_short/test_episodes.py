import numpy as np
import pytest

from vtox.motor.diagnosis.diagnosers.turn_short.explanation import episodes

T_S = 0.1 + 0.05 * np.arange(10)


@pytest.mark.parametrize(
    ("over", "times"),
    [
        ([0] * 10, []),
        ([1] * 10, [(0.0, 0.65)]),
        ([0, 0, 1, 1, 1, 0, 0, 0, 0, 0], [(0.2, 0.3)]),
        ([1, 1, 0, 0, 0, 0, 0, 1, 1, 1], [(0.0, 0.15), (0.45, 0.65)]),
    ],
)
def test_runs_of_frames_have_their_times(over: list[int], times: list[tuple[float, float]]) -> None:
    runs = episodes(T_S, np.full(10, 0.05), np.array(over, bool), 0.08, 0.65)
    assert [(r["t_start_s"], r["t_end_s"]) for r in runs] == times
    assert all(r["state"] == "warning" for r in runs)


def test_the_median_of_a_run_decides_its_state() -> None:
    ratio = np.array([0.0, 0.09, 0.02, 0.09, 0.0, 0.0, 0.07, 0.0, 0.0, 0.0])
    first, second = episodes(T_S, ratio, ratio > 0.01, 0.08, 0.65)
    assert (first["state"], first["corrected_ratio"]) == ("fault", 0.09)
    assert (second["state"], second["corrected_ratio"]) == ("warning", 0.07)
