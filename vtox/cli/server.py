"""`vtox server`: the embedded server alone, for those who start the processes themselves."""

import signal
import threading
import time
from typing import Annotated

import typer

from vtox.cluster import logging_setup
from vtox.cluster.embedded_server import READY_S, EmbeddedServer
from vtox.cluster.processes import server_answers
from vtox.errors import ServerUnavailable, SettingsError
from vtox.settings import Settings, load

LOOK_S = 0.2


def server(
    wait: Annotated[
        bool, typer.Option("--wait", help="Start nothing; return when the server answers.")
    ] = False,
) -> None:
    """Run the embedded Valkey server until stopped. `vtox up` does this for you."""
    settings = load()
    if wait:
        _wait(settings)
        return
    if settings.redis_url:
        raise SettingsError("VTOX_REDIS_URL is set: that server is used, there is none to start")
    logging_setup.setup("server")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with EmbeddedServer(settings) as running:
        port = running.address.port
        running.log.info("server ready", extra={"port": port, "data": str(settings.data_dir)})
        while not stop.wait(LOOK_S):
            if not running.alive():
                running.log.error("the embedded server ended unexpectedly")
                raise typer.Exit(1)


def _wait(settings: Settings) -> None:
    deadline = time.monotonic() + READY_S
    while not server_answers(settings):
        if time.monotonic() > deadline:
            raise ServerUnavailable(f"no server has answered within {READY_S:g} s")
        time.sleep(LOOK_S)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(server)
