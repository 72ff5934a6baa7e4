"""Waveforms kept behind new warnings and faults."""

from itertools import islice
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.auth import needs
from api.errors import not_found
from api.paging import next_link, stream_cursor
from api.query import NO_PARAMETERS, Part
from api.routes.machines import MachineId, machine_of
from api.routes.system import Opened
from api.schemas import Page, Waveform, rfc3339
from vtox.errors import InputError
from vtox.store import evidence

router = APIRouter(prefix="/api/v1", tags=["history"])


class OfEvidence(Part):
    """A part of a machine's evidence."""

    limit: int = Field(20, ge=1, le=500, description="at most this many")


@router.get(
    "/machines/{machine_id}/evidence", dependencies=needs("read"), summary="Its waveforms kept"
)
def list_evidence(
    request: Request, machine_id: MachineId, backend: Opened, part: Annotated[OfEvidence, Query()]
) -> Page[Waveform]:
    """List the records behind its new warnings and faults, newest first, each with its address."""
    machine_of(machine_id, backend)
    kept = evidence.newest_first(backend.client(), machine_id, before=stream_cursor(part))
    found = list(islice(kept, part.limit))
    data = [
        Waveform(
            **w.summary(), start=rfc3339(w.t_start), href=f"{request.url.path}/{quote(w.record)}"
        )
        for w in found
    ]
    more = found[-1].first_id if len(found) == part.limit and next(kept, None) else ""
    return Page(data=data, next=next_link(request, more))


@router.get(
    "/machines/{machine_id}/evidence/{record}",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="One waveform",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
def get_evidence(machine_id: MachineId, record: str, backend: Opened) -> Response:
    """Return it as `.npz`, in units, as `vtox diagnose` and `vtox replay` read it."""
    try:
        found = evidence.get(backend.client(), record)
    except InputError as error:
        raise not_found(str(error)) from error
    if found.machine_id != machine_id:
        raise not_found(f"{record!r} is a record of {found.machine_id}, not of {machine_id}")
    name = {"Content-Disposition": f'attachment; filename="{found.file_name}"'}
    return Response(found.npz(), media_type="application/octet-stream", headers=name)
