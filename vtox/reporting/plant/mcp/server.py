"""The MCP server over `Tools`: by standard input and output, or by HTTP with the caller's key."""

from collections.abc import Callable
from functools import lru_cache, wraps
from inspect import Parameter, signature
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations

from vtox.motor.errors import VtoxError
from vtox.pipeline.configuration.version import version
from vtox.reporting.plant.mcp.tools import INSTRUCTIONS, TOOLS, Tools
from vtox.reporting.plant.status_api import StatusApi

# The addresses of this host by which a client of it comes.
LOCAL = ("127.0.0.1", "::1")
# Readers of the API that are kept open, one for each key and address.
KEYS_AT_ONCE = 32
_READ_ONLY = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_NO_KEY = "send an API key of VTOX with scope `read` as Bearer token (Authorization)"


def serve_stdio(api: StatusApi) -> None:
    """Serve the program that started this one, until it closes standard input."""
    _server(lambda _: api).run("stdio")


def serve_http(url: str, host: str, port: int) -> None:
    """Serve until stopped: a client may read only the data that its key may read at the API."""

    @lru_cache(KEYS_AT_ONCE)
    def reader(key: str, caller: str) -> StatusApi:
        return StatusApi(url, key, caller=caller)

    def api_of(context: Context[Any, Any]) -> StatusApi:
        kind, _, key = (context.headers or {}).get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not key.strip():
            raise ToolError(_NO_KEY)
        api = reader(key.strip(), _caller(context))
        # Each time: the API may ask for keys since then, and a key may have got other scopes.
        api.require_reader()
        return api

    server = _server(api_of)
    server.run("streamable-http", host=host, port=port, stateless_http=True, json_response=True)


def _caller(context: Context[Any, Any]) -> str:
    """Return the address of a client elsewhere; empty for one of this host, as the API has it."""
    client = getattr(context.request_context.request, "client", None)
    return "" if client is None or client.host in LOCAL else str(client.host)


def _server(api_of: Callable[[Context[Any, Any]], StatusApi]) -> MCPServer[Any]:
    """Return the server; `api_of` says by which reader a call is answered."""
    server: MCPServer[Any] = MCPServer(
        "vtox", title="VTOX", instructions=INSTRUCTIONS, version=version(), log_level="WARNING"
    )
    for name in TOOLS:
        server.add_tool(_tool(name, api_of), annotations=_READ_ONLY, structured_output=True)
    return server


def _tool(name: str, api_of: Callable[[Context[Any, Any]], StatusApi]) -> Callable[..., Any]:
    """Return a tool as the SDK wants it: with a context and the parameters of its signature."""
    method = getattr(Tools, name)

    @wraps(method)
    def tool(context: Context[Any, Any], **given: Any) -> Any:
        try:
            api = api_of(context)
            return method(Tools(lambda: api), **given)
        except VtoxError as error:
            raise ToolError(str(error)) from error

    shape = signature(method)
    _, *parameters = shape.parameters.values()
    own = Parameter("context", Parameter.KEYWORD_ONLY, annotation=Context)
    tool.__signature__ = shape.replace(parameters=[*parameters, own])  # type: ignore[attr-defined]
    tool.__annotations__ = method.__annotations__ | {"context": Context}
    return tool
