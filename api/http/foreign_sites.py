"""Refuses what the page of another site makes a browser send: to read, or to write, here.

Two ways lead in. A name of the other site that is made to resolve to this address (DNS rebinding)
turns its page into one of ours, by name: the Host header gives it away, for an address by number
cannot be rebound. And any page may send forms and bodies here without reading the answer: the
browser marks such a request by Sec-Fetch-Site and Origin.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.errors import Problem, problem_response
from api.http.http_methods import SAFE_METHODS
from api.http.local_requests import is_local
from vtox.cluster.host_names import is_own_name
from vtox.configuration.settings import Settings
from vtox.store.system import apikeys

OWN_SITES = ("same-origin", "none")  # `none`: typed by a person, or sent by a program


class ForeignSites:
    """ASGI middleware: refuses foreign names of this host, and writes from foreign pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            problem = _host_problem(scope, headers) or _origin_problem(headers, scope["method"])
            if problem:
                await problem_response(scope["path"], problem)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host_problem(scope: Scope, headers: Headers) -> Problem | None:
    """Return the refusal of a name that is not ours; where keys are required, they protect."""
    settings: Settings = scope["app"].state.backend.settings
    host = headers.get("host", "")
    names = {settings.api_host, *settings.allowed_hosts}
    if apikeys.required(settings) or is_own_name(host, names) or not is_local(scope):
        return None
    return Problem(
        "foreign_host",
        f"Host: {host[:80]!r} is not a name of this service: add it to VTOX_API_ALLOWED_HOSTS, or "
        "use localhost or the address by number",
    )


def _origin_problem(headers: Headers, method: str) -> Problem | None:
    if method in SAFE_METHODS:
        return None
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    same_origin = origin is None or urlsplit(origin).netloc == headers.get("host")
    if (site is None or site in OWN_SITES) and same_origin:
        return None
    return Problem(
        "foreign_site", f"a page of {origin or 'another site'} may not send {method} requests here"
    )
