"""Diagnoses of a machine, newest first."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.auth import needs
from api.paging import newest_first, next_link, text
from api.query import Part
from api.routes.machines import MachineId, machine_of, shown
from api.routes.system import Opened
from api.schemas import Diagnoses, DiagnosisEntry, number
from vtox import keys
from vtox.domain import State
from vtox.faults import FAULTS

router = APIRouter(prefix="/api/v1", tags=["history"])
_NUMBERS = (
    *("severity", "confidence", "statistic", "threshold", "latency_ms"),
    *("first_seq", "last_seq", "t_start", "t_end"),
)


class OfDiagnoses(Part):
    """A part of a machine's diagnoses."""

    fault: str | None = Field(None, pattern=f"^({'|'.join(FAULTS)})$", description="one fault only")
    state: State | None = None


@router.get("/machines/{machine_id}/diagnoses", dependencies=needs("read"), summary="Its diagnoses")
def list_diagnoses(
    request: Request,
    machine_id: MachineId,
    backend: Opened,
    part: Annotated[OfDiagnoses, Query()],
) -> Diagnoses:
    """Show the latest answer for each fault, and recent ones.

    A part may be short or empty while `next` leads on: one request looks at a bounded number of
    entries.
    """
    machine = machine_of(machine_id, backend)
    wanted = {b"machine_id": machine_id, b"fault": part.fault, b"state": part.state}
    exactly = {k: v.encode() for k, v in wanted.items() if v is not None}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> DiagnosisEntry | None:
        if any(fields.get(k) != v for k, v in exactly.items()):
            return None
        return _diagnosis(stream_id, text(fields))

    found, more = newest_first(backend.client(), keys.RESULTS, part, pick)
    return Diagnoses(data=found, latest=machine.diagnoses, next=next_link(request, more))


def _diagnosis(stream_id: str, f: dict[str, str]) -> DiagnosisEntry:
    kept: dict[str, Any] = {k: v for k, v in f.items() if k not in _NUMBERS}
    kept |= {k: number(f.get(k)) for k in _NUMBERS}
    kept["detail"] = json.loads(f.get("detail") or "{}")
    return DiagnosisEntry(**shown(kept), stream_id=stream_id)
