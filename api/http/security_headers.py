"""What every answer tells a browser, be it a page, JSON, a picture or an error."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class SecurityHeaders:
    """ASGI middleware around all others: adds `HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with the headers."""
        added = HTTPS_HEADERS if scope.get("scheme") == "https" else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self.app(scope, receive, send_with_headers)
