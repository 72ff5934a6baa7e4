"""HTTP methods: the ones that change nothing, and the full Allow header for one not allowed."""

from starlette.requests import Request
from starlette.routing import Match

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def allowed_methods(request: Request) -> str:
    """Return the methods that the address of a request takes, as the Allow header names them."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    methods = [method for method in _METHODS if takes(method)]
    return ", ".join(sorted([*methods, "HEAD"] if "GET" in methods else methods))
