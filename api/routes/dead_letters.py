"""Dead letters, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.auth import needs
from api.paging import newest_first, next_link
from api.query import OfMachine
from api.routes.system import Opened
from api.schemas import DeadLetter, Page, rfc3339
from vtox import keys
from vtox.store import deadletters

router = APIRouter(prefix="/api/v1", tags=["history"])
# Dead letters carry their samples, of megabytes at worst.
LETTERS = 20


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
