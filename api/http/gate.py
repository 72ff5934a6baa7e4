"""The checks of each request on its way in, and of each answer on its way out, in one place.

On the way in: not too many at once, none from pages of other sites, bodies within their limits
(`body_limit`), HEAD as GET, lists as tables (`tables`). On the way out: the language of the answer,
and the headers that every browser gets, be it with a page, JSON, a picture or an error.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.body_limit import ArrivingBody
from api.http.errors import Problem, problem_response
from api.http.foreign_sites import foreign_problem
from api.http.language import READER, Addressee, request_language, set_language
from api.http.tables import Tables

# Forty threads serve them; each request may hold a window of some megabytes.
MAX_REQUESTS = 200
# A supervisor must not take a busy process for one that hangs.
ALWAYS = "/health/live"
HEADERS = [
    # No script or style but our own files, no form to elsewhere, no frame around us.
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        b"form-action 'self'; frame-ancestors 'none'",
    ),
    # `no-referrer` would make browsers send `Origin: null` with our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
HTTPS_HEADERS = [*HEADERS, (b"strict-transport-security", b"max-age=31536000")]


class Gate:
    """ASGI middleware around all others, including the one that answers a failure of VTOX."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._tables = Tables(app)
        self._arriving: set[ArrivingBody] = set()
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, method = Headers(scope=scope), scope["method"]
        body = ArrivingBody(scope, headers, receive, self._arriving)
        reader = Addressee(request_language(Request(scope)))
        token = READER.set(reader)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = MutableHeaders(scope=message)
                if not body.complete and not await body.drain():
                    # The rest of the body must not keep the connection open.
                    added["Connection"] = "close"
                if reader.used:
                    set_language(added, reader.language)
                ours = HTTPS_HEADERS if scope.get("scheme") == "https" else HEADERS
                message["headers"] = [*message.get("headers", ()), *ours]
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        app: ASGIApp = self.app
        problem = foreign_problem(scope, headers)
        busy = self._requests - len(self._arriving)  # a body that arrives needs no thread
        if busy >= MAX_REQUESTS and scope["path"] != ALWAYS:
            detail = f"{MAX_REQUESTS} requests are in progress: send the same again later"
            problem = Problem("too_busy", detail, headers={"Retry-After": "1"})
        if problem:
            app = problem_response(scope["path"], problem)
        elif method in ("GET", "HEAD"):
            scope = {**scope, "method": "GET"}
            app = self._tables if b"format=csv" in scope["query_string"] else app
        self._requests += 1
        try:
            await app(scope, body.receive, send_with_headers)
        finally:
            self._requests -= 1
            self._arriving.discard(body)
            READER.reset(token)
