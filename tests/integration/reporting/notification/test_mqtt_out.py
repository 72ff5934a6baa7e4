"""MQTT out on a real broker: the present state is retained there, in spite of restarts."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.api.test_energy import energy_of_an_hour
from tests.integration.api.test_machines import commit_health
from tests.integration.reporting.notification.test_delivery import raise_alarms
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.mosquitto import broker as broker
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machines import register, retire
from vtox.pipeline.store.server.client import Client

pytestmark = needs_mosquitto
RULES = """
[targets.plant]
kind = "mqtt"
url = "{url}"
prefix = "plant/vtox"
timeout_s = 3
retry_first_s = 0.1
retry_max_s = 0.3

[[rules]]
targets = ["plant"]
"""


@pytest.fixture
def command(
    server: EmbeddedServer, settings: Settings, tmp_path: Path, broker: Mosquitto
) -> dict[str, Any]:
    """How to start a notifier of that broker."""
    file = tmp_path / "notify.toml"
    file.write_text(RULES.format(url=broker.url))
    given = {
        "VTOX_REDIS_URL": server.address.role_url("notifier"),
        "VTOX_DATA_DIR": str(settings.data_dir),
        "VTOX_NOTIFY_FILE": str(file),
    }
    started = [sys.executable, "-m", "vtox", "notify", "run"]
    return {"args": started, "env": parent_watch.child_environment(given)}


class Held:
    """The messages of a broker, by topic below the prefix, as a subscriber sees them."""

    def __init__(self, broker: Mosquitto) -> None:
        self.topics: dict[str, Any] = {}
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.reconnect_delay_set(0.1, 0.2)
        self.client.on_connect = self._begin
        self.client.on_message = self._note
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def _begin(self, *_: Any) -> None:
        # A broker that was started again has only the messages that it sends now.
        self.topics = {}
        [self.client.subscribe(x, qos=1) for x in ("plant/vtox/#", "homeassistant/#")]

    def _note(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        topic = message.topic.removeprefix("plant/vtox/")
        if not message.payload:
            self.topics.pop(topic, None)
        else:
            text = message.payload.decode()
            self.topics[topic] = text if topic == "status" else json.loads(text)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def held(broker: Mosquitto) -> Iterator[Held]:
    opened = Held(broker)
    yield opened
    opened.close()


def events(kept: dict[str, Any]) -> dict[str, str]:
    return {t: m["data"]["event"] for t, m in kept.items() if "/alarms/" in t}


@pytest.mark.long
def test_nothing_is_lost_over_restarts_of_either_side(
    client: Client, broker: Mosquitto, held: Held, command: dict[str, Any]
) -> None:
    register(client, "M0", Motor(site="Hall 2"))
    commit_health(client, "M0", bearing="warning")
    client.hset(keys.machine("M0"), mapping=energy_of_an_hour(1764000001.0))
    with subprocess.Popen(**command) as notifier:
        eventually(lambda: "machines/M0/energy" in held.topics, 60)
        kept = held.topics
        assert kept["status"] == "online"
        state = kept["machines/M0/state"]
        assert (state["site"], state["ne107"]) == ("Hall 2", "maintenance_required")
        assert kept["machines/M0/energy"]["energy_kwh"] == 2.0
        device = kept["homeassistant/device/vtox_M0/config"]
        assert device["components"]["energy"]["state_topic"] == "plant/vtox/machines/M0/energy"
        raise_alarms(client, 2)
        eventually(lambda: len(events(held.topics)) == 2)
        # All of it is retained: a later subscriber sees the same.
        late = Held(broker)
        eventually(lambda: late.topics.keys() == held.topics.keys())
        late.close()
        notifier.kill()
    eventually(lambda: held.topics.get("status") == "offline")
    # Both are down; an alarm begins, a machine grows worse. The broker forgets its messages.
    broker.kill()
    (broker.folder / "mosquitto.db").unlink(missing_ok=True)
    raise_alarms(client, 1, 2)
    commit_health(client, "M0", bearing="fault")
    register(client, "M9", Motor())
    broker.start()
    with subprocess.Popen(**command) as notifier:
        complete = {f"machines/M{i}/alarms/bearing": "raised" for i in range(3)}
        eventually(lambda: events(held.topics) == complete, 60)
        eventually(lambda: held.topics.get("machines/M0/state", {}).get("ne107") == "failure")
        assert held.topics["status"] == "online"
        retire(client, "M9")
        eventually(lambda: "machines/M9/state" not in held.topics)
        notifier.send_signal(signal.SIGTERM)
        assert notifier.wait(20) == 0
    eventually(lambda: held.topics.get("status") == "offline")
