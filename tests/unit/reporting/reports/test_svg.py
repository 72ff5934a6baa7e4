import numpy as np
import pytest

from vtox.reporting.reports import svg
from vtox.reporting.reports.svg import Axes, Drawing, Mark

AXES = Axes((0.0, 100.0), (-60.0, 0.0), "Hz", "dB")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 97, [0, 20, 40, 60, 80]),
        (-63, 2, [-60, -40, -20, 0]),
        (0, 0.1, [0, 0.02, 0.04, 0.06, 0.08, 0.1]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert svg.ticks(low, high, 5) == pytest.approx(expected)


def test_a_value_is_drawn_where_the_axes_say() -> None:
    assert (AXES.x(0.0), AXES.x(100.0)) == (AXES.left, AXES.right)
    assert (AXES.y(-60.0), AXES.y(0.0)) == (AXES.bottom, AXES.top)


def test_a_curve_has_gaps_and_stays_in_its_frame() -> None:
    drawn = svg.curve(AXES, np.arange(4.0), np.array([-10.0, np.nan, 50.0, -500.0]))
    assert drawn.count("M") == 2
    assert f" {AXES.top:.1f}" in drawn
    assert f" {AXES.bottom:.1f}" in drawn


def test_names_do_not_touch() -> None:
    marks = [
        Mark(f"line {k}", 50 + 0.1 * k, 50, 51, "found", 50 + 0.1 * k, -10.0) for k in range(9)
    ]
    drawn = Drawing(AXES, "", [], marks)
    rows = [y for _, _, y, _ in drawn.names()]
    assert len(rows) == len(set(rows)) == svg.MAX_ROWS
    assert len(list(drawn.places())) == 9
