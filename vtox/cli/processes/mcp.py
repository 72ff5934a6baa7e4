"""`vtox mcp`: lets assistants ask about the fleet, and change nothing."""

from typing import Annotated

import typer

from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.cluster.ports import base_url
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.version import install_command
from vtox.reporting.plant.status_api import StatusApi


def mcp(
    url: Annotated[
        str, typer.Argument(metavar="[URL]", help="The API of VTOX, by default this host's.")
    ] = "",
    http: Annotated[
        bool,
        typer.Option(
            "--http", help="Serve over HTTP at VTOX_MCP_PORT, with each client's own key."
        ),
    ] = False,
) -> None:
    """Serve the Model Context Protocol, read-only, to the program that starts this command.

    It reads the API by VTOX_API_KEY, which may have scope `read` alone. `vtox up` runs `vtox mcp
    --http` if VTOX_MCP_PORT is set.
    """
    logging_setup.setup("mcp")
    # Not at the top: an extra, which other commands do not need.
    try:
        from vtox.reporting.plant.mcp import server
    except ImportError as error:
        raise SystemStateError(
            f"{error.name} is not installed", remedy=install_command("mcp")
        ) from error
    settings = load()
    where = url or base_url(settings.api_host, settings.api_port)
    if http:
        port = settings.mcp_port
        if port is None:
            raise SystemStateError("VTOX_MCP_PORT is not set", remedy="set the port to listen at")
        server.serve_http(where, settings.api_host, port)
        return
    api = StatusApi(where, settings.api_key or "")
    api.require_reader()
    server.serve_stdio(api)
    api.close()
