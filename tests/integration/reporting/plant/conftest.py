"""`vtox opcua` as a process, and reading from it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration.settings import Settings


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def command(server: EmbeddedServer, settings: Settings, port: int) -> dict[str, Any]:
    given = {
        "VTOX_REDIS_URL": server.address.role_url("api"),
        "VTOX_DATA_DIR": str(settings.data_dir),
        "VTOX_OPCUA_PORT": str(port),
    }
    started = parent_watch.command_watching_parent("vtox", "opcua")
    return {"args": started, "env": parent_watch.child_environment(given)}


@contextmanager
def serving(port: int, command: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """Run it; it must still run at the end, and stop on SIGTERM."""
    with subprocess.Popen(**command) as process:
        try:
            eventually(lambda: accepts_connections("127.0.0.1", port))
            yield process
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


async def read(opened: Any, *names: str) -> list[Any]:
    """Read variables by the ids of their nodes."""
    from asyncua import ua

    from vtox.reporting.plant.opcua.nodes import NAMESPACE

    index = await opened.get_namespace_index(NAMESPACE)
    nodes = [opened.get_node(ua.NodeId(n, index)) for n in names]
    return [await n.read_value() for n in nodes]
