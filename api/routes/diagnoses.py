"""Diagnoses, newest first: of a machine from stream and history, of all machines as recorded."""

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.http.paging import Found, entries_before, next_link, one_page, stream_cursor
from api.http.query import FaultName, MachineQuery, Matching, PageQuery, bad_cursor
from api.routes.machines import MachineId, machine_by_id
from api.routes.system import OpenBackend
from api.schemas.diagnoses import Diagnoses, DiagnosisEntry, RecordedDiagnoses
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.values.domain import State
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.stream.entries import decode_result
from vtox.pipeline.store.stream.outputs import entry_order, oldest_id
from vtox.reporting.history import queries
from vtox.reporting.history.diagnoses import (
    PagePosition,
    RecordedDiagnosis,
    Wanted,
    recorded_diagnoses,
)
from vtox.reporting.history.retention import oldest_kept

router = APIRouter(prefix="/api/v1", tags=["history"])

_FAULT = Field(None, description="only diagnoses of this fault")
_CODE = Matching("[a-z0-9_]{1,64}", "the code of a reason: 1 to 64 of a to z, 0 to 9 and _")
_STATE = Field(None, description="only diagnoses with this state")
# Place of a record; with two numbers more, the entry before which it arrived.
_PLACE = re.compile(r"\d{1,16}(?:-\d{1,19}){2}-\d{1,10}(?:-\d{1,19}-\d{1,19})?")
_ID_END = 1 << 63
# A sender's clock may be ahead of the server's, but no record is later than its arrival.
_AHEAD_MS = 1000


class _DiagnosesQuery(PageQuery):
    """A page of the diagnoses of a machine."""

    fault: FaultName | None = _FAULT
    state: State | None = _STATE


class _RecordedQuery(MachineQuery):
    """A page of the diagnoses of all machines, or of one."""

    fault: FaultName | None = _FAULT
    state: State | None = _STATE
    code: Annotated[str, _CODE] | None = Field(None, description="only diagnoses with this code")


@router.get(
    "/machines/{machine_id}/diagnoses",
    dependencies=needs("read"),
    summary="Diagnoses of a machine",
)
def list_diagnoses(
    request: Request,
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_DiagnosesQuery, Query()],
) -> Diagnoses:
    """Return diagnoses, newest first, and the latest one of each fault.

    Diagnoses that the stream no longer holds come from the history, without evidence. One request
    reads a bounded part: a page may be short or empty while `next` leads on.
    """
    machine = machine_by_id(machine_id, backend)
    wanted = Wanted(machine_id=machine_id, fault=query.fault, state=query.state)
    if _PLACE.fullmatch(query.cursor):
        items, cursor = _recorded(backend, wanted, query.cursor, query.limit)
    else:
        items, cursor = _in_stream(backend, machine_id, query)
        if not cursor:
            cursor = _history_cursor(backend, query.cursor)
            if room := query.limit - len(items):
                older, cursor = _recorded(backend, wanted, cursor, room)
                items += older
    return Diagnoses(data=items, latest=machine.diagnoses, next=next_link(request, cursor))


@router.get("/diagnoses", dependencies=needs("read"), summary="Diagnoses of all machines")
def list_recorded_diagnoses(
    request: Request, backend: OpenBackend, query: Annotated[_RecordedQuery, Query()]
) -> RecordedDiagnoses:
    """Return diagnoses as the history has them, newest first by the time of the signal.

    The last seconds may not be recorded yet: `recorded_until_t`. A page may be short or empty
    while `next` leads on.
    """
    wanted = query.part(Wanted)
    items, cursor = _recorded(backend, wanted, query.cursor, query.limit)
    with backend.history() as db:
        until = queries.recorded_until_s(db) if db is not None else None
    link = next_link(request, cursor)
    return RecordedDiagnoses(data=items, recorded_until_t=until, next=link)


def _in_stream(backend: Backend, machine_id: str, query: _DiagnosesQuery) -> Found[DiagnosisEntry]:
    filters = {b"machine_id": machine_id, b"fault": query.fault, b"state": query.state}
    required = {k: v.encode() for k, v in filters.items() if v is not None}

    def pick(stream_id: str, fields: dict[bytes, bytes]) -> DiagnosisEntry | None:
        if any(fields.get(k) != v for k, v in required.items()):
            return None
        return DiagnosisEntry.of(decode_result(fields), stream_id=stream_id, source="stream")

    results = entries_before(backend.client(), keys.RESULTS, stream_cursor(query), pick)
    return one_page(results, query.limit)


def _history_cursor(backend: Backend, cursor: str) -> str:
    """Return the cursor of the history where the stream ends: arrivals before its oldest."""
    oldest = oldest_id(backend.client(), keys.RESULTS)
    known = [i for i in (oldest, cursor) if i]
    last = f"{_ID_END - 1}-{_ID_END - 1}"
    bound = min(known, key=entry_order, default=last)
    bound = bound if entry_order(bound) < entry_order(last) else last
    return f"{_now_ms(backend)}-0-0-0-{bound}"


def _recorded(
    backend: Backend, wanted: Wanted, cursor: str, limit: int
) -> tuple[list[DiagnosisEntry], str]:
    """Return recorded diagnoses, and the cursor of the next page, empty at the end."""
    if cursor and not _PLACE.fullmatch(cursor):
        raise bad_cursor(cursor, "a place in the history")
    now_ms = _now_ms(backend)
    numbers = [int(n) for n in cursor.split("-")] if cursor else [now_ms, 0, 0, 0]
    if max(numbers) >= _ID_END:
        raise bad_cursor(cursor, "a place in the history")
    bound = (numbers[4], numbers[5]) if len(numbers) == 6 else None
    wanted = replace(wanted, arrived_before=bound)
    oldest_ms = oldest_kept(backend.settings, now_ms).records_ms
    with backend.history() as db:
        if db is None:
            return [], ""
        found, place = recorded_diagnoses(db, wanted, PagePosition(*numbers[:4]), oldest_ms, limit)
    following = "-".join(map(str, (*place, *(bound or ())))) if place else ""
    return [_entry(d) for d in found], following


def _now_ms(backend: Backend) -> int:
    return round(1000 * backend.now_s()) + _AHEAD_MS


def _entry(d: RecordedDiagnosis) -> DiagnosisEntry:
    stream_id = f"{d.place.id_ms}-{d.place.id_seq}"
    return DiagnosisEntry.of(d.result, stream_id=stream_id, source="history")
