"""`vtox mqtt`: takes windows from an MQTT broker."""

from pathlib import Path
from typing import Annotated

import typer

from vtox.motor.errors import InputError, SystemStateError
from vtox.pipeline.cluster import logging_setup
from vtox.pipeline.cluster.file_lock import lock, write_holder
from vtox.pipeline.cluster.signal_handlers import stop_event
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.configuration.version import install_command
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import check_when_loaded, connect
from vtox.pipeline.windows.wire import Limits

# One that was killed may take so long to end.
TAKE_OVER_S = 3.0
POLL_S = 0.2
# As many as mosquitto sends unacknowledged by default.
RECEIVE_MAXIMUM = 20


def mqtt(
    mapping: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MAPPING]", help="Mapping of topics (TOML), by default VTOX_MQTT_MAPPING."
        ),
    ] = None,
    client_id: Annotated[
        str,
        typer.Option(metavar="ID", help="Name of the session that the broker keeps."),
    ] = "vtox",
    receive_maximum: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=65535, help="Messages unacknowledged, at most."),
    ] = RECEIVE_MAXIMUM,
    spool: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep windows here while the line is down."),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Send nothing; recover windows of a damaged --spool."),
    ] = False,
) -> None:
    """Send the windows of an MQTT broker (VTOX_MQTT_URL) into the stream until stopped.

    A message is acknowledged once the stream has its window; with --spool, once the disk has it.
    `vtox up` does this for you if VTOX_MQTT_URL and VTOX_MQTT_MAPPING are set.
    """
    if repair:
        _repair(spool)
        return
    logging_setup.setup("mqtt")
    # Not at the top: an extra, which other commands do not need.
    try:
        from vtox.pipeline.sending.mqtt.connection import Connection
        from vtox.pipeline.sending.mqtt.gateway import Gateway
        from vtox.pipeline.sending.mqtt.mapping import read_mapping
        from vtox.pipeline.sending.mqtt.sparkplug_nodes import Births
    except ImportError as error:
        raise SystemStateError(
            f"{error.name} is not installed", remedy=install_command("mqtt")
        ) from error
    from vtox.pipeline.client.publisher import Publisher

    settings = load()
    if not settings.mqtt_url:
        raise SettingsError(
            "VTOX_MQTT_URL is not set", remedy="give the broker, mqtt://user:password@host:1883"
        )
    if (file := mapping or settings.mqtt_mapping) is None:
        raise SettingsError(
            "no mapping is given", remedy="`vtox mqtt MAPPING`, or set VTOX_MQTT_MAPPING"
        )
    rules = read_mapping(file)
    url = settings.samples_url()
    stop = stop_event()
    held = _hold_session(settings.data_dir, client_id)
    state = settings.data_dir / f"mqtt-{client_id}.sqlite"
    connection = Connection(
        settings.mqtt_url,
        [f for rule in rules for f in rule.filters],
        client_id=client_id,
        receive_maximum=receive_maximum,
    )
    client = connect(url, "mqtt")
    if spool is None:
        check_when_loaded(client)
    limits = Limits(settings.max_window_bytes)
    publisher = Publisher(
        url,
        name="mqtt",
        numbers=state,
        patience_s=float("inf"),
        replicas=settings.ack.replicas,
        limits=limits,
        spool=spool,
    )
    births = Births(state)
    gateway = Gateway(
        connection, publisher, client, rules, births, max_machines=settings.max_machines
    )
    while not (connection.tried or stop.is_set()):
        connection.poll(POLL_S)
    write_holder(held)  # by which the supervisor knows that it has started
    gateway.run(stop)
    connection.close()
    births.close()
    publisher.close()


def _repair(folder: Path | None) -> None:
    from vtox.pipeline.client.spool_file import repair

    if folder is None:
        raise InputError("--repair: of which folder, expected --spool FOLDER too")
    kept, rows = repair(folder)
    if kept is None:
        typer.echo("the spool is whole; nothing was changed")
    else:
        typer.echo(f"the damaged spool is kept as {kept}; the next sender sends the rest")
    typer.echo(f"windows that wait: {rows['windows']}; rows that are none: {rows['unreadable']}")


def _hold_session(folder: Path, client_id: str) -> int:
    """Keep another gateway from the session: a broker ends the connection of the one before."""
    taken = SystemStateError(
        f"another vtox mqtt has the session {client_id}",
        remedy="`vtox up` runs one where VTOX_MQTT_MAPPING is set; or give this one a --client-id",
    )
    return lock(folder / f"mqtt-{client_id}.lock", TAKE_OVER_S, taken)
