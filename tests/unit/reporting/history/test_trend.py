"""Trends: columns of equal length, gaps as None, the worst state of each step."""

from vtox.reporting.history.trend import StepOutcome, TrendRecord, record_trend, step_trend


def group(
    t: float, state: str = "normal", code: str = "", n: int = 1, mean: float = 1.0
) -> StepOutcome:
    return StepOutcome(t, state, code, n, n, mean, n * mean, mean, 4.0, None)


def record(t_s: float, duration_s: float = 2.0, value: float | None = 1.0) -> TrendRecord:
    return TrendRecord(
        round(1000 * t_s), 0, 0, 1, round(1000 * duration_s), "normal", "", value, 4.0, 0.0
    )


def test_a_step_without_records_is_a_gap() -> None:
    trend = step_trend([group(0), group(120)], 0, 180, 60)
    assert trend.t == [0.0, 60.0, 120.0]
    assert trend.n == [1, 0, 1]
    assert trend.state == ["normal", None, "normal"]
    assert trend.mean == trend.minimum == [1.0, None, 1.0]


def test_a_step_has_its_worst_state_with_the_most_frequent_code_and_the_mean_of_all() -> None:
    groups = [
        group(0, "normal", "", 6, 1.0),
        group(0, "warning", "rare", 1, 9.0),
        group(0, "warning", "frequent", 3, 5.0),
        group(0, "unknown", "load_too_low", 50, 0.0),
    ]
    trend = step_trend(groups, 0, 60, 60)
    assert (trend.state, trend.code, trend.n) == (["warning"], ["frequent"], [60])
    assert trend.mean == [(6 * 1 + 9 + 15) / 60]
    assert (trend.minimum, trend.maximum) == ([0.0], [9.0])


def test_records_have_a_gap_where_another_would_have_fit() -> None:
    trend = record_trend([record(2), record(4), record(9, value=None)])
    assert trend.t == [2.0, 4.0, 5.5, 9.0]
    assert trend.n == [1, 1, 0, 1]
    assert trend.mean == [1.0, 1.0, None, None]


def test_assessments_have_a_gap_where_two_are_missing() -> None:
    assert len(record_trend([record(0, 0), record(29, 0)]).t) == 2
    assert len(record_trend([record(0, 0), record(31, 0)]).t) == 3
