"""People whom a proxy has signed in: it sends its own API key, and names them in headers.

The roles of its groups are those of an OIDC provider, too.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from fastapi import Request

from api.http.errors import Problem
from api.http.http_methods import SAFE_METHODS
from api.schemas.common import NAME_MAX
from vtox.pipeline.store.system.apikeys import ApiKey, Scope, without_admin

# Group -> scope, the widest first.
ROLES: dict[str, Scope] = {
    "vtox-admin": "admin",
    "vtox-engineer": "engineer",
    "vtox-operator": "operate",
    "vtox-viewer": "read",
}
_BETWEEN = re.compile(r"[,;|\s]+")


def person_of(request: Request, key: ApiKey, header_names: str) -> ApiKey:
    """Return the key of a proxy as that of the person it names; any other key as it is.

    The person has the scopes of the role of its groups, and no more than the proxy's key. If no
    header for groups is set, it has the scopes of that key.

    Raises `Problem`: the proxy names no person, the person is in no group, or no page of ours makes
    the request.
    """
    if "proxy" not in key.scopes:
        return key
    user_header, _, group_header = header_names.replace(",", " ").strip().partition(" ")
    if not user_header:
        raise _unauthorized("this key is of a proxy, and VTOX_API_PROXY_HEADERS is not set")
    name = _text(request, user_header).strip()
    if not (name and name.isprintable() and len(name) <= NAME_MAX):
        expected = f"expected the name of a person, 1 to {NAME_MAX} printable characters"
        raise _unauthorized(f"{user_header}: {name[:80]!r}, {expected}")
    groups = _BETWEEN.split(_text(request, group_header.strip()))
    role = _role(key, groups) if group_header else None
    scopes = (role,) if role else tuple(s for s in key.scopes if s not in ("proxy", "ingest"))
    person = replace(key, name=name, scopes=scopes)
    if request.method in SAFE_METHODS:
        return person
    # The proxy passes on any request that a page makes a browser send. The gate refuses any other
    # Origin than ours.
    if "origin" not in request.headers:
        raise Problem("foreign_site", f"{request.method} through a proxy needs an Origin header")
    return without_admin(person)


def scopes_of(groups: Iterable[str]) -> list[Scope]:
    """Return the scopes that groups give, the widest first; `/vtox-admin` is a path of Keycloak."""
    known = {group.removeprefix("/") for group in groups}
    return [scope for group, scope in ROLES.items() if group in known]


def _role(key: ApiKey, groups: Iterable[str]) -> Scope:
    """Return the widest scope that both the groups and the key of the proxy have."""
    named = scopes_of(groups)
    if not named:
        expected = f"expected one of {', '.join(ROLES)}"
        raise Problem("forbidden", f"this person is in no group of VTOX, {expected}")
    of_groups = replace(key, scopes=tuple(named))
    for scope in ROLES.values():
        if key.allows(scope) and of_groups.allows(scope):
            return scope
    raise Problem("forbidden", "the key of the proxy may not read")


def _text(request: Request, header: str) -> str:
    """Return a header that the proxy wrote in UTF-8, which HTTP passes on byte by byte."""
    return request.headers.get(header, "").encode("latin-1").decode("utf-8", "replace")


def _unauthorized(detail: str) -> Problem:
    return Problem("unauthorized", detail)
