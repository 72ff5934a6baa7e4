"""`vtox mqtt`: takes windows from an MQTT broker."""

from pathlib import Path
from typing import Annotated

import typer

from vtox.cluster import logging_setup
from vtox.cluster.signal_handlers import stop_event
from vtox.errors import SettingsError, SystemStateError
from vtox.settings import load
from vtox.store.client import check_when_loaded, connect
from vtox.wire import Limits

# As many as mosquitto sends unacknowledged by default.
RECEIVE_MAXIMUM = 20


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("mqtt")(mqtt)


def mqtt(
    mapping: Annotated[
        Path, typer.Argument(metavar="MAPPING", help="What the topics carry (TOML).")
    ],
    client_id: Annotated[
        str,
        typer.Option(metavar="ID", help="Name of the session that the broker keeps."),
    ] = "vtox",
    receive_maximum: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=65535, help="Messages unacknowledged, at most."),
    ] = RECEIVE_MAXIMUM,
) -> None:
    """Send the windows of an MQTT broker (VTOX_MQTT_URL) into the stream until stopped.

    A message is acknowledged once the stream has its window.
    """
    logging_setup.setup("mqtt")
    # Not at the top: an extra, which other commands do not need.
    try:
        from vtox.mqtt.connection import Connection
        from vtox.mqtt.gateway import Gateway
        from vtox.mqtt.mapping import read_mapping
        from vtox.mqtt.sparkplug_nodes import Births
    except ImportError as error:
        raise SystemStateError(
            f"{error.name} is not installed", remedy='pip install "vtox[mqtt]"'
        ) from error
    from vtox.client.publisher import Publisher

    settings = load()
    rules = read_mapping(mapping)
    if not settings.mqtt_url:
        raise SettingsError(
            "VTOX_MQTT_URL is not set", remedy="give the broker, mqtt://user:password@host:1883"
        )
    url = settings.samples_url()
    stop = stop_event()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = settings.data_dir / f"mqtt-{client_id}.sqlite"
    files = (settings.mqtt_ca, settings.mqtt_cert, settings.mqtt_key)
    connection = Connection(
        settings.mqtt_url,
        [f for rule in rules for f in rule.filters],
        client_id=client_id,
        receive_maximum=receive_maximum,
        tls=(_text(files[0]), _text(files[1]), _text(files[2])),
    )
    client = connect(url, "mqtt")
    check_when_loaded(client)
    limits = Limits(settings.max_window_bytes, settings.max_samples)
    publisher = Publisher(
        url,
        name="mqtt",
        numbers=state,
        patience_s=float("inf"),
        replicas=settings.acknowledged_by_replicas,
        limits=limits,
    )
    births = Births(state)
    gateway = Gateway(
        connection, publisher, client, rules, births, max_machines=settings.max_machines
    )
    gateway.run(stop)
    connection.close()
    births.close()
    publisher.close()


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
