"""Signing in and out on the pages: a form posts the key once, a session takes its place."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from api.auth import COOKIE, key_of_text
from api.body import form_text
from api.errors import Problem
from api.routes.system import OpenBackend
from api.sign_in import local_path, sign_in_page
from vtox.store import sessions

router = APIRouter(include_in_schema=False)


@router.post("/sign-in")
def sign_in(
    request: Request, text: Annotated[str, Depends(form_text)], backend: OpenBackend
) -> Response:
    """Begin a session, and go on to the page that was wanted."""
    form = {name: values[0] for name, values in parse_qs(text).items()}
    wanted = local_path(form.get("wanted", "/"))
    try:
        key = key_of_text(backend, form.get("key", "").strip())
    except Problem:
        return sign_in_page(request, 401, wanted=wanted, why="key_unknown")
    if not key.allows("read"):
        return sign_in_page(request, 403, wanted=wanted, why="key_may_not_read")
    backend.keys.note_use(key.id)
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        COOKIE,
        sessions.begin(backend.client(), key),
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
        sessions.end(backend.client(), token)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
