"""Waveforms: the records behind new warnings and faults."""

from itertools import islice
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.http.errors import not_found
from api.http.paging import next_link, stream_cursor
from api.http.query import NO_PARAMETERS, PageQuery
from api.routes.machines import MachineId, machine_by_id
from api.routes.system import OpenBackend
from api.schemas.common import Page, rfc3339
from api.schemas.diagnoses import Waveform
from api.state.auth import needs
from vtox.motor.errors import InputError
from vtox.pipeline.store.stream import evidence

router = APIRouter(prefix="/api/v1", tags=["history"])
FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


class _EvidenceQuery(PageQuery):
    """A page of the waveforms of a machine."""

    limit: int = Field(20, ge=1, le=500, description="largest number of items on the page")


@router.get(
    "/machines/{machine_id}/evidence",
    dependencies=needs("read"),
    summary="Waveforms of a machine",
)
def list_evidence(
    request: Request,
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_EvidenceQuery, Query()],
) -> Page[Waveform]:
    """Return the records behind new warnings and faults, newest first, with their addresses."""
    machine_by_id(machine_id, backend)
    older = evidence.newest_first(backend.client(), machine_id, before=stream_cursor(query))
    items = list(islice(older, query.limit))
    data = [
        Waveform(
            **w.summary(), start=rfc3339(w.t_start), href=f"{request.url.path}/{quote(w.record)}"
        )
        for w in items
    ]
    cursor = items[-1].first_id if len(items) == query.limit and next(older, None) else ""
    return Page(data=data, next=next_link(request, cursor))


@router.get(
    "/machines/{machine_id}/evidence/{record}",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="One waveform as a file",
    response_class=Response,
    responses={200: {"content": FILE}},
)
def get_evidence(machine_id: MachineId, record: str, backend: OpenBackend) -> Response:
    """Return the samples in units as `.npz`, which `vtox diagnose` and `vtox replay` read."""
    try:
        waveform = evidence.get(backend.client(), record)
    except InputError as error:
        raise not_found(str(error)) from error
    if waveform.machine_id != machine_id:
        raise not_found(f"{record!r} is a record of {waveform.machine_id}, not of {machine_id}")
    name = {"Content-Disposition": f'attachment; filename="{waveform.file_name}"'}
    return Response(waveform.npz(), media_type="application/octet-stream", headers=name)
