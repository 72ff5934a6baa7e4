"""Dead letters, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.auth import needs
from api.paging import newest_first, next_link
from api.query import MachineQuery
from api.routes.system import OpenBackend
from api.schemas.common import Page, rfc3339
from api.schemas.diagnoses import DeadLetter
from vtox import keys
from vtox.store import deadletters

router = APIRouter(prefix="/api/v1", tags=["history"])
# Dead letters carry their samples, megabytes at worst.
LETTERS_PER_READ = 20


@router.get("/dead-letters", dependencies=needs("read"), summary="Dead letters")
def list_dead_letters(
    request: Request, backend: OpenBackend, query: Annotated[MachineQuery, Query()]
) -> Page[DeadLetter]:
    """Return what could not be diagnosed, newest first, with the reason and without samples."""

    def pick(letter_id: str, fields: dict[bytes, bytes]) -> DeadLetter | None:
        d = deadletters.decode(letter_id, fields)
        if query.machine_id not in (None, d.machine_id):
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
            windows=d.windows,
            last_stream_id=d.last_stream_id,
            replayable=bool(d.entry),
            entry_bytes=d.entry_bytes,
        )

    items, cursor = newest_first(
        backend.client(), keys.DEAD_LETTERS, query, pick, step=LETTERS_PER_READ
    )
    return Page(data=items, next=next_link(request, cursor))
