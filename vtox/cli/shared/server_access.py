"""A client for commands that work with and without a running system."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import Client, check, connect
from vtox.reporting.backup.errors import StillRunning


def load_of_plant() -> Settings:
    """Return the settings for commands that need no running system: never those of a demo.

    A copy, a key or a repair of the demo would look like one of the plant that is stopped.
    """
    settings, demo = load(find_demo=False), load()
    if demo.data_dir != settings.data_dir:
        for_demo = f"for the demo that runs, set VTOX_DATA_DIR={demo.data_dir}"
        typer.echo(f"acts on {settings.data_dir}; {for_demo}", err=True)
    return settings


@contextmanager
def running_or_embedded(settings: Settings, name: str) -> Iterator[Client]:
    """Connect; if no server runs, start the embedded one for the duration of the command."""
    try:
        with running_server(settings, name) as client:
            yield client
            return
    except ServerUnavailable:
        if settings.redis_url:
            raise
    # The log lines of the server's start and end would hide the output of the command.
    logging.getLogger("vtox.pipeline.cluster.embedded_server").setLevel(logging.ERROR)
    with EmbeddedServer(settings) as server, connect(server.url, name) as client:
        yield client


@contextmanager
def stopped(settings: Settings) -> Iterator[None]:
    """Hold the lock of `vtox up` on the data folder."""
    lock = try_lock(settings.data_dir / "cluster.lock")
    if lock is None:
        raise StillRunning(f"a vtox runs on {settings.data_dir}", remedy="stop it first")
    try:
        yield
    finally:
        os.close(lock)


@contextmanager
def running_server(settings: Settings, name: str = "cli") -> Iterator[Client]:
    """Connect to the server, which must run."""
    with connect(settings.working_url(), name) as client:
        check(client)
        yield client
