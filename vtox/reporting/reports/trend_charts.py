"""The trend of each fault as drawings: least to largest, mean, threshold, states."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from math import ceil

from vtox.reporting.reports import svg
from vtox.reporting.reports.cards import fault_name, statistic_name
from vtox.reporting.reports.contents import ReportedTrend, TrendColumns
from vtox.reporting.reports.svg import Axes, Drawing

HEIGHT = 150
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
TICKS_S = (
    *(MINUTE_S * n for n in (1, 2, 5, 10, 20, 30)),
    *(HOUR_S * n for n in (1, 2, 3, 6, 12)),
    *(DAY_S * n for n in (1, 2, 5, 10, 30, 60, 120, 360)),
)
MOST_TICKS = 9
STATES = ("normal", "warning", "fault", "unknown")


def trend_drawings(trend: ReportedTrend, text: Mapping[str, str]) -> dict[str, Drawing]:
    """Return the trend of each fault that has states."""
    shown = {name: c for name, c in trend.series.items() if any(c.state)}
    return {name: _chart(name, c, trend, text) for name, c in shown.items()}


def _chart(name: str, c: TrendColumns, trend: ReportedTrend, text: Mapping[str, str]) -> Drawing:
    span = (float(trend.from_t), float(trend.to_t))
    known = [v for column in (c.minimum, c.maximum, c.threshold) for v in column if v is not None]
    low, high = min([0.0, *known]), max([*known, 1e-9])
    axes = Axes(
        span,
        (low - 0.12 * (high - low), high + 0.06 * (high - low)),
        text["trend_time"],
        statistic_name(name, text),
        HEIGHT,
        _tick_text(span),
        tuple(_ticks(*span)),
    )
    # In the middle of its step.
    times = [t + trend.step_s / 2 for t in c.t]
    areas = [svg.area(axes, *columns) for columns in _stretches(times, c.minimum, c.maximum)]
    mean = [float("nan") if v is None else v for v in c.mean]
    limit = [float("nan") if v is None else v for v in c.threshold]
    curves = [
        ("threshold", svg.curve(axes, times, limit)),
        ("curve thick", svg.curve(axes, times, mean)),
    ]
    return Drawing(
        axes,
        f"{text['trend']}: {fault_name(name, text)}",
        [*(("area", path) for path in areas), *curves],
        steps=list(_steps(axes, c, trend.step_s)),
    )


def _stretches(
    times: list[float], low: list[float | None], high: list[float | None]
) -> Iterator[tuple[list[float], list[float], list[float]]]:
    """Yield the parts of a trend between gaps."""
    rows = zip(times, low, high, strict=True)
    for present, group in groupby(rows, key=lambda r: r[1] is not None and r[2] is not None):
        # One point has no area.
        if present and len(columns := list(group)) > 1:
            t, a, b = zip(*columns, strict=True)
            yield list(t), list(a), list(b)


def _steps(axes: Axes, c: TrendColumns, step_s: float) -> Iterator[tuple[str, float, float]]:
    """Yield the worst states over time, with left edge and width, px."""
    for state, group in groupby(zip(c.t, c.state, strict=True), key=lambda row: row[1]):
        if state in STATES:
            steps = list(group)
            left = max(axes.x(steps[0][0]), axes.left)
            right = min(axes.x(steps[-1][0] + step_s), axes.right)
            yield state, left, max(right - left, 0.5)


def _ticks(from_s: float, to_s: float) -> Iterator[float]:
    span_s = to_s - from_s
    step_s = next((s for s in TICKS_S if span_s <= MOST_TICKS * s), TICKS_S[-1])
    for k in range(ceil(from_s / step_s), int(to_s // step_s) + 1):
        yield float(k * step_s)


def _tick_text(span: tuple[float, float]) -> Callable[[float], str]:
    form = "%H:%M" if span[1] - span[0] <= DAY_S else "%m-%d %H:%M"
    if span[1] - span[0] > MOST_TICKS * DAY_S / 2:
        form = "%m-%d"
    return lambda t: datetime.fromtimestamp(t, UTC).strftime(form)
