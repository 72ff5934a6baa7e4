"""Refuses requests beyond what the process can hold at once, instead of letting all wait."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.errors import Problem, problem_response

# Forty threads serve them; each request may hold a window of some megabytes.
MAX_REQUESTS = 200
# A supervisor must not take a busy process for one that hangs.
ALWAYS = "/health/live"


class Busy:
    """ASGI middleware: counts the requests in progress, but those whose body still arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer `too_busy`."""
        if scope["type"] != "http" or scope["path"] == ALWAYS:
            await self.app(scope, receive, send)
            return
        if self._in_progress >= MAX_REQUESTS:
            detail = f"{MAX_REQUESTS} requests are in progress: send the same again later"
            problem = Problem("too_busy", detail, headers={"Retry-After": "1"})
            await problem_response(scope["path"], problem)(scope, receive, send)
            return

        complete = False

        async def receive_uncounted() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            self._in_progress -= 1
            try:
                message = await receive()
            finally:
                self._in_progress += 1
            complete = not message.get("more_body", False)
            return message

        self._in_progress += 1
        try:
            await self.app(scope, receive_uncounted, send)
        finally:
            self._in_progress -= 1
