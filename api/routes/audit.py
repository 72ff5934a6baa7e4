"""The audit: changes, their authors, and from where they came."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.http.paging import entries_before, next_link, one_page, stream_cursor
from api.http.query import MachineQuery
from api.routes.system import OpenBackend
from api.schemas.audit import AuditEntry
from api.schemas.common import Page, rfc3339
from api.state.auth import needs
from vtox.motor.values import codec
from vtox.motor.values.codec import RawFields
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.stream.outputs import entry_order
from vtox.pipeline.store.system.audit import Deed

router = APIRouter(prefix="/api/v1", tags=["system"])


@router.get("/audit", dependencies=needs("admin"), summary="Who changed what, and from where")
def list_audit(
    request: Request, backend: OpenBackend, query: Annotated[MachineQuery, Query()]
) -> Page[AuditEntry]:
    """Return changes by people, sign-ins and refused API keys, newest first.

    Actions of operators on alarms are not in the audit: `GET /api/v1/alarms/{alarm_id}` has them.
    The session of a key with `admin` may also read the audit.
    """

    def pick(entry_id: str, fields: RawFields) -> AuditEntry | None:
        deed = codec.decode_fields(Deed, fields)
        return _shape(entry_id, deed) if query.machine_id in (None, deed.machine_id) else None

    entries = entries_before(backend.client(), keys.AUDIT, stream_cursor(query), pick)
    found = one_page(entries, query.limit)
    return Page(data=found.items, next=next_link(request, found.cursor))


def _shape(entry_id: str, deed: Deed) -> AuditEntry:
    t = entry_order(entry_id)[0] / 1000
    return AuditEntry.of(deed, stream_id=entry_id, t=t, time=rfc3339(t))
