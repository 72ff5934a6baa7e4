"""What has been found: diagnoses of a machine, alerts, dead letters; newest first."""

import json
from bisect import bisect_right
from itertools import islice
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.auth import needs
from api.errors import not_found
from api.paging import newest_first, next_link, stream_cursor, text
from api.query import NO_PARAMETERS, OfMachine, Part, bad_cursor
from api.routes.machines import MachineId, machine_of, shown
from api.routes.system import Opened
from api.schemas import (
    Alert,
    DeadLetter,
    Diagnoses,
    DiagnosisEntry,
    OpenAlert,
    Page,
    Waveform,
    rfc3339,
)
from vtox import keys
from vtox.domain import State
from vtox.errors import InputError
from vtox.faults import FAULTS
from vtox.store import deadletters, evidence, machines

router = APIRouter(prefix="/api/v1", tags=["history"])


class OfDiagnoses(Part):
    """A part of a machine's diagnoses."""

    fault: str | None = Field(None, pattern=f"^({'|'.join(FAULTS)})$", description="one fault only")
    state: State | None = None


class OfEvidence(Part):
    """A part of a machine's evidence."""

    limit: int = Field(20, ge=1, le=500, description="at most this many")


class OfAlerts(OfMachine):
    """A part of the alerts."""

    event: Literal["raised", "escalated", "cleared"] | None = None


# Dead letters carry their samples, of megabytes at worst.
LETTERS = 20
_NUMBERS = (
    *("severity", "confidence", "statistic", "threshold", "latency_ms"),
    *("first_seq", "last_seq", "t_start", "t_end"),
)


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


@router.get("/alerts", dependencies=needs("read"), summary="Alerts")
def list_alerts(
    request: Request, backend: Opened, part: Annotated[OfAlerts, Query()]
) -> Page[Alert]:
    """One entry for each time an alert was raised, escalated or cleared; `id` is the episode's."""
    wanted = {"machine_id": part.machine_id, "event": part.event}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> Alert | None:
        f = text(fields)
        if any(v is not None and f.get(k) != v for k, v in wanted.items()):
            return None
        t = _number(f.get("t"))
        return Alert(**(f | {"stream_id": stream_id, "t": t, "time": rfc3339(t)}))

    found, more = newest_first(backend.client(), keys.ALERTS, part, pick)
    return Page(data=found, next=next_link(request, more))


@router.get("/alerts/open", dependencies=needs("read"), summary="Open alerts")
def list_open_alerts(
    request: Request, backend: Opened, part: Annotated[Part, Query()]
) -> Page[OpenAlert]:
    """Show what is wrong now, the latest first: raised and not cleared, with the last reason."""
    found = machines.open_alerts(backend.client())
    places = [machines.place(a["id"]) for a in found]
    try:
        first = bisect_right(places, machines.place(part.cursor)) if part.cursor else 0
    except ValueError:
        raise bad_cursor(part.cursor, "the id of an alert") from None
    end = first + part.limit
    more = found[end - 1]["id"] if end < len(found) else ""
    data = [OpenAlert(**a, time=rfc3339(a["t"])) for a in found[first:end]]
    return Page(data=data, next=next_link(request, more))


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


@router.get("/dead-letters", dependencies=needs("read"), summary="Dead letters")
def list_dead_letters(
    request: Request, backend: Opened, part: Annotated[OfMachine, Query()]
) -> Page[DeadLetter]:
    """Entries that could not be diagnosed, each with the reason and whether it can be replayed."""

    def pick(letter_id: str, fields: dict[bytes, bytes]) -> DeadLetter | None:
        d = deadletters.letter(letter_id, fields)
        if part.machine_id not in (None, d.machine_id):
            return None
        return DeadLetter(
            id=d.id,
            stream_id=d.stream_id,
            machine_id=d.machine_id,
            seq=d.seq,
            family=d.family,
            code=d.code,
            reason=d.reason,
            attempts=d.attempts,
            t=d.t,
            time=rfc3339(d.t),
            replayable=bool(d.entry),
            entry_bytes=d.entry_bytes,
        )

    found, more = newest_first(backend.client(), keys.DEAD_LETTERS, part, pick, step=LETTERS)
    return Page(data=found, next=next_link(request, more))


def _diagnosis(stream_id: str, f: dict[str, str]) -> DiagnosisEntry:
    kept: dict[str, Any] = {k: v for k, v in f.items() if k not in _NUMBERS}
    kept |= {k: _number(f.get(k)) for k in _NUMBERS}
    kept["detail"] = json.loads(f.get("detail") or "{}")
    return DiagnosisEntry(**shown(kept), stream_id=stream_id)


def _number(value: str | None) -> float | None:
    try:
        return float(value or "")
    except ValueError:
        return None
