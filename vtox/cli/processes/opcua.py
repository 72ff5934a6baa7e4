"""`vtox opcua`: shows the fleet to control rooms, read-only."""

import asyncio

from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.cluster.signal_handlers import SignalHandlers
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.version import install_command
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import check_when_loaded, connect


def opcua() -> None:
    """Serve OPC UA at VTOX_OPCUA_PORT until stopped, for reading.

    Users sign in with an API key of scope `read` as password. `vtox up` does this for you if
    VTOX_OPCUA_PORT is set.
    """
    logging_setup.setup("opcua")
    # Not at the top: an extra, which other commands do not need.
    try:
        from vtox.reporting.plant.opcua.server import PlantServer
    except ImportError as error:
        raise SystemStateError(
            f"{error.name} is not installed", remedy=install_command("opcua")
        ) from error
    settings = load()
    if (port := settings.opcua_port) is None:
        raise SettingsError("VTOX_OPCUA_PORT is not set", remedy="set the port, mostly 4840")
    with connect(settings.working_url(), "opcua") as client:
        check_when_loaded(client)

        async def serve() -> None:
            stop = asyncio.Event()
            with SignalHandlers(stop.set, stop.set):
                await PlantServer(client, settings, port).run(stop)

        asyncio.run(serve())
