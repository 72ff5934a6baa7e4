"""A broker, and a gateway from it into the stream of an emptied server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.mosquitto import SUBSCRIBED, Mosquitto
from tests.mosquitto import broker as broker
from tests.waiting import eventually
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.sending.mqtt.connection import Connection
from vtox.pipeline.sending.mqtt.gateway import Gateway
from vtox.pipeline.sending.mqtt.mapping import read_mapping
from vtox.pipeline.sending.mqtt.sparkplug_nodes import Births
from vtox.pipeline.store.server.client import connect

MAPPING = """
[[topics]]
topic = "plant/{machine_id}/window"
format = "entry"

[[topics]]
topic = "plant/{machine_id}/raw"
format = "i2"
channels = ["ia", "ib"]
scale = 0.01
fs_hz = 1000

[[topics]]
topic = "Plant"
format = "sparkplug"
channels = { ia = "window/ia" }
nameplate = { pole_pairs = "Properties/pole_pairs", supply_hz = "Properties/supply_hz" }
scalars = { supply = ["Properties/supply_hz", "Hz"] }
fs_hz = 1000
"""


@contextmanager
def gateway(
    url: str,
    settings: Settings,
    *,
    client_id: str = "vtox",
) -> Iterator[Gateway]:
    """Run a gateway of `MAPPING` in a thread."""
    mapping = settings.data_dir / "mapping.toml"
    mapping.write_text(MAPPING)
    rules, state = read_mapping(mapping), settings.data_dir / "state"
    filters = [f for rule in rules for f in rule.filters]
    connection = Connection(url, filters, client_id=client_id, receive_maximum=10)
    stop, failures = threading.Event(), []

    def run() -> None:
        # Files of SQLite belong to the thread that opens them.
        with connect(settings.working_url(), "mqtt") as client:
            publisher, births = Publisher(client, numbers=state), Births(state)
            made.append(Gateway(connection, publisher, client, rules, births))
            ready.set()
            try:
                made[0].run(stop)
            except Exception as error:
                failures.append(error)
            connection.close()
            births.close()
            publisher.close()

    made: list[Gateway] = []
    ready = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield made[0]
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


@contextmanager
def subscribed(
    broker: Mosquitto, settings: Settings, *, client_id: str = "vtox"
) -> Iterator[Gateway]:
    """Run a gateway, and wait until the broker sends it all new messages."""
    before = broker.log().count(SUBSCRIBED)
    with gateway(broker.url, settings, client_id=client_id) as running:
        eventually(lambda: broker.log().count(SUBSCRIBED) > before, 20)
        yield running
