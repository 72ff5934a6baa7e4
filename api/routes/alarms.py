"""Alarms: their state, and the actions of operators on one."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from api.http.errors import Problem, not_found
from api.http.json_route import JsonRoute
from api.http.paging import next_link
from api.http.query import NO_PARAMETERS, PageQuery, bad_cursor
from api.routes.system import OpenBackend
from api.schemas.alarm_actions import (
    AcknowledgeIn,
    AssignIn,
    CloseIn,
    CommentIn,
    ShelveIn,
    UngroupIn,
    UnshelveIn,
    WorkOrderIn,
)
from api.schemas.alarms import (
    Alarm,
    AlarmDetail,
    AlarmFilter,
    Alarms,
    Suspensions,
)
from api.schemas.common import NAME_MAX, Data
from api.shapes.alarm_shapes import action_shape, alarm_shape, alarm_time, suspension_shape
from api.shapes.found_right import found_right
from api.shapes.growth import Growths
from api.shapes.supply_alarms import groups_of, supply_alarm_shape
from api.state.alarm_list import AlarmList, priorities
from api.state.auth import needs
from api.state.backend import Backend
from api.state.fleet_index import FleetView
from api.state.operator import Details, act, action_on, operator_of
from vtox.motor.alarms import life
from vtox.motor.alarms.book import Action, ActionName, Book
from vtox.motor.alarms.precedence import Precedence, precedence
from vtox.motor.alarms.priority import ActionTime, Priority
from vtox.motor.alarms.supplies import group_ids
from vtox.reporting.history.alarm_records import actions_of, alarm_of

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"], route_class=JsonRoute)

# Each asks the history once a minute.
GROWTHS_AT_ONCE = 50
AlarmId = Annotated[str, Path(max_length=300, description="of the alarm, and of its alerts")]
# Dependencies of the routes by which operators act.
OPERATE = [*needs("operate"), *NO_PARAMETERS]
_NUMBER = r"(-?\d[\d.e+-]{0,24})"
_CURSOR = re.compile(rf"(True|False)~(-?\d{{1,3}})~{_NUMBER}~{_NUMBER}~(.{{1,300}})", re.DOTALL)


class _AlarmsQuery(AlarmFilter, PageQuery):
    """A page of alarms."""

    action: ActionTime | None = Field(
        None, description="only open alarms that need action now, or can wait for the next stop"
    )
    grouped: bool = Field(
        False, description="leave out of `data` what is part of one of `groups`: the rows of a page"
    )


@router.get("", dependencies=needs("read"), summary="Alarms")
def list_alarms(
    request: Request, backend: OpenBackend, query: Annotated[_AlarmsQuery, Query()]
) -> Alarms:
    """Return alarms: open ones by priority, then the latest; then the others.

    Ended ones are listed for 30 days. Older ones are in the history: `GET
    /api/v1/alerts` and `GET /api/v1/alarms/{alarm_id}`.
    """
    (book, now_ms), fleet = backend.book(), backend.server.fleet()
    listed = backend.alarm_lists.list(
        book, fleet, query, grouped=query.grouped, action=query.action
    )
    found, first = listed.alarms, 0
    if query.cursor:
        place = _position(query.cursor)
        first = bisect_right(found, place, key=lambda a: precedence(a, listed.priorities))
    end = first + query.limit
    return Alarms.of(
        listed,
        data=_with_growth(request, backend, found[first:end], book, listed, fleet),
        groups=[]
        if query.cursor
        else [supply_alarm_shape(g, listed.priorities) for g in listed.groups],
        next=next_link(
            request, _cursor(found[end - 1], listed.priorities) if end < len(found) else ""
        ),
        counts={s: listed.counts[s] for s in life.STATES},
        assignees=dict(listed.assignees),
        as_of=alarm_time(now_ms),
    )


def _with_growth(
    request: Request,
    backend: Backend,
    alarms: Sequence[life.Alarm],
    book: Book,
    listed: AlarmList,
    fleet: FleetView,
) -> list[Alarm]:
    growths: Growths = request.app.state.growths
    proven = found_right(backend)
    shapes = [
        alarm_shape(a, book, listed.group_of, fleet, listed.priorities, proven) for a in alarms
    ]
    of = [growths.shape(backend, a) for a in alarms[:GROWTHS_AT_ONCE]]
    grown = [s.model_copy(update={"growth": g}) for s, g in zip(shapes, of, strict=False)]
    return grown + shapes[len(grown) :]


@router.get(
    "/suspensions",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Alarms that are not open, with the reason",
)
def list_suspensions(backend: OpenBackend) -> Data[Suspensions]:
    """Return the shelvings now, the machines out of service and the alarms suppressed by design."""
    book, now_ms = backend.book()
    shelved = [suspension_shape("shelved", s, *of) for of, s in sorted(book.shelved.items())]
    out = [suspension_shape("out_of_service", s, m) for m, s in sorted(book.out_of_service.items())]
    suppressed = [
        suspension_shape("suppressed_by_design", s, a.machine_id, a.fault)
        for a in book.alarms.values()
        if (s := a.suspensions.get("suppressed_by_design"))
    ]
    found = Suspensions(
        shelved=shelved,
        out_of_service=out,
        suppressed_by_design=suppressed,
        as_of=alarm_time(now_ms),
    )
    return Data(data=found)


@router.get("/{alarm_id}", dependencies=[*needs("read"), *NO_PARAMETERS], summary="One alarm")
def get_alarm(request: Request, alarm_id: AlarmId, backend: OpenBackend) -> Data[AlarmDetail]:
    """Return an alarm with the actions of operators, from the history if the list lacks it."""
    book, _ = backend.book()
    client = backend.client()
    known = alarm_of(client, book, backend.history, alarm_id)
    if known is None:
        raise _no_alarm(alarm_id)
    groups = group_ids(groups_of(backend, known[1].alarms.values()))
    growth = request.app.state.growths.shape(backend, known[0])
    fleet = backend.server.fleet()
    urgent, proven = priorities(book, fleet), found_right(backend)
    shape = alarm_shape(*known, groups, fleet, urgent, proven).model_copy(update={"growth": growth})
    done = [action_shape(i, a) for i, a in actions_of(client, backend.history, known[0])]
    return Data(data=AlarmDetail(**shape.model_dump(), actions=done))


@router.post("/{alarm_id}/acknowledge", dependencies=OPERATE, summary="Acknowledge an alarm")
def acknowledge(
    request: Request, alarm_id: AlarmId, sent: AcknowledgeIn, backend: OpenBackend
) -> Data[Alarm]:
    """Acknowledge an alarm; 409 if another operator has done so before."""
    return _act(request, backend, alarm_id, "acknowledge", sent)


@router.post("/{alarm_id}/comment", dependencies=OPERATE, summary="Comment on an alarm")
def comment(
    request: Request, alarm_id: AlarmId, sent: CommentIn, backend: OpenBackend
) -> Data[Alarm]:
    """Add a comment to an alarm in any state."""
    return _act(request, backend, alarm_id, "comment", sent)


@router.post("/{alarm_id}/shelve", dependencies=OPERATE, summary="Shelve an alarm")
def shelve(
    request: Request, alarm_id: AlarmId, sent: ShelveIn, backend: OpenBackend
) -> Data[Alarm]:
    """Take this fault of the machine off the open alarms until a time, at most 16 days ahead.

    If it is active then, it needs attention again. Shelving it again changes the end.
    """
    return _act(request, backend, alarm_id, "shelve", sent)


@router.post("/{alarm_id}/unshelve", dependencies=OPERATE, summary="End a shelving")
def unshelve(
    request: Request, alarm_id: AlarmId, sent: UnshelveIn, backend: OpenBackend
) -> Data[Alarm]:
    """End the shelving of this fault of the machine before its time."""
    return _act(request, backend, alarm_id, "unshelve", sent)


@router.post("/{alarm_id}/close", dependencies=OPERATE, summary="Close an alarm")
def close(request: Request, alarm_id: AlarmId, sent: CloseIn, backend: OpenBackend) -> Data[Alarm]:
    """Close an alarm with an outcome: it counts as acknowledged, and reopens if it grows worse."""
    return _act(request, backend, alarm_id, "close", sent)


@router.post("/{alarm_id}/work-order", dependencies=OPERATE, summary="Add a work order to an alarm")
def add_work_order(
    request: Request, alarm_id: AlarmId, sent: WorkOrderIn, backend: OpenBackend
) -> Data[Alarm]:
    """Add the work order of another system that an alarm led to, in any state of the alarm.

    The same one sent again does nothing more; one with another `url` replaces it. `outcome` is the
    finding of the work order. It also closes an alarm that is not closed yet.
    """
    return _act(request, backend, alarm_id, "work_order", sent)


@router.post("/{alarm_id}/assign", dependencies=OPERATE, summary="Assign an alarm")
def assign(
    request: Request, alarm_id: AlarmId, sent: AssignIn, backend: OpenBackend
) -> Data[Alarm]:
    """Assign an alarm to a person, or end its assignment."""
    return _act(request, backend, alarm_id, "assign", sent)


@router.post("/{alarm_id}/ungroup", dependencies=OPERATE, summary="Take an alarm out of its group")
def ungroup(
    request: Request, alarm_id: AlarmId, sent: UngroupIn, backend: OpenBackend
) -> Data[Alarm]:
    """Take an alarm out of its group: it is open even if all machines of its supply alarm."""
    return _act(request, backend, alarm_id, "ungroup", sent)


def _no_alarm(alarm_id: str) -> Problem:
    """Return the problem of an alarm that is not known."""
    return not_found(f"no alarm has the id {alarm_id[:80]!r}: GET /api/v1/alarms lists them")


def _act(
    request: Request, backend: Backend, alarm_id: str, name: ActionName, sent: Details
) -> Data[Alarm]:
    operator = operator_of(request, sent.by)

    def actions(book: Book, now_ms: int) -> Iterator[Action]:
        if alarm_id not in book.alarms:
            raise _no_alarm(alarm_id)
        alarm = book.alarms[alarm_id]
        yield action_on(alarm, name, sent, now_ms, operator)
        if isinstance(sent, WorkOrderIn) and sent.outcome and alarm.outcome is None:
            yield action_on(alarm, "close", _close_request(sent), now_ms, operator)

    act(backend.server, actions)
    book, _ = backend.book()
    groups = group_ids(groups_of(backend, book.alarms.values()))
    fleet = backend.server.fleet()
    of = (book, groups, fleet, priorities(book, fleet), found_right(backend))
    return Data(data=alarm_shape(book.alarms[alarm_id], *of))


def _close_request(sent: WorkOrderIn) -> CloseIn:
    """Return the request to close an alarm with the outcome of a work order."""
    assert sent.outcome is not None
    again = f"{sent.request_id}:close"[:NAME_MAX] if sent.request_id else None
    return CloseIn(outcome=sent.outcome, by=sent.by, request_id=again)


def _cursor(alarm: life.Alarm, urgent: Mapping[str, Priority]) -> str:
    """Return the place of an alarm in the list, which may change before the next page."""
    return "~".join(str(part) for part in precedence(alarm, urgent))


def _position(cursor: str) -> Precedence:
    found = _CURSOR.fullmatch(cursor)
    try:
        if found:
            order = int(found[2]), float(found[3]), float(found[4])
            return Precedence(found[1] == "True", *order, found[5])
    except ValueError:
        pass
    raise bad_cursor(cursor, "of this list")
