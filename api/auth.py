"""API keys of requests: `X-API-Key`, Bearer token, or for the pages a cookie that only reads."""

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

from api.backend import Backend
from api.errors import Problem
from vtox.errors import ServerUnavailable
from vtox.store import apikeys
from vtox.store.apikeys import Scope

COOKIE = "vtox_key"
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="`vtox keys create`")
_bearer = HTTPBearer(auto_error=False, description="The same key as a Bearer token")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="For the pages; GET only")


def require_key(
    request: Request,
    needed: SecurityScopes,
    header: Annotated[str | None, Security(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> None:
    """Let the request pass, or raise the problem `unauthorized` or `forbidden`."""
    backend: Backend = request.app.state.backend
    if not apikeys.required(backend.settings):
        return
    text = header or (bearer.credentials if bearer else None)
    # Another site's page can make a browser send our cookie: it must not change anything.
    if text is None and request.method == "GET":
        text = cookie
    if not text:
        raise _unauthorized("send an API key in X-API-Key or as a Bearer token")
    key = apikeys.verify(backend.client(), text)
    if key is None:
        raise _unauthorized("this API key is unknown or revoked")
    request.state.key_id = key.id
    for scope in needed.scopes:
        if not key.allows(cast(Scope, scope)):
            detail = f"this needs scope {scope!r}, the key has {key.scope!r}"
            raise Problem("forbidden", detail)


def may_read(
    request: Request,
    header: Annotated[str | None, Depends(_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: Annotated[str | None, Depends(_cookie)],
) -> bool:
    """Return whether the request may read; for routes that show less to others."""
    try:
        require_key(request, SecurityScopes(["read"]), header, bearer, cookie)
    except (Problem, ServerUnavailable, redis.RedisError):
        return False
    return True


def needs(scope: Scope) -> list[Any]:
    """Return the dependency of routes that need a key with `scope`."""
    dependency: params.Depends = Security(require_key, scopes=[scope])
    return [dependency]


def _unauthorized(detail: str) -> Problem:
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
