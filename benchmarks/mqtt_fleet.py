"""Cost of a fleet to the notifier that publishes to MQTT: `python -m benchmarks.mqtt_fleet 1000`.

It measures time and CPU until the broker holds state, energy and discovery of each machine. Then it
measures CPU while ten machines change each second and none does, and the delay of a state to a
subscriber. The broker mosquitto and its subscriber run on the same box; their CPU is not in it.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.opcua_fleet import change, fill
from tests.mosquitto import Mosquitto, new_broker
from vtox.pipeline.cluster import parent_watch
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect

SECONDS, CHANGES_A_SECOND = 20, 10
# Topics of a machine; and one more for the state of the system.
TOPICS, MORE = 3, 1
RULES = """
[targets.plant]
kind = "mqtt"
url = "{url}"

[[rules]]
targets = ["plant"]
"""


class Subscriber:
    """The topics that have arrived, and the times of the messages of each machine's state."""

    def __init__(self, broker: Mosquitto) -> None:
        self.topics: set[str] = set()
        self.states: dict[str, list[float]] = defaultdict(list)
        self.messages = 0
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.client.on_message = self._note
        self.client.connect("127.0.0.1", broker.port)
        self.client.subscribe([("vtox/#", 1), ("homeassistant/#", 1)])
        self.client.loop_start()

    def _note(self, _: Any, __: Any, message: paho.MQTTMessage) -> None:
        self.messages += 1
        if not message.topic.endswith("/status"):
            self.topics.add(message.topic)
        if message.topic.endswith("/state"):
            self.states[message.topic.split("/")[-2]].append(time.monotonic())


def main() -> None:
    """Fill a server, publish to a broker, and print the cost."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="vtox-mqtt-") as name:
        folder = Path(name)
        broker = new_broker(folder / "mosquitto")
        broker.start()
        settings = load(data_dir=folder)
        with EmbeddedServer(settings) as server, connect(server.url, "bench") as client:
            fill(client, n)
            subscriber = Subscriber(broker)
            rules = folder / "notify.toml"
            rules.write_text(RULES.format(url=broker.url))
            given = {"VTOX_REDIS_URL": server.url, "VTOX_DATA_DIR": name}
            given |= {"VTOX_NOTIFY_FILE": str(rules), "VTOX_SILENCE_AFTER_S": "3600"}
            environment = parent_watch.child_environment(given)
            command = parent_watch.command_watching_parent("vtox", "notify", "run")
            began = time.monotonic()
            with subprocess.Popen(command, env=environment) as process:
                used = psutil.Process(process.pid)
                while len(subscriber.topics) < TOPICS * n + MORE:
                    assert process.poll() is None, "it has ended"
                    assert time.monotonic() - began < 300, f"{len(subscriber.topics)} topics"
                    time.sleep(0.1)
                print(f"{n} machines: {len(subscriber.topics)} topics after", end=" ")
                print(f"{time.monotonic() - began:.1f} s, CPU {_spent(used):.1f} s")
                _change(client, subscriber, used, n)
                process.terminate()
            subscriber.client.disconnect()
            subscriber.client.loop_stop()
        broker.stop()


def _spent(used: psutil.Process) -> float:
    times = used.cpu_times()
    return times.user + times.system


def _change(client: Client, subscriber: Subscriber, used: psutil.Process, n: int) -> None:
    """Change some machines each second, then none, and print the costs of both."""
    sent: dict[str, float] = {}
    for what, changes in (("ten machines change a second", CHANGES_A_SECOND), ("none changes", 0)):
        before, begin, messages = _spent(used), time.monotonic(), subscriber.messages
        for second in range(SECONDS):
            for i in range(changes):
                machine_id = f"M{(second * changes + i) % n}"
                sent[machine_id] = time.monotonic()
                change(client, machine_id, 70.0 + second)
            time.sleep(max(0.0, begin + second + 1 - time.monotonic()))
        wall = time.monotonic() - begin
        percent = 100 * (_spent(used) - before) / wall
        print(f"{what}: {percent:.1f} % of a core", end=", ")
        print(f"{(subscriber.messages - messages) / wall:.0f} messages a second")
    delays = [min(x - t for x in subscriber.states[m] if x > t) for m, t in sent.items()]
    print(f"state after {median(delays):.2f} s, at most {max(delays):.2f} s ({len(delays)})")
    print(f"memory {used.memory_info().rss / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
