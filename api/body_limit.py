"""Refuses bodies: encoded, too large (by their announced length or while counting), or no JSON."""

from typing import Any

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, answer
from vtox.settings import Settings

# Beside the samples of a window, a body holds names, numbers and punctuation.
ROOM_BYTES = 64 << 10


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `receive` that counts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = body_bytes(scope["app"].state.backend.settings)
        announced = headers.get("content-length", "")
        encoding = headers.get("content-encoding", "")
        if encoding.lower() not in ("", "identity"):
            await answer(scope["path"], _encoded(encoding))(scope, receive, send)
            return
        if announced.isdigit() and int(announced) > most:
            await answer(scope["path"], _too_large(most))(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > most:
                raise _too_large(most)
            return message

        await self.app(scope, counted, send)


def body_bytes(settings: Settings) -> int:
    """Return how large a body may be: as a window of the largest size is in base64."""
    return -(-settings.max_window_bytes // 3) * 4 + ROOM_BYTES


def _announced_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json", f"Content-Type: {kind}, expected application/json")


# Dependency of the routes that take a body; where nothing is announced, JSON is assumed.
JSON_BODY: list[Any] = [Depends(_announced_json)]


def _too_large(most: int) -> Problem:
    return Problem(
        413,
        "body_too_large",
        f"the body is larger than {most} bytes (VTOX_MAX_WINDOW_BYTES in base64): send shorter "
        "windows, or base64 of dtype i2",
    )


def _encoded(encoding: str) -> Problem:
    return Problem(
        415,
        "encoded",
        f"Content-Encoding: {encoding[:40]}, expected none: send the body as it is; base64 of "
        "dtype i2 is less than half of the text",
        headers={"Accept-Encoding": "identity"},
    )
