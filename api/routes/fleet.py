"""The fleet as a list: filtered, in order, in groups; and small trends of its machines."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal, TypeAlias

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.http.errors import Problem
from api.http.paging import next_link
from api.http.query import EmptyQuery, FaultName, PageQuery, bad_cursor
from api.routes.machines import fault_reason
from api.routes.system import OpenBackend
from api.schemas.alarms import Priority
from api.schemas.common import Data, rfc3339
from api.schemas.fleet import FleetPage, FleetTrend, FleetTrends
from api.state.auth import needs
from api.state.backend import Backend
from api.state.fleet_index import FleetView
from api.state.fleet_list import Filter, FleetList, FleetRow, Grouping, Order
from vtox.motor.alarms.coverage.unlocks import unlock
from vtox.motor.alarms.health.assessment import Assessment
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import State
from vtox.motor.values.plain_names import NAME, name_error
from vtox.pipeline.store.machines import fleet
from vtox.reporting.history import queries
from vtox.reporting.history.downsampling import HOUR_S, MINUTE_S
from vtox.reporting.history.resolution import HOURS, Grid

router = APIRouter(prefix="/api/v1/fleet", tags=["machines"])

MOST_GROUPS, MOST_SITES, MOST_TRENDS = 1000, 200, 100
_CURSOR = re.compile(rf"(\d{{1,9}})~({NAME.pattern})")
_SPANS = {
    "hour": (HOUR_S, Grid("minutes", MINUTE_S)),
    "day": (86_400, HOURS),
    "week": (7 * 86_400, Grid("hours", 4 * HOUR_S)),
}
_FaultOrAny: TypeAlias = Literal[(*FAULTS, "any", "")]  # type: ignore[valid-type]


class _FleetQuery(PageQuery):
    """The choice of machines, their order, and the part of the list."""

    search: str = Field(
        "", max_length=100, description="part of id, vehicle, site or asset path, in any case"
    )
    state: State | Literal[""] = Field("", description="only machines in this state")
    fault: FaultName | Literal[""] = Field("", description="only where this fault is detected")
    seen: _FaultOrAny = Field(
        "", description="only where this fault is seen and no alarm says it yet; `any`: any fault"
    )
    blind: _FaultOrAny = Field(
        "",
        description="only machines that are blind to this fault; `any`: to one at least",
    )
    watched: _FaultOrAny = Field(
        "",
        description="only machines that are watched for this fault; `any`: for any fault, thus all",
    )
    site: str = Field("", max_length=64, description="only machines of this site")
    asset_path: str = Field("", max_length=520, description="only machines at this path or below")
    action: Literal["", "now", "next_stop"] = Field(
        "", description="only machines with a fault that needs action then"
    )
    sort: Order = Field("priority", description="with `-` the other way round")
    group: Grouping = Field(
        "",
        description="machines of one site stand together, or of one asset path: of its first, its "
        "first two or all levels",
    )
    offset: int = Field(
        0, ge=0, description="index of the first machine, for a view; programs follow `next`"
    )

    def filter(self) -> Filter:
        """Return the fields that choose machines."""
        return replace(self.part(Filter), search=self.search.lower())


class _TrendsQuery(EmptyQuery):
    """The machines and the time span of trends."""

    machine_id: list[str] = Field(
        min_length=1, max_length=MOST_TRENDS, description="the machines, each as its own parameter"
    )
    span: Literal["hour", "day", "week"] = Field(
        "hour", description="up to now, in steps of a minute, an hour or four hours"
    )


@router.get(
    "",
    dependencies=needs("read"),
    summary="The fleet as a list",
    response_model=FleetPage,
    responses={304: {"description": "nothing of it has changed since `If-None-Match`"}},
)
def list_fleet(
    request: Request, backend: OpenBackend, query: Annotated[_FleetQuery, Query()]
) -> Response:
    """Return a part of the list; only changed machines and those of this part are read.

    The list is at most 1 s old. With the `ETag` of the last answer in `If-None-Match`, an answer
    that would be the same is 304 without a body.
    """
    view = backend.server.fleet()
    found = backend.fleet_lists.list(view, query.filter(), query.sort, query.group)
    first = _first(query, found)
    rows = found.rows[first : first + query.limit]
    end = first + len(rows)
    cursor = f"{end}~{rows[-1].machine_id}" if end < len(found.rows) and rows else ""
    body = {
        "data": _part(view, found, first, _shown_rows(backend, rows)),
        "next": next_link(request, cursor, offset="0") if cursor else None,
    }
    return _unless_same(request, orjson.dumps(body))


@router.get("/trends", dependencies=needs("read"), summary="Small trends of some machines")
def fleet_trends(
    backend: OpenBackend, query: Annotated[_TrendsQuery, Query()]
) -> Data[FleetTrends]:
    """Return state and health of up to 100 machines in steps, by one query of the history."""
    for name in query.machine_id:
        if wrong := name_error(name):
            detail = f"machine_id: {name[:80]!r}: {wrong}"
            raise Problem("invalid", detail, field="machine_id")
    span_s, grid = _SPANS[query.span]
    end_s = int(backend.now_s() // grid.step_s + 1) * grid.step_s
    first_s = end_s - span_s
    until, found = None, {}
    with backend.history() as db:
        if db is not None:
            until = queries.recorded_until_s(db)
            found = queries.health_of_machines(db, query.machine_id, grid, first_s, end_s)
    return Data(
        data=FleetTrends(
            span=query.span,
            from_t=first_s,
            step_s=grid.step_s,
            recorded_until_t=until,
            series={
                m: FleetTrend(state=list(t.state), health=list(t.minimum)) for m, t in found.items()
            },
        )
    )


def _first(query: _FleetQuery, found: FleetList) -> int:
    """Return the index at which a page begins: behind the last machine of the page before."""
    if not query.cursor:
        return query.offset
    matched = _CURSOR.fullmatch(query.cursor)
    if not matched:
        raise bad_cursor(query.cursor, "of this list")
    index, machine_id = int(matched[1]), matched[2]
    # If the list has moved meanwhile, the machine gives the place to go on.
    if 0 < index <= len(found.rows) and found.rows[index - 1].machine_id == machine_id:
        return index
    places = (i for i, r in enumerate(found.rows, start=1) if r.machine_id == machine_id)
    return next(places, index)


def _part(
    view: FleetView, found: FleetList, first: int, rows: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "machines": len(view.rows),
        "states": view.states,
        "silent": view.silent,
        "seen": view.seen,
        "matching": len(found.rows),
        "matching_states": found.states,
        "sites": view.sites[:MOST_SITES],
        "groups": [asdict(g) for g in found.groups] if len(found.groups) <= MOST_GROUPS else [],
        "offset": first,
        "rows": rows,
    }


def _shown_rows(backend: Backend, rows: Sequence[FleetRow]) -> list[dict[str, Any]]:
    """Return rows with the reasons of their last records, which are read only if shown."""
    latest = fleet.assessments(backend.client(), [r.machine_id for r in rows])
    return [_row(r, a) for r, a in zip(rows, latest, strict=True)]


def _row(r: FleetRow, latest: Assessment | None) -> dict[str, Any]:
    t = latest.last_diagnosis_t if latest else None
    return {
        "machine_id": r.machine_id,
        "vehicle_id": r.vehicle_id or None,
        "site": r.site,
        "asset_path": r.asset_path,
        "state": r.state,
        "health": r.health,
        "silent_since": rfc3339(r.silent_since),
        "faults": r.faults,
        "seen": r.seen,
        "priority": Priority.plain(r.priority) if r.priority else None,
        "blind": list(r.codes),
        "unlocks": {fault: unlock(code) for fault, code in r.codes.items()},
        # To the minute: the exact time would change the list each second.
        "last_diagnosis": None if t is None else rfc3339(t // 60 * 60),
        "reasons": _reasons(r, latest),
    }


def _reasons(r: FleetRow, latest: Assessment | None) -> list[dict[str, Any]]:
    if latest is None or r.state == "normal":
        return []
    return [fault_reason(fault, f) for fault, f in latest.faults.items() if f.state == r.state]


def _unless_same(request: Request, body: bytes) -> Response:
    """Return the body, or 304 if the client has it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
