"""Signing in and out on the pages: a session takes the place of a key, or of a provider's word."""

from math import ceil
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.http.errors import STATUS_OF_SIGN_IN, Problem, not_found
from api.http.foreign_sites import OWN_SITES
from api.http.json_route import require_type
from api.http.sign_in import local_path, sign_in_page, signed_in_page
from api.routes.system import OpenBackend
from api.state.auth import COOKIE, key_of_text
from api.state.backend import Backend
from api.state.errors import SignInRefused
from api.state.sign_in_attempt import LIFETIME_S, SignIn, not_begun
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.own_fields import make_secret
from vtox.pipeline.store.system import audit, sessions
from vtox.pipeline.store.system.apikeys import ApiKey
from vtox.pipeline.store.system.audit import Actor
from vtox.pipeline.store.system.sessions import Person
from vtox.pipeline.store.system.wrong_keys import WrongKeys

if TYPE_CHECKING:
    from api.state.provider import Provider

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)

FORM_MAX_BYTES = 4096
CALLBACK = "/sign-in/callback"
# One for each sign-in at the provider: several tabs may sign in at once.
WAY_COOKIE = "vtox_signin_"
# Refusals that count as failed attempts; a provider that is busy or away causes none.
FAILURES = frozenset({"not_begun", "not_trusted", "provider_refused", "sign_in_waits"})
# Refusals before the provider was asked: the same way is open later.
STILL_OPEN = frozenset({"provider_busy", "sign_in_waits"})
# A place is free within seconds, and the page comes back by itself.
TRY_AGAIN = {"Refresh": "3", "Retry-After": "3"}


async def _form_text(request: Request) -> str:
    """Return the body of a form, which is short."""
    require_type(request, "application/x-www-form-urlencoded", "not_a_form")
    body = await request.body()
    if len(body) > FORM_MAX_BYTES:
        raise Problem("body_too_large", f"the form is larger than {FORM_MAX_BYTES} bytes")
    return body.decode("utf-8", "replace")


@router.post("/sign-in")
def sign_in(
    request: Request, text: Annotated[str, Depends(_form_text)], backend: OpenBackend
) -> Response:
    """Begin a session, and go on to the page that was wanted."""
    form = {name: values[0] for name, values in parse_qs(text).items()}
    wanted = local_path(form.get("wanted", "/"))
    try:
        key = key_of_text(request, form.get("key", "").strip())
    except Problem as problem:
        why = "key_unknown" if problem.status_code == 401 else "key_waits"
        status, headers = problem.status_code, problem.headers
        return sign_in_page(request, status, wanted=wanted, why=why, headers=headers)
    if not key.allows("read"):
        return sign_in_page(request, 403, wanted=wanted, why="key_may_not_read")
    backend.keys.note_use(key.id)
    client = backend.client()
    _audit(request, client, key, "signed_in")
    _end_session(request, backend)
    return _with_session(request, RedirectResponse(wanted, 303), sessions.begin(client, key))


@router.get("/sign-in/provider")
async def to_provider(request: Request, backend: OpenBackend, wanted: str = "/") -> Response:
    """Send the browser to the provider; its cookie carries the data for the way back.

    The session that the browser has ends here: no browser sends it on the way back.
    """
    provider = _provider(backend)
    if request.headers.get("sec-fetch-site", "none") not in OWN_SITES:
        # A provider that knows the person asks nothing: another site would begin the session.
        return sign_in_page(request, 200, wanted=wanted)
    secret, now_s = await run_in_threadpool(_secret_and_time, backend)
    attempt = SignIn.begin(local_path(wanted), now_s)
    try:
        async with provider.signing_in():
            url = await provider.sign_in_url(attempt, _callback(request))
    except SignInRefused as refused:
        return await _refused(request, refused, attempt.wanted)
    await run_in_threadpool(_end_session, request, backend)
    answer = RedirectResponse(url, 303)
    answer.headers["Cache-Control"] = "no-store"
    answer.set_cookie(
        _way_cookie(attempt.state),
        attempt.cookie(secret),
        max_age=LIFETIME_S,
        path="/sign-in",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",  # sent where another site leads the browser here
    )
    return answer


@router.get(CALLBACK)
async def from_provider(
    request: Request, backend: OpenBackend, state: str = "", code: str = "", error: str = ""
) -> Response:
    """Begin the session of the person whom the provider has signed in."""
    provider, wanted = _provider(backend), "/"
    try:
        _require_few_failures(request, state)
        attempt = await run_in_threadpool(_begun, request, state)
        wanted = local_path(attempt.wanted)
        if not code:
            raise _provider_refusal(backend, error)
        async with provider.signing_in():
            _require_few_failures(request, state)  # others may have failed since
            await run_in_threadpool(_use, request, attempt)
            person = await provider.person(attempt, code, _callback(request))
        token = await run_in_threadpool(_session_of, request, person)
        answer: Response = _with_session(request, signed_in_page(request, wanted), token)
    except SignInRefused as refused:
        if refused.code in FAILURES:
            backend.failed_sign_ins.note(_address(request), state)
        answer = await _refused(request, refused, wanted)
        if refused.code in STILL_OPEN:
            return answer
    answer.delete_cookie(_way_cookie(state), path="/sign-in", httponly=True, samesite="lax")
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, backend: OpenBackend) -> Response:
    """End the session here and in the browser; lead a person to the sign-out of the provider."""
    answer: Response = RedirectResponse("/", 303)
    key = await run_in_threadpool(_end_session, request, backend)
    if key and backend.provider and not key.sha256:
        url = await backend.provider.sign_out_url(str(request.base_url))
        answer = sign_in_page(request, 200, wanted="/", why="signed_out", sign_out_url=url)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _end_session(request: Request, backend: Backend) -> ApiKey | None:
    """End the session of a browser; return its key."""
    token, client = request.cookies.get(COOKIE, ""), backend.client()
    key = sessions.key_of(client, token, backend.settings.oidc.issuer) if token else None
    if key:
        _audit(request, client, key, "signed_out")
    if token:
        sessions.end(client, token)
    return key


def _provider(backend: Backend) -> "Provider":
    if backend.provider is None:
        raise not_found("people sign in with keys here: VTOX_OIDC__ISSUER is not set")
    return backend.provider


def _callback(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{CALLBACK}"


def _way_cookie(state: str) -> str:
    return WAY_COOKIE + "".join(c for c in state[:8] if c.isascii() and (c.isalnum() or c in "-_"))


def _require_few_failures(request: Request, state: str) -> None:
    """Refuse an address from which many sign-ins failed in this minute."""
    failed: WrongKeys = request.app.state.backend.failed_sign_ins
    if wait_s := failed.wait_s(_address(request), state):
        text = f"many sign-ins of {_address(request)} failed"
        raise SignInRefused("sign_in_waits", text, wait_s=f"{ceil(wait_s)}")


def _begun(request: Request, state: str) -> SignIn:
    secret, now_s = _secret_and_time(request.app.state.backend)
    return SignIn.from_cookie(request.cookies.get(_way_cookie(state), ""), state, secret, now_s)


def _secret_and_time(backend: Backend) -> tuple[bytes, float]:
    """Return the secret that signs the cookie, and the time now: the same for all processes."""
    return make_secret(backend.client()), backend.now_s()


def _use(request: Request, attempt: SignIn) -> None:
    if not sessions.use_once(request.app.state.backend.client(), attempt.state, LIFETIME_S):
        raise not_begun()


def _session_of(request: Request, person: Person) -> str:
    """Begin the session of a person; return the value of its cookie."""
    backend: Backend = request.app.state.backend
    client, host = backend.client(), backend.settings.oidc.host
    _audit(request, client, person.key, "signed_in_at", provider=host, subject=person.subject)
    return sessions.begin(client, person)


def _provider_refusal(backend: Backend, error: str) -> SignInRefused:
    host = backend.settings.oidc.host
    why = "".join(c for c in error[:80] if c.isprintable()) or "no code"
    text = f"{host} did not sign the person in: {why}"
    return SignInRefused("provider_refused", text, host=host, error=why)


async def _refused(request: Request, refused: SignInRefused, wanted: str) -> Response:
    log.warning("a person is not signed in", reason=str(refused), code=refused.code)
    backend: Backend = request.app.state.backend
    url = ""
    if refused.code == "no_role" and backend.provider:
        # Without a sign-out, the provider would send back the same person.
        url = await backend.provider.sign_out_url(str(request.base_url))
    return sign_in_page(
        request,
        STATUS_OF_SIGN_IN[refused.code],
        wanted=wanted,
        why=refused.code,
        values=refused.values,
        sign_out_url=url,
        headers=_headers(refused),
    )


def _headers(refused: SignInRefused) -> dict[str, str] | None:
    if refused.code == "sign_in_waits":
        return {"Retry-After": refused.values["wait_s"]}
    return TRY_AGAIN if refused.code == "provider_busy" else None


def _with_session(request: Request, answer: Response, token: str) -> Response:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=sessions.LIFETIME_S,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


def _audit(request: Request, client: Client, key: ApiKey, code: str, **values: str) -> None:
    actor = Actor(by=key.name or key.id, key_id=key.id, address=_address(request))
    audit.write(client, actor.deed(code, "", **values))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
