"""The trend of each fault as drawings: least to largest, mean, threshold, states."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from math import ceil

from vtox.motor.words.rendering import join
from vtox.reporting.reports import svg
from vtox.reporting.reports.cards import fault_name, sentence, statistic_name
from vtox.reporting.reports.contents import ReportedTrend, Table, TrendColumns
from vtox.reporting.reports.elements import utc
from vtox.reporting.reports.svg import BOTTOM, LEFT, RIGHT, WIDTH, Axes
from vtox.reporting.reports.texts import language_of, say

HEIGHT, STRIP = 150, 7
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
TICKS_S = (
    *(MINUTE_S * n for n in (1, 2, 5, 10, 20, 30)),
    *(HOUR_S * n for n in (1, 2, 3, 6, 12)),
    *(DAY_S * n for n in (1, 2, 5, 10, 30, 60, 120, 360)),
)
MOST_TICKS = 9
# Of a report that an earlier version made.
NONE: Mapping[str, list[Table]] = {}
STATES = ("normal", "warning", "fault", "unknown")


def trend_section(
    trend: ReportedTrend | None,
    text: Mapping[str, str],
    growth: Mapping[str, list[Table]] = NONE,
) -> str:
    """Return the trends of a machine and how each moves; a line that says so where none is."""
    title = f"<h2>{escape(text['trend'])}</h2>"
    series = trend.series if trend else {}
    shown = {name: c for name, c in series.items() if any(c.state)}
    if not trend or not shown:
        return f'<section>{title}<p class="soft">{escape(text["trend_none"])}</p></section>'
    about = say(
        text,
        "trend_about",
        **{"from": utc(trend.from_t), "to": utc(trend.to_t)},
        step=_step(trend.step_s, text),
    )
    charts = "".join(
        f"<figure><figcaption><b>{escape(fault_name(name, text))}</b></figcaption>"
        f"{_chart(name, columns, trend, text)}{_moves(growth.get(name, ()), text)}</figure>"
        for name, columns in shown.items()
    )
    key = f'<p class="small soft">{escape(text["trend_key"])}</p>'
    if growth:
        key += f'<p class="small soft">{escape(text["no_life"])}</p>'
    head = f'{title}<p class="soft">{escape(about)}</p>{key}'
    return f'<section>{head}<div class="figures">{charts}</div></section>'


def _moves(said: Iterable[Table], text: Mapping[str, str]) -> str:
    told = join((sentence(r, text) for r in said), language_of(text))
    return f'<p class="small">{escape(text["trend_over_time"])}: {escape(told)}</p>' if told else ""


def _chart(name: str, c: TrendColumns, trend: ReportedTrend, text: Mapping[str, str]) -> str:
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
    return svg.drawing(
        axes,
        f"{text['trend']}: {fault_name(name, text)}",
        *areas,
        svg.curve(axes, times, limit, "threshold"),
        svg.curve(axes, times, mean, "curve thick"),
        _strip(axes, c, trend.step_s),
    )


def _stretches(
    times: list[float], low: list[float | None], high: list[float | None]
) -> Iterator[tuple[list[float], list[float], list[float]]]:
    """Yield the parts of a trend between gaps."""
    rows = zip(times, low, high, strict=True)
    for present, group in groupby(rows, key=lambda r: r[1] is not None and r[2] is not None):
        if present:
            t, a, b = zip(*group, strict=True)
            yield list(t), list(a), list(b)


def _strip(axes: Axes, c: TrendColumns, step_s: float) -> str:
    """Return the worst state of each step as a strip at the foot."""
    y = axes.height - BOTTOM - STRIP
    parts = []
    for state, group in groupby(zip(c.t, c.state, strict=True), key=lambda row: row[1]):
        if state not in STATES:
            continue
        steps = list(group)
        left = max(axes.x(steps[0][0]), LEFT)
        right = min(axes.x(steps[-1][0] + step_s), WIDTH - RIGHT)
        box = f'x="{left:.1f}" y="{y}" width="{max(right - left, 0.5):.1f}" height="{STRIP}"'
        parts.append(f'<rect class="step {state}" {box}><title>{state}</title></rect>')
    return "".join(parts)


def _step(step_s: int, text: Mapping[str, str]) -> str:
    if step_s >= HOUR_S:
        return say(text, "step_hours", count=step_s // HOUR_S)
    return say(text, "step_minutes", count=step_s // MINUTE_S)


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
