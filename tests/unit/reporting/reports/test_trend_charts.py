from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from msgspec import ValidationError, convert

from tests.unit.reporting.reports.report_file import contents
from vtox.reporting.reports.contents import ReportedTrend, TrendColumns
from vtox.reporting.reports.page import page
from vtox.reporting.reports.texts import texts
from vtox.reporting.reports.trend_charts import trend_drawings

TEXT = texts("en")
T0 = 1_764_000_000


def columns(**changes: Any) -> TrendColumns:
    known: dict[str, Any] = {
        "t": [T0 + 60.0 * k for k in range(5)],
        "state": ["normal", "warning", None, "fault", "fault"],
        "n": [1, 1, 0, 1, 1],
        **{n: [1.0, 2.0, None, 4.0, 5.0] for n in ("minimum", "mean", "maximum")},
        "threshold": [3.0, 3.0, None, 3.0, 3.0],
    }
    return TrendColumns(**known | changes)


def trend(**changes: Any) -> ReportedTrend:
    known: dict[str, Any] = {"from_t": T0, "to_t": T0 + 300, "step_s": 60}
    return ReportedTrend(**known | {"series": {"bearing": columns()}} | changes)


def test_a_gap_stays_a_gap() -> None:
    drawn = trend_drawings(trend(), TEXT)["bearing"]
    assert [cls for cls, _ in drawn.paths] == ["area", "area", "threshold", "curve thick"]
    assert drawn.paths[-1][1].count("M") == 2
    assert [state for state, _, _ in drawn.steps] == ["normal", "warning", "fault"]


def test_without_a_record_it_says_so() -> None:
    machine = replace(contents().machine, machine_id="M1")
    empty = columns(**{f.name: [] for f in fields(TrendColumns)})
    for nothing in (None, trend(series={}), trend(series={"bearing": empty})):
        changes = {"machine": machine, "trend": nothing}
        assert TEXT["trend_none"] in page(replace(contents(), **changes))


def test_a_constant_trend_and_one_of_years_can_be_drawn() -> None:
    zeros = columns(**{n: [0.0] * 5 for n in ("minimum", "mean", "maximum", "threshold")})
    assert trend_drawings(trend(series={"bearing": zeros}), TEXT)
    assert trend_drawings(trend(to_t=9e10, step_s=86_400), TEXT)


@pytest.mark.parametrize(
    "changes", [{"to_t": T0}, {"from_t": -1.0}, {"to_t": 1e300}, {"step_s": 0}]
)
def test_a_time_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        convert(asdict(trend()) | changes, ReportedTrend)
    with pytest.raises(ValueError, match="different lengths"):
        columns(n=[1])
