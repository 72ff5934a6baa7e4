"""Diagnoses of a machine, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import needs
from api.paging import newest_first, next_link
from api.query import PageQuery
from api.routes.machines import MachineId, diagnosis_fields, machine_by_id
from api.routes.system import OpenBackend
from api.schemas.diagnoses import Diagnoses, DiagnosisEntry
from vtox import keys
from vtox.domain import State
from vtox.faults import FAULTS
from vtox.store.entries import decode_result

router = APIRouter(prefix="/api/v1", tags=["history"])


class DiagnosesQuery(PageQuery):
    """A page of the diagnoses of a machine."""

    fault: str | None = Field(
        None, pattern=f"^({'|'.join(FAULTS)})$", description="only diagnoses of this fault"
    )
    state: State | None = Field(None, description="only diagnoses with this state")


@router.get(
    "/machines/{machine_id}/diagnoses",
    dependencies=needs("read"),
    summary="Diagnoses of a machine",
)
def list_diagnoses(
    request: Request,
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[DiagnosesQuery, Query()],
) -> Diagnoses:
    """Return diagnoses, newest first, and the latest one of each fault.

    One request reads a bounded part of the stream: a page may be short or empty while `next` leads
    on.
    """
    machine = machine_by_id(machine_id, backend)
    filters = {b"machine_id": machine_id, b"fault": query.fault, b"state": query.state}
    required = {k: v.encode() for k, v in filters.items() if v is not None}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> DiagnosisEntry | None:
        if any(fields.get(k) != v for k, v in required.items()):
            return None
        r = decode_result(fields)
        own = {"stream_id": stream_id, "machine_id": r.machine_id, "latency_ms": r.latency_ms}
        return DiagnosisEntry(**diagnosis_fields(r), **own)

    items, cursor = newest_first(backend.client(), keys.RESULTS, query, pick)
    return Diagnoses(data=items, latest=machine.diagnoses, next=next_link(request, cursor))
