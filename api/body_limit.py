"""Refuses bodies that are encoded, too large (announced or counted), or not JSON."""

from typing import Any

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, problem_response
from vtox.settings import Settings

# Room for what a body holds besides the samples: names, numbers and punctuation.
ENVELOPE_BYTES = 64 << 10


class BodyLimit:
    """ASGI middleware: refuses a body before or while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a `receive` that counts its bytes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = max_body_bytes(scope["app"].state.backend.settings)
        announced = headers.get("content-length", "")
        encoding = headers.get("content-encoding", "")
        if encoding.lower() not in ("", "identity"):
            await problem_response(scope["path"], _encode(encoding))(scope, receive, send)
            return
        if announced.isdigit() and int(announced) > limit:
            await problem_response(scope["path"], _too_large(limit))(scope, receive, send)
            return
        received = 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self.app(scope, receive_counting, send)


def max_body_bytes(settings: Settings) -> int:
    """Return the largest body: a window of the largest size in base64, and its envelope."""
    return -(-settings.max_window_bytes // 3) * 4 + ENVELOPE_BYTES


def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise Problem("not_json", f"Content-Type: {kind}, expected application/json")


# Dependency of the routes that take a body; without a Content-Type, JSON is assumed.
JSON_BODY: list[Any] = [Depends(_require_json)]


def _too_large(limit: int) -> Problem:
    return Problem(
        "body_too_large",
        f"the body is larger than {limit} bytes (VTOX_MAX_WINDOW_BYTES in base64): send shorter "
        "windows, or base64 of dtype i2",
    )


def _encode(encoding: str) -> Problem:
    return Problem(
        "encoded",
        f"Content-Encoding: {encoding[:40]}, expected none: send the body as it is; base64 of "
        "dtype i2 is less than half of the text",
        headers={"Accept-Encoding": "identity"},
    )
