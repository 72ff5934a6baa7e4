"""Machines: their nameplates, health and latest diagnoses."""

import time
from bisect import bisect_right
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import TypeAdapter

from api.auth import needs
from api.body_limit import JSON_BODY
from api.errors import not_found
from api.paging import next_link
from api.query import NO_PARAMETERS, Part, bad_cursor
from api.routes.system import Opened
from api.schemas import Data, LatestDiagnosis, Machine, MachineSummary, Page, rfc3339
from vtox.domain import Motor
from vtox.nameplate import motor_from_dict
from vtox.settings import Settings
from vtox.store import machines
from vtox.wire import NAME

router = APIRouter(prefix="/api/v1/machines", tags=["machines"])

MachineId = Annotated[
    str,
    Path(
        pattern=rf"^{NAME.pattern}$",
        description="1 to 64 of letters, digits, . _ : -",
    ),
]
NAMEPLATE: dict[str, Any] = {
    "pole_pairs": 2,
    "supply_hz": 50.0,
    "rated_speed_rpm": 1450,
    "rated_current_a": 9.8,
    "bearing": {"orders": {"BPFO": 3.585, "BPFI": 5.415, "BSF": 2.357, "FTF": 0.398}},
}


@router.get("", dependencies=needs("read"), summary="All machines")
def list_machines(
    request: Request, backend: Opened, part: Annotated[Part, Query()]
) -> Page[MachineSummary]:
    """In the order of their ids, each with its state and why."""
    if part.cursor and not NAME.fullmatch(part.cursor):
        raise bad_cursor(part.cursor, "the id of a machine")
    client = backend.client()
    names = sorted(machines.known(client))
    first = bisect_right(names, part.cursor)
    end = first + part.limit
    now = time.time()
    seen = machines.overview(client, names[first:end])
    found = [_summary(m, now, backend.settings) for m in seen]
    more = names[end - 1] if end < len(names) else ""
    return Page(data=found, next=next_link(request, more))


@router.get("/{machine_id}", dependencies=[*needs("read"), *NO_PARAMETERS], summary="One machine")
def get_machine(machine_id: MachineId, backend: Opened) -> Data[Machine]:
    """Nameplate, assessed health, and the latest diagnosis of each fault."""
    return Data(data=machine_of(machine_id, backend))


@router.put(
    "/{machine_id}",
    dependencies=[*needs("admin"), *NO_PARAMETERS, *JSON_BODY],
    summary="Register a machine by its nameplate",
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"schema": TypeAdapter(Motor).json_schema()}}
        }
    },
)
def put_machine(
    machine_id: MachineId,
    backend: Opened,
    nameplate: Annotated[dict[str, Any], Body(examples=[NAMEPLATE])],
) -> Data[Machine]:
    """Replace what was known; a value that is left out is a reason to abstain, never a default."""
    machines.register(backend.client(), machine_id, motor_from_dict(nameplate))
    return Data(data=machine_of(machine_id, backend))


@router.delete(
    "/{machine_id}",
    dependencies=[*needs("admin"), *NO_PARAMETERS],
    summary="Retire a machine",
    status_code=204,
)
def retire_machine(machine_id: MachineId, backend: Opened) -> Response:
    """Forget nameplate, baseline and state. If it sends again, it is new.

    What was found of it stays in the streams of results and alerts until their retention ends.
    """
    if not machines.retire(backend.client(), machine_id):
        raise not_found(f"machine {machine_id!r} is not known")
    return Response(status_code=204)


def machine_of(machine_id: str, backend: Opened) -> Machine:
    """Return all that is known of a machine; a problem where it is not known."""
    found = machines.overview(backend.client(), [machine_id])
    if not found:
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    seen = found[0]
    summary = _summary(seen, time.time(), backend.settings)
    return Machine(
        **summary.model_dump(),
        nameplate=seen["nameplate"],
        baseline_state=seen["baseline_state"],
        assessment=seen["health"],
        diagnoses={fault: LatestDiagnosis(**shown(d)) for fault, d in seen["diagnoses"].items()},
    )


def shown(kept: dict[str, Any]) -> dict[str, Any]:
    """Return a diagnosis as the store keeps it in the shape that this interface shows."""
    detail = kept.get("detail") or {}
    return {
        **kept,
        "start": rfc3339(kept.get("t_start")),
        "end": rfc3339(kept.get("t_end")),
        "indicators": detail.get("indicators", {}),
        "evidence": detail.get("evidence", []),
    }


def _summary(seen: dict[str, Any], now: float, settings: Settings) -> MachineSummary:
    health = seen["health"] or {}
    arrived = seen["last_window_t"]
    age = None if arrived is None else max(now - arrived, 0.0)
    return MachineSummary(
        machine_id=seen["machine_id"],
        vehicle_id=seen["vehicle_id"],
        state=health.get("state", "unknown"),
        health=health.get("health"),
        reason=_reason(seen),
        faults={fault: f["state"] for fault, f in health.get("faults", {}).items()},
        registered=seen["nameplate"] is not None,
        baseline=seen["baseline"],
        last_window=rfc3339(arrived),
        last_window_age_s=None if age is None else round(age, 3),
        silent=machines.silent(seen, now, settings.silence_after_s),
    )


def _reason(seen: dict[str, Any]) -> str:
    """Return why a machine is not known to be normal."""
    health = seen["health"]
    if health is None:
        return "no diagnosis yet" if seen["last_window_t"] else "no window yet"
    if health["state"] == "normal":
        return ""
    told = [
        f"{fault}: {f['reason']}"
        for fault, f in health["faults"].items()
        if f["state"] == health["state"]
    ]
    return "; ".join(told)
