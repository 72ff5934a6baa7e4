"""How many messages a killed mosquitto has accepted and not delivered to `vtox mqtt`.

    python -m benchmarks.mqtt_kills [TRIALS]

A trial publishes windows with QoS 1, kills the broker at a random time and starts it again.
Confirmed windows that the stream lacks in the end are lost. In one half of the trials the gateway
is connected, in the other half it was stopped two seconds before.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.parent_watch import child_environment
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.server.client import Client, connect

MAPPING = '[[topics]]\ntopic = "plant/{machine_id}/window"\nformat = "entry"\n'
RATE = 50.0  # windows a second, of 50 machines
SAMPLES = 1000
PORT = 18843
TOPICS = 50


def broker(folder: Path, saving: str) -> "subprocess.Popen[bytes]":
    """Start mosquitto and wait until it takes connections."""
    lines = ("user root", f"listener {PORT} 127.0.0.1", "allow_anonymous true", "persistence true")
    limits = "max_queued_messages 0\nmax_inflight_messages 100"
    (folder / "conf").write_text(
        "\n".join([*lines, f"persistence_location {folder}/", limits, saving])
    )
    process = subprocess.Popen(["mosquitto", "-c", str(folder / "conf")], stderr=subprocess.DEVNULL)
    while not accepts_connections("127.0.0.1", PORT):
        time.sleep(0.02)
    return process


def publish(seconds: float, first: int, confirmed: set[tuple[str, int]]) -> int:
    """Publish at `RATE` until the broker is gone or the time is over; note its confirmations."""
    sent: dict[int, tuple[str, int]] = {}
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_publish = lambda c, u, mid, *_: confirmed.add(sent[mid])
    client.connect("127.0.0.1", PORT)
    began, n = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        if time.monotonic() - began > n / RATE:
            machine, seq = f"M{n % TOPICS}", first + n // TOPICS
            entry = {"seq": seq, "t0": 1e9 + seq, "fs_hz": 1000, "ia": [0.25] * SAMPLES}
            topic = f"plant/{machine}/window"
            # A message has its number before it is confirmed: both are of this thread.
            sent[client.publish(topic, json.dumps(entry), qos=1).mid] = (machine, seq)
            n += 1
        if client.loop(0.005):
            break
    return n


def in_stream(client: Client) -> set[tuple[str, int]]:
    """Machine and seq of every window in the stream."""
    return {(f[b"machine_id"].decode(), int(f[b"seq"])) for _, f in client.xrange(keys.RAW)}


def trial(rng: random.Random, saving: str, *, away: bool) -> tuple[int, int]:
    """Return how many messages were confirmed, and how many of them are lost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = load(data_dir=folder / "server", redis_url=None)
        (folder / "mapping.toml").write_text(MAPPING)
        with EmbeddedServer(settings) as server, connect(server.url, "bench") as client:
            process = broker(folder, saving)
            told = {
                "VTOX_REDIS_URL": server.url,
                "VTOX_MQTT_URL": f"mqtt://127.0.0.1:{PORT}",
                "VTOX_DATA_DIR": str(folder / "gateway"),
            }
            command = [sys.executable, "-m", "vtox", "mqtt", str(folder / "mapping.toml")]

            def start() -> "subprocess.Popen[bytes]":
                return subprocess.Popen(
                    command, env=child_environment(told), stderr=subprocess.DEVNULL
                )

            gateway, confirmed = start(), set[tuple[str, int]]()
            while not in_stream(client):  # until it has its session
                publish(0.2, 0, confirmed)
            published = publish(1.0, 1000, confirmed)
            assert published
            if away:
                gateway.terminate()
                gateway.wait()
            publish(2.0 + rng.uniform(0, 1), 2000, confirmed)
            process.kill()
            process.wait()
            process = broker(folder, saving)
            gateway = start() if away else gateway
            time.sleep(4.0)
            publish(0.2, 3000, confirmed)
            time.sleep(2.0)
            lost = confirmed - in_stream(client)
            for p in (gateway, process):
                p.terminate()
                p.wait()
            return len(confirmed), len(lost)


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for saving in ("", "autosave_interval 1\nautosave_on_changes true"):
        for away in (False, True):
            rng = random.Random(1)
            done = [trial(rng, saving, away=away) for _ in range(trials)]
            lost = [n for _, n in done]
            print(
                f"{saving or 'default'!r} {'away' if away else 'connected'}: {trials} kills, "
                f"{sum(c for c, _ in done)} confirmed, {sum(lost)} lost, at most {max(lost)}, "
                f"in {sum(n > 0 for n in lost)} kills",
                flush=True,
            )


if __name__ == "__main__":
    main()
