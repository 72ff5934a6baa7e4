"""Refuses requests that the page of another site makes a browser send, to read or to write here.

Two ways lead in. A name of the other site that is made to resolve to this address (DNS rebinding)
turns its page into one of ours, by name: the Host header gives it away, for an address by number
cannot be rebound. And any page may send forms and bodies here without reading the answer: the
browser marks such a request by Sec-Fetch-Site and Origin.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from api.http.errors import Problem
from api.http.http_methods import SAFE_METHODS
from api.http.local_requests import is_local
from vtox.pipeline.cluster.host_names import is_own_name

OWN_SITES = ("same-origin", "none")  # `none`: typed by a person, or sent by a program


def foreign_problem(scope: Scope, headers: Headers) -> Problem | None:
    """Return why a request is refused: a foreign name of this host, or a foreign page that writes.

    If keys are required, they protect from foreign names.
    """
    backend, host = scope["app"].state.backend, headers.get("host", "")
    if not (backend.needs_keys or is_own_name(host, backend.own_names)) and is_local(scope):
        return Problem(
            "foreign_host",
            f"Host: {host[:80]!r} is not a name of this service: add it to "
            "VTOX_API_ALLOWED_HOSTS, or use localhost or the address by number",
        )
    method, site, origin = scope["method"], headers.get("sec-fetch-site"), headers.get("origin")
    same_origin = origin is None or urlsplit(origin).netloc == host
    if method in SAFE_METHODS or (site in (None, *OWN_SITES) and same_origin):
        return None
    return Problem(
        "foreign_site", f"a page of {origin or 'another site'} may not send {method} requests here"
    )
