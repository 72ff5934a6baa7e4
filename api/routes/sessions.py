"""Signing in and out on the pages: a form posts the key once, a session takes its place."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.http.errors import Problem
from api.http.json_route import require_type
from api.http.sign_in import Why, local_path, sign_in_page
from api.routes.system import OpenBackend
from api.state.auth import COOKIE, key_of_text
from vtox.store.server.client import Client
from vtox.store.system import audit, sessions
from vtox.store.system.apikeys import ApiKey
from vtox.store.system.audit import Actor

router = APIRouter(include_in_schema=False)

FORM_MAX_BYTES = 4096


async def form_text(request: Request) -> str:
    """Return the body of a form, which is short."""
    require_type(request, "application/x-www-form-urlencoded", "not_a_form")
    body = await request.body()
    if len(body) > FORM_MAX_BYTES:
        raise Problem("body_too_large", f"the form is larger than {FORM_MAX_BYTES} bytes")
    return body.decode("utf-8", "replace")


@router.post("/sign-in")
def sign_in(
    request: Request, text: Annotated[str, Depends(form_text)], backend: OpenBackend
) -> Response:
    """Begin a session, and go on to the page that was wanted."""
    form = {name: values[0] for name, values in parse_qs(text).items()}
    wanted = local_path(form.get("wanted", "/"))
    try:
        key = key_of_text(request, form.get("key", "").strip())
    except Problem as problem:
        why: Why = "key_unknown" if problem.status_code == 401 else "key_waits"
        status, headers = problem.status_code, problem.headers
        return sign_in_page(request, status, wanted=wanted, why=why, headers=headers)
    if not key.allows("read"):
        return sign_in_page(request, 403, wanted=wanted, why="key_may_not_read")
    backend.keys.note_use(key.id)
    client = backend.client()
    _audit(request, client, key, "signed_in")
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        COOKIE,
        sessions.begin(client, key),
        max_age=sessions.LIFETIME_S,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request, backend: OpenBackend) -> Response:
    """End the session here and in the browser."""
    if token := request.cookies.get(COOKIE):
        if key := sessions.key_of(backend.client(), token):
            _audit(request, backend.client(), key, "signed_out")
        sessions.end(backend.client(), token)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _audit(request: Request, client: Client, key: ApiKey, code: str) -> None:
    address = request.client.host if request.client else ""
    actor = Actor(by=key.name or key.id, key_id=key.id, address=address)
    audit.write(client, actor.deed(code))
