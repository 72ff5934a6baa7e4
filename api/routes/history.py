"""The history from SQL: trends and records of machines, and figures of the system."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from api.http.errors import Problem, not_found
from api.http.paging import next_link
from api.http.query import NO_PARAMETERS, TableQuery, bad_cursor
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data
from api.schemas.growth import (
    MachineGrowth,
)
from api.schemas.history import History, HistoryPage, MissedEntries, TrendColumns
from api.shapes.growth import Growths
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.faults import FAULTS, LINES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.line_levels import EVERY_S
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.machines.points import HEALTH, METRICS
from vtox.reporting.history import queries
from vtox.reporting.history.gaps import missed_between
from vtox.reporting.history.queries import Cursor, Trends
from vtox.reporting.history.resolution import Grid, Resolution, grid
from vtox.reporting.history.retention import oldest_kept
from vtox.reporting.history.scalars import quantities
from vtox.reporting.history.trend import Trend

router = APIRouter(prefix="/api/v1", tags=["history"])

QUANTITIES = (*FAULTS, HEALTH)
DEFAULT_SPAN_S = 86_400.0
# 2100-01-01: a later value is no time in seconds.
T_END = 4_102_444_800
# With 500 steps some 1.5 MB.
SCALARS_PER_PAGE = 32
_CURSOR = re.compile(r"\d{1,16}(?:-\d{1,19}-\d{1,19}-\d{1,10})?")


class _SpanQuery(TableQuery):
    """The time span, and how finely it is divided."""

    from_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); without it, a day before `to_t`"
    )
    to_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); without it, now"
    )
    resolution: Resolution = Field(
        "auto",
        description="`auto`: the finest of which `points` steps fill the time; `raw`: every record",
    )
    points: int = Field(500, ge=10, le=2000, description="steps or records of a page, at most")
    cursor: str = Field("", description="where the page begins: opaque, from `next` of another")


class _MachineHistoryQuery(_SpanQuery):
    """The time span of one quantity, or of all."""

    fault: Literal[QUANTITIES] | None = Field(  # type: ignore[valid-type]
        None, description="only this fault, or `health`"
    )
    of: Literal["faults", "lines", "scalars"] = Field(
        "faults",
        description="the statistic of each fault; or the level of each line that its diagnosis "
        "reads, a sample in 5 minutes; or each scalar, as `scalar:NAME:UNIT`, 32 on a page",
    )


@router.get(
    "/machines/{machine_id}/history",
    dependencies=needs("read"),
    summary="History of a machine",
)
def machine_history(
    request: Request,
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_MachineHistoryQuery, Query()],
) -> HistoryPage:
    """Return state, code and statistic of each fault, and the health, over hours to months.

    Gaps are `null`. A machine that is not known, or was retired, has the history that is left of
    it. The last seconds may not be recorded yet: `recorded_until_t`.
    """
    if query.of == "lines":
        lines = [x.quantity for f, kept in LINES.items() if query.fault in (f, None) for x in kept]
        return _page(request, backend, query, machine_id, lines, least_step_s=EVERY_S)
    if query.of == "scalars":
        first = query.cursor.partition("@")[2]
        with backend.history() as db:
            most = SCALARS_PER_PAGE + 1
            found = quantities(db, machine_id, first=first, most=most) if db is not None else []
        names, after = found[:SCALARS_PER_PAGE], found[SCALARS_PER_PAGE:]
        portion = (names[0] if names else "", after[0] if after else "")
        return _page(request, backend, query, machine_id, names, portion=portion)
    faults = (query.fault,) if query.fault else QUANTITIES
    return _page(request, backend, query, machine_id, faults)


@router.get(
    "/machines/{machine_id}/growth",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Faults of a machine over time",
)
def machine_growth(
    request: Request, machine_id: MachineId, backend: OpenBackend
) -> Data[MachineGrowth]:
    """Return for each fault its state, since when, and how its level has moved in 30 days at most.

    It is computed at most once a minute, and gives no remaining life.
    """
    growths: Growths = request.app.state.growths
    found = growths.of_machine(backend, machine_id)
    if not any(f.since for f in found) and not is_listed(backend.client(), machine_id):
        raise not_found(f"machine {machine_id!r} is not known, and has no history")
    return Data(data=MachineGrowth(machine_id=machine_id, faults=found))


@router.get("/cluster/history", dependencies=needs("read"), summary="History of the system")
def cluster_history(
    request: Request, backend: OpenBackend, query: Annotated[_SpanQuery, Query()]
) -> HistoryPage:
    """Return throughput, latency and backlog as `performance_metrics` had them."""
    return _page(request, backend, query, "", METRICS)


def _page(
    request: Request,
    backend: Backend,
    query: _SpanQuery,
    machine_id: str,
    quantities: Sequence[str],
    *,
    least_step_s: int = 0,
    portion: tuple[str, str] = ("", ""),
) -> HistoryPage:
    """Return a page in time of quantities.

    A `portion` of more quantities is named by its first one, and by that of the next portion: they
    go on there when these are at their end.
    """
    span, made_of = _span_and_grid(backend, query)
    if made_of.step_s < least_step_s:
        made_of = Grid("minutes", least_step_s)
    read, numbers = (_records_page, 4) if made_of.step_s == 0 else (_steps_page, 1)
    first, following = portion
    cursor = query.cursor.partition("@")[0] if first else query.cursor
    begin = _cursor_numbers(cursor, numbers)
    streams = (keys.RESULTS, keys.ASSESSMENTS) if machine_id else (keys.METRICS,)
    gaps, until = [], None
    with backend.history() as db:
        page = _Page(Trends({}, {}), *span, cursor="")
        if db is not None:
            wanted = _PageRequest(machine_id, quantities, made_of, span, begin, query.points)
            page = read(db, wanted)
            gaps = missed_between(db, streams, page.from_s, page.to_s)
            until = queries.recorded_until_s(db, streams[0])
    if machine_id and not page.trends.series and not is_listed(backend.client(), machine_id):
        raise not_found(f"machine {machine_id!r} is not known, and has no history")
    data = History.of(
        made_of,
        machine_id=machine_id,
        from_t=page.from_s,
        to_t=page.to_s,
        recorded_until_t=until,
        series={name: _columns(t) for name, t in page.trends.series.items()},
        counts=page.trends.counts,
        missed=list(map(MissedEntries.of, gaps)),
    )
    # The next page is of the same time, also if this one's was up to now.
    same = {"from_t": repr(span[0]), "to_t": repr(span[1])}
    goes_on = f"{page.cursor}@{first}" if first else page.cursor
    then = f"@{following}" if following else ""
    return HistoryPage(data=data, next=next_link(request, goes_on if page.cursor else then, **same))


@dataclass(frozen=True, slots=True)
class _PageRequest:
    """The page to be read; `begin` has the numbers of its cursor, None for the first."""

    machine_id: str
    quantities: Sequence[str]
    made_of: Grid
    span: tuple[float, float]
    begin: tuple[int, ...] | None
    points: int


@dataclass(frozen=True, slots=True)
class _Page:
    """The trends found, their time span, and the start of the next page."""

    trends: Trends
    from_s: float
    to_s: float
    cursor: str


def _span_and_grid(backend: Backend, query: _SpanQuery) -> tuple[tuple[float, float], Grid]:
    now = backend.now_s()
    to_s = now if query.to_t is None else query.to_t
    from_s = max(to_s - DEFAULT_SPAN_S, 0.0) if query.from_t is None else query.from_t
    if from_s >= to_s:
        raise Problem("invalid", f"from_t: {from_s} is not before to_t {to_s}", field="from_t")
    oldest = oldest_kept(backend.settings, round(1000 * now))
    return (from_s, to_s), grid(query.resolution, from_s, to_s, query.points, oldest)


def _steps_page(db: Connection, w: _PageRequest) -> _Page:
    step_s = w.made_of.step_s
    first_s = (w.begin[0] if w.begin else int(w.span[0])) // step_s * step_s
    all_end_s = ceil(w.span[1] / step_s) * step_s
    # A span on a grid may touch one step more than it has.
    end_s = min(first_s + (w.points + 1) * step_s, all_end_s)
    found = queries.trends_of_steps(db, w.machine_id, w.quantities, w.made_of, first_s, end_s)
    return _Page(found, float(first_s), float(end_s), str(end_s) if end_s < all_end_s else "")


def _records_page(db: Connection, w: _PageRequest) -> _Page:
    span_ms = round(1000 * w.span[0]), round(1000 * w.span[1])
    after = cast(Cursor | None, w.begin)
    found = queries.trends_of_records(db, w.machine_id, w.quantities, *span_ms, after, w.points)
    first_s = after[0] / 1000 if after else w.span[0]
    end_s = found.next[0] / 1000 if found.next else w.span[1]
    return _Page(found, first_s, end_s, "-".join(map(str, found.next or ())))


def _cursor_numbers(cursor: str, how_many: int) -> tuple[int, ...] | None:
    if not cursor:
        return None
    if not _CURSOR.fullmatch(cursor) or cursor.count("-") != how_many - 1:
        raise bad_cursor(cursor, "a place in a history")
    numbers = tuple(map(int, cursor.split("-")))
    if numbers[0] >= 1000 * T_END or max(numbers) >= 1 << 63:
        raise bad_cursor(cursor, "a place in a history")
    return numbers


def _columns(trend: Trend) -> TrendColumns:
    return TrendColumns.of(trend, min=trend.minimum, max=trend.maximum)
