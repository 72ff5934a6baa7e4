"""Machines: nameplates, health, latest diagnoses."""

from bisect import bisect_right
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from api.http.errors import not_found
from api.http.explanation import (
    fault_name,
    sentence,
)
from api.http.json_route import JsonRoute
from api.http.paging import next_link
from api.http.query import NO_PARAMETERS, PageQuery, bad_cursor
from api.routes.system import OpenBackend
from api.schemas.common import Data, DescribedBy, Page, PlainName, rfc3339
from api.schemas.machines import (
    FaultReason,
    LatestReason,
    Machine,
    MachineSummary,
    NameplateCheck,
    Sending,
)
from api.schemas.nameplate import NameplateIn
from api.schemas.view import Reason
from api.shapes.dismissals import dismissals_of
from api.state.auth import needs
from api.state.backend import Backend
from api.state.operator import actor_of, named_operator
from vtox.motor.alarms.health.alert_values import Verdict
from vtox.motor.alarms.health.assessment import FaultAssessment, present_state
from vtox.motor.values.nameplate import motor_from_dict
from vtox.motor.values.plain_names import NAME, name_error
from vtox.motor.values.plate_checks import contradictions, plate_contradictions
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.machines import MachineOverview
from vtox.pipeline.store.system.deeds import register_machine, retire_machine

router = APIRouter(prefix="/api/v1/machines", tags=["machines"], route_class=JsonRoute)


def _require_name(text: str) -> str:
    if wrong := name_error(text):
        raise PydanticCustomError("bad_name", "{wrong}", {"wrong": wrong})
    return text


MachineId = Annotated[
    PlainName,
    AfterValidator(_require_name),
    Path(description="1 to 64 of letters, digits, . _ : -"),
]


@router.get("", dependencies=needs("read"), summary="All machines")
def list_machines(
    request: Request, backend: OpenBackend, query: Annotated[PageQuery, Query()]
) -> Page[MachineSummary]:
    """Return the machines in the order of their ids, each with its state and the reason."""
    if query.cursor and not NAME.fullmatch(query.cursor):
        raise bad_cursor(query.cursor, "the id of a machine")
    client = backend.client()
    names = backend.server.machine_names.read(client)
    first = bisect_right(names, query.cursor)
    end = first + query.limit
    data = [_summary(o, backend.settings) for o in machines.overview(client, names[first:end])]
    cursor = names[end - 1] if end < len(names) else ""
    return Page(data=data, next=next_link(request, cursor))


@router.get("/{machine_id}", dependencies=[*needs("read"), *NO_PARAMETERS], summary="One machine")
def get_machine(machine_id: MachineId, backend: OpenBackend) -> Data[Machine]:
    """Return its nameplate, baseline, assessment and the latest diagnosis of each fault."""
    return Data(data=machine_by_id(machine_id, backend))


@router.put(
    "/{machine_id}",
    dependencies=[*needs("engineer"), *NO_PARAMETERS],
    summary="Register a machine by its nameplate",
)
def put_machine(
    request: Request,
    machine_id: MachineId,
    nameplate: Annotated[dict[str, Any], DescribedBy(NameplateIn)],
    backend: OpenBackend,
) -> Data[Machine]:
    """Replace the nameplate. A value that is left out is a reason to abstain, never a default.

    Only impossible values are refused. Values that contradict each other are stored, and are in
    `nameplate_warnings` of the answer; `POST .../nameplate/check` lists them before.
    """
    by = nameplate.pop("by", None)
    actor = actor_of(request, "" if by is None else named_operator(request, by))
    motor = motor_from_dict(nameplate)
    client, most = backend.client(), backend.settings.max_machines
    register_machine(client, actor, machine_id, motor, limit=most)
    return Data(data=machine_by_id(machine_id, backend))


@router.post(
    "/{machine_id}/nameplate/check",
    dependencies=[*needs("engineer"), *NO_PARAMETERS],
    summary="Check a nameplate without storing it",
)
def check_nameplate(
    machine_id: MachineId,
    nameplate: Annotated[dict[str, Any], DescribedBy(NameplateIn)],
) -> Data[NameplateCheck]:
    """Return the contradictions of a nameplate. It refuses impossible values, like storing."""
    nameplate.pop("by", None)
    found = contradictions(motor_from_dict(nameplate))
    return Data(data=NameplateCheck(warnings=list(map(Reason.of, found))))


@router.delete(
    "/{machine_id}",
    dependencies=[*needs("admin"), *NO_PARAMETERS],
    summary="Retire a machine",
    status_code=204,
)
def delete_machine(request: Request, machine_id: MachineId, backend: OpenBackend) -> Response:
    """Forget nameplate, baseline and state, clear its open alerts, and delete its history.

    Its diagnoses and alerts stay in their streams until the retention ends; the recorder deletes
    the history within seconds. If it sends again, it is a new machine.
    """
    retire_machine(backend.client(), actor_of(request), machine_id)
    return Response(status_code=204)


def machine_by_id(machine_id: str, backend: Backend) -> Machine:
    """Return one machine.

    Raises `Problem`: no machine of this id is known.
    """
    overviews = machines.overview(backend.client(), [machine_id])
    if not overviews:
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    overview = overviews[0]
    summary = _summary(overview, backend.settings)
    return Machine.of(
        overview,
        **summary.model_dump(),
        nameplate_warnings=list(map(Reason.of, plate_contradictions(overview.nameplate))),
        dismissals=dismissals_of(backend.client(), machine_id),
    )


def fault_reason(fault: str, f: FaultAssessment) -> dict[str, Any]:
    """Return why a fault has its state, as the fields of `FaultReason`."""
    why = f.why
    latest = _latest(f.latest) if why.t != f.t else None
    return FaultReason.plain(why, fault=fault, time=rfc3339(why.t or None), latest=latest)


def _latest(said: Verdict) -> dict[str, Any]:
    return LatestReason.plain(said, state=said.state or "unknown", time=rfc3339(said.t or None))


def _summary(overview: MachineOverview, settings: Settings) -> MachineSummary:
    health = overview.health
    interval, last_t, age = overview.interval, overview.last_window_t, overview.last_window_age_s
    silent = overview.silent(settings.silence_after_s)
    worst = health.state if health else ""
    faults = health.faults if health else {}
    reasons = [fault_reason(n, f) for n, f in faults.items() if f.state == worst != "normal"]
    lacks = "no_diagnosis_yet" if last_t else "no_window_yet"
    return MachineSummary.of(
        overview,
        state=present_state(health, silent=silent),
        health=health.health if health else None,
        reason="; ".join(f"{fault_name(r['fault'])}: {r['reason']}" for r in reasons)
        if health
        else sentence(lacks, {}),
        reasons=[FaultReason(**r) for r in reasons],
        faults={fault: f.state for fault, f in faults.items()},
        seen=health.seen_faults if health else [],
        registered=overview.nameplate is not None,
        last_window_age_s=None if age is None else round(age, 3),
        last_diagnosis=rfc3339(health.last_diagnosis_t) if health else None,
        silent=silent,
        sending=Sending.of(
            interval,
            next_window=rfc3339(overview.next_window_t),
            silent_from=rfc3339(last_t and last_t + interval.limit_s(settings.silence_after_s)),
        ),
    )
