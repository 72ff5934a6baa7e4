"""`vtox server`: the embedded server alone, for users who start the processes themselves."""

import logging
import threading
import time
from typing import Annotated

import typer

from vtox.pipeline.cluster import log_repair, logging_setup
from vtox.pipeline.cluster.embedded_server import START_TIMEOUT_S, EmbeddedServer
from vtox.pipeline.cluster.signal_handlers import stop_event
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerKilled, ServerUnavailable, SettingsError
from vtox.pipeline.store.server.client import check_when_loaded, connect

POLL_S = 0.2


def server(
    wait: Annotated[
        bool, typer.Option("--wait", help="Start nothing; return when the server responds.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Start nothing; copy a damaged log, then cut it.")
    ] = False,
) -> None:
    """Run the embedded Valkey server until stopped. `vtox up` does this for you."""
    settings = load()
    if repair:
        copy, cut_bytes = log_repair.repair(settings)
        typer.echo(f"{cut_bytes} bytes cut from the damage on; a copy of the log is in {copy}")
        return
    if wait:
        _wait(settings)
        return
    if settings.redis_url:
        raise SettingsError(
            "VTOX_REDIS_URL is set, so no embedded server is started",
            remedy="remove it to use the embedded server",
        )
    logging_setup.setup("server")
    try:
        _serve(settings, stop_event())
    except ServerKilled as error:
        logging.getLogger("vtox.cli.processes.server").error("%s", error)
        # Not the status of a server that cannot start as configured: it may be started again.
        raise typer.Exit(1) from error


def _serve(settings: Settings, stop: threading.Event) -> None:
    with EmbeddedServer(settings) as running:
        port = running.address.port
        running.log.info("server ready", extra={"port": port, "data": str(settings.data_dir)})
        while not stop.wait(POLL_S):
            if not running.alive():
                running.log.error("the embedded server ended unexpectedly")
                raise typer.Exit(1)


def _wait(settings: Settings) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with connect(settings.working_url(), "wait") as client:
                return check_when_loaded(client)
        except ServerUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)
