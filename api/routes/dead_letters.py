"""Dead letters, newest first."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from api.http.errors import Problem, not_found
from api.http.language import answer_language
from api.http.paging import entries_before, is_entry_id, next_link, one_page, stream_cursor
from api.http.query import NO_PARAMETERS, MachineQuery, Matching
from api.routes.system import OpenBackend
from api.schemas.common import Data, Page
from api.schemas.diagnoses import DeadLetter, ReplayedLetter
from api.state.auth import needs
from api.state.operator import actor_of
from vtox.motor.errors import InputError
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT, Language
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.stream import deadletters
from vtox.pipeline.store.system.deeds import resend_letter

router = APIRouter(prefix="/api/v1", tags=["history"])
# Dead letters carry their samples, megabytes at worst.
LETTERS_PER_READ = 20


LetterId = Annotated[
    str,
    Matching(
        r"\d{1,20}-\d{1,20}",
        "the id of a dead letter, such as 1764000000000-0",
    ),
    Path(description="its `id`"),
]


@router.post(
    "/dead-letters/{letter_id}/replay",
    dependencies=[*needs("operate"), *NO_PARAMETERS],
    summary="Send a dead letter again",
    responses={404: {}, 409: {}},
)
def replay_dead_letter(
    request: Request, letter_id: LetterId, backend: OpenBackend
) -> Data[ReplayedLetter]:
    """Send the window of a dead letter again, to the family that failed on it; remove the letter.

    Sent twice it counts once. A letter that does not carry its window is left unchanged: 409.
    """
    if not is_entry_id(letter_id):
        raise not_found(f"dead letter {letter_id} is none of those that are listed")
    client = backend.client()
    try:
        letter = deadletters.get(client, letter_id)
    except InputError as error:
        raise not_found(f"dead letter {letter_id} is not kept any more") from error
    if not letter.entry:
        detail = f"dead letter {letter_id} has no window: only what was wrong with it was kept"
        raise Problem("not_replayable", detail)
    sent = resend_letter(client, actor_of(request), letter)
    return Data(data=ReplayedLetter(id=letter_id, stream_id=sent))


@router.get("/dead-letters", dependencies=needs("read"), summary="Dead letters")
def list_dead_letters(
    request: Request, backend: OpenBackend, query: Annotated[MachineQuery, Query()]
) -> Page[DeadLetter]:
    """Return windows that could not be diagnosed, newest first, with reason and without samples."""

    def pick(letter_id: str, fields: dict[bytes, bytes]) -> DeadLetter | None:
        d = deadletters.decode(letter_id, fields)
        if query.machine_id not in (None, d.machine_id):
            return None
        words = _reason(d.code, d.reason, answer_language())
        return DeadLetter.of(d, reason=words, replayable=bool(d.entry))

    client, before = backend.client(), stream_cursor(query)
    letters = entries_before(client, keys.DEAD_LETTERS, before, pick, step=LETTERS_PER_READ)
    found = one_page(letters, query.limit)
    return Page(data=found.items, next=next_link(request, found.cursor))


def _reason(code: str, written: str, language: Language) -> str:
    """Return why an entry could not be diagnosed: in English as it was written."""
    known = catalogue(language)
    words = known.problems.get(code) or known.dead_letters.get(code)
    return written if language == DEFAULT or not words else words
