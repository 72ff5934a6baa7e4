"""Permissions: API keys by `X-API-Key` or as Bearer token, and sessions for the pages.

Requests need a key as soon as one exists, in production always, and if they may come from another
host.
"""

from collections.abc import Callable
from math import ceil
from typing import Annotated, Any, cast

import redis
from fastapi import Depends, Request, Security, params
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    HTTPAuthorizationCredentials,
    HTTPBearer,
    SecurityScopes,
)

from api.http.errors import Problem
from api.http.http_methods import SAFE_METHODS
from api.http.local_requests import is_local
from api.state.backend import Backend
from api.state.people import person_of
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.system import apikeys, sessions
from vtox.pipeline.store.system.apikeys import ApiKey, Scope, without_admin

COOKIE = "vtox_session"
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="`vtox keys create`")
_bearer = HTTPBearer(auto_error=False, description="The same key as a Bearer token")
_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description="The session of a page, which changes nothing that needs `admin`; to change "
    "anything, the request needs the Origin of this service",
)


def require_key(
    request: Request,
    needed: SecurityScopes,
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> None:
    """Let the request pass, or raise the problem `unauthorized` or `forbidden`."""
    backend: Backend = request.app.state.backend
    if not backend.needs_keys and not backend.keys.exist():
        if is_local(request.scope):
            return
        raise _unauthorized(
            "an API key is needed where other hosts or a proxy can reach this service, and none "
            f"exists yet: {apikeys.MAKE_ONE}"
        )
    text = header or (bearer.credentials if bearer else None)
    key = key_of_text(request, text) if text else _key_of_session(request, backend, cookie)
    key = person_of(request, key, backend.settings.api_proxy_headers)
    request.state.key_id, request.state.key_name = key.id, key.name or key.id
    request.state.may_operate = key.allows("operate")
    request.state.may_engineer = key.allows("engineer")
    if key.sha256:  # a person whom the provider signed in has no key
        backend.keys.note_use(key.id)
    machine_id = request.path_params.get("machine_id", "")
    for scope in needed.scopes:
        if not key.allows(cast(Scope, scope), machine_id):
            needs = f"{scope!r}" + (f" for machine {machine_id}" if machine_id else "")
            detail = f"this needs scope {needs}, the key has {', '.join(key.scopes) or 'none'}"
            raise Problem("forbidden", detail)


async def reading_permission(
    request: Request,
    header: Annotated[str | None, Depends(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> Callable[[], bool]:
    """Return a check whether the request may read; for routes that show others less."""

    def may_read() -> bool:
        try:
            require_key(request, SecurityScopes(["read"]), header, bearer, cookie)
        except (Problem, ServerUnavailable, redis.RedisError):
            return False
        return True

    return may_read


def needs_no_key(request: Request) -> bool:
    """Return whether all may read here, by the last known state of the keys."""
    backend: Backend = request.app.state.backend
    return not (backend.needs_keys or backend.keys.last_answer()) and is_local(request.scope)


def needs(scope: Scope) -> list[Any]:
    """Return the dependency of routes that need a key with `scope`."""
    dependency: params.Depends = Security(require_key, scopes=[scope])
    return [dependency]


def key_of_text(request: Request, text: str) -> ApiKey:
    """Return the key that a client sent, or raise `unauthorized` or `too_many_requests`."""
    backend: Backend = request.app.state.backend
    address = request.client.host if request.client else ""
    key, wait_s = backend.wrong_keys.verify(backend.client, address, text)
    if key is not None:
        return key
    if wait_s:
        detail = "too many wrong API keys came from this address: wait before you send another"
        raise Problem("too_many_requests", detail, headers={"Retry-After": f"{ceil(wait_s)}"})
    raise _unauthorized("this API key is unknown, revoked or expired")


def _key_of_session(request: Request, backend: Backend, cookie: str | None) -> ApiKey:
    if not cookie:
        raise _unauthorized("send an API key in X-API-Key or as a Bearer token")
    # Browsers send the cookie with any request that a page makes them send; the gate has refused
    # any other Origin than ours.
    if request.method not in SAFE_METHODS and "origin" not in request.headers:
        raise Problem("foreign_site", f"{request.method} with a session needs an Origin header")
    key = sessions.key_of(backend.client(), cookie, backend.settings.oidc.issuer)
    if key is None:
        raise _unauthorized("this session has ended: sign in again")
    # A request that a browser can be made to send must not change machines.
    return key if request.method in SAFE_METHODS else without_admin(key)


def _unauthorized(detail: str) -> Problem:
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
