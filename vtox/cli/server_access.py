"""A client for commands that work with and without a running system."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from vtox.cluster.embedded_server import EmbeddedServer
from vtox.errors import ServerUnavailable
from vtox.settings import Settings
from vtox.store.client import Client, check, connect
from vtox.store.servers import Servers, connect_servers


@contextmanager
def running_or_embedded(settings: Settings, name: str, *, first: bool = False) -> Iterator[Client]:
    """Connect; if no server runs, start the embedded one for the duration of the command.

    Of several servers to the `first`, which has what is of no machine.
    """
    try:
        with connect(
            settings.shared_urls()[0] if first else settings.working_url(), name
        ) as client:
            check(client)
            yield client
            return
    except ServerUnavailable:
        if settings.redis_url or settings.redis_urls:
            raise
    # The log lines of the server's start and end would hide what the command prints.
    logging.getLogger("vtox.cluster.embedded_server").setLevel(logging.ERROR)
    with EmbeddedServer(settings) as server, connect(server.url, name) as client:
        yield client


@contextmanager
def all_servers(settings: Settings, name: str = "cli") -> Iterator[Servers]:
    """Connect to all servers that share the machines, which must run; mostly that is one."""
    with connect_servers(settings.shared_urls(), name) as servers:
        servers.check()
        yield servers


@contextmanager
def server_of(settings: Settings, machine_id: str, name: str = "cli") -> Iterator[Client]:
    """Connect to the server that a machine is on, which must run."""
    with connect_servers(settings.shared_urls(), name) as servers:
        yield servers.check_of(machine_id)
