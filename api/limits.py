"""Refuses bodies: too large, by their announced length or while counting, or no JSON."""

from typing import Any

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, answer

BODY_BYTES = 8 << 20


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `receive` that counts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > BODY_BYTES:
            await answer(scope["path"], _too_large())(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > BODY_BYTES:
                raise _too_large()
            return message

        await self.app(scope, counted, send)


def _announced_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json", f"Content-Type: {kind}, expected application/json")


# Dependency of the routes that take a body; where nothing is announced, JSON is assumed.
JSON_BODY: list[Any] = [Depends(_announced_json)]


def _too_large() -> Problem:
    return Problem(
        413,
        "body_too_large",
        f"the body is larger than {BODY_BYTES} bytes: send shorter windows, or base64 of dtype i2",
    )
