"""Routes that take JSON: FastAPI validates the body, which is read once the key is checked."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from api.http.errors import Problem

WITH_BODY = frozenset({"POST", "PUT"})
# Read in less than a millisecond. A window has megabytes and is read in a thread.
AT_ONCE_BYTES = 64 << 10


class JsonRoute(APIRoute):
    """A route with a body; FastAPI would read and parse that before it looks at any key.

    So FastAPI is given an object that is still empty. The last dependency of the route fills it:
    before FastAPI validates it, and after all that check the key, the parameters or a quota.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if not WITH_BODY.isdisjoint(options["methods"]):
            options["dependencies"] = [*(options["dependencies"] or ()), Depends(_fill)]
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers a request."""
        answer = super().get_route_handler()
        if WITH_BODY.isdisjoint(self.methods or ()):
            return answer

        async def answer_json(request: Request) -> Response:
            early = Request(request.scope, _empty_object)
            early.state.receive, early.state.sent = request.receive, await early.json()
            return await answer(early)

        return answer_json


async def _empty_object() -> Message:
    return {"type": "http.request", "body": b"{}"}


async def _json_text(request: Request) -> bytes:
    require_type(request, "application/json", "not_json")
    return await Request(request.scope, request.state.receive).body()


JsonText = Annotated[bytes, Depends(_json_text)]


def require_type(request: Request, expected: str, code: str) -> None:
    """Raise the problem `code` if a body is not announced as of the type `expected`."""
    given = request.headers.get("content-type", "")
    kind, _, parameters = given.partition(";")
    charset = parameters.replace(" ", "").lower()
    if kind.strip().lower() != expected or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise Problem(code, f"Content-Type: {given[:80] or 'none'}, expected {expected}")


async def _fill(request: Request, text: JsonText) -> None:
    small = len(text) <= AT_ONCE_BYTES
    value = _object(text) if small else await run_in_threadpool(_object, text)
    request.state.sent.update(value)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Problem("bad_request", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem("bad_request", f"the body is a {type(value).__name__}, expected {{...}}")
    # Only an escape can spell one; bodies of samples have none.
    if b"\\u" in text:
        _refuse_lone_surrogates(value)
    return value


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        escape = f"\\u{ord(error.object[error.start]):04x}"
        detail = f"the body holds {escape}, half of a pair of surrogates: it is no character"
        raise Problem("bad_request", detail) from None
