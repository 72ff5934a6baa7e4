"""Restarts and kills of broker and gateway: the possible losses, and that nothing counts twice."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.integration.helpers import bridging, counters, eventually
from tests.integration.pipeline.client.test_spool import Line
from tests.integration.pipeline.sending.mqtt.conftest import MAPPING
from tests.mosquitto import SUBSCRIBED, Mosquitto, needs_mosquitto, new_broker
from tests.paths import ROOT
from tests.small_disk import Disk, disk
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.parent_watch import child_environment
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client

__all__ = ["disk"]

pytestmark = [needs_mosquitto, pytest.mark.long]

WINDOWS = 60
T0 = 1_764_000_000.0


class GatewayProcess:
    """`vtox mqtt` as a process under its own role; `start` and `kill` as a test wants."""

    def __init__(self, folder: Path, redis_url: str, broker: Mosquitto, *options: str) -> None:
        (folder / "mapping.toml").write_text(MAPPING)
        mapping = str(folder / "mapping.toml")
        self.command = [sys.executable, "-m", "vtox", "mqtt", mapping, *options]
        self.environment = child_environment(
            {
                "VTOX_REDIS_URL": redis_url,
                "VTOX_MQTT_URL": broker.url,
                "VTOX_DATA_DIR": str(folder / "gateway"),
                "PYTHONPATH": str(ROOT),
            }
        )
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def processes(
    folder: Path, redis_url: str, *options: str
) -> Iterator[tuple[Mosquitto, GatewayProcess]]:
    """Run both; the gateway has its session when the block begins."""
    broker = new_broker(folder / "mosquitto")
    broker.start()
    gateway = GatewayProcess(folder, redis_url, broker, *options)
    try:
        eventually(lambda: SUBSCRIBED in broker.log())
        yield broker, gateway
    finally:
        gateway.kill()
        broker.stop()


def publish(broker: Mosquitto, i: int) -> None:
    """Publish a window with number and time of M1, and one without either of M2."""
    entry = {"seq": i, "t0": T0 + i, "fs_hz": 1000, "ia": [0.1 * i] * 50}
    broker.publish("plant/M1/window", json.dumps(entry).encode())
    broker.publish("plant/M2/raw", np.arange(i, i + 100, dtype="<i2").tobytes())


def published(client: Client) -> dict[str, set[bytes]]:
    """Machine -> the samples of its windows in the stream."""
    found: dict[str, set[bytes]] = {"M1": set(), "M2": set()}
    for _, fields in client.xrange(keys.RAW):
        found[fields[b"machine_id"].decode()].add(fields[b"ia"])
    return found


def identities(client: Client) -> dict[str, set[tuple[bytes, ...]]]:
    """Machine -> identities by which the bridge distinguishes its windows."""
    found: dict[str, set[tuple[bytes, ...]]] = {"M1": set(), "M2": set()}
    for _, f in client.xrange(keys.RAW):
        identity = (f.get(b"run", b""), f[b"seq"], f[b"t0"])
        found[f[b"machine_id"].decode()].add(identity)
    return found


def assert_none_counts_twice(client: Client, settings: Settings) -> None:
    entries, samples = client.xlen(keys.RAW), published(client)
    count = sum(map(len, samples.values()))
    assert {m: len(x) for m, x in identities(client).items()} == {
        m: len(x) for m, x in samples.items()
    }
    with bridging(settings.model_copy(update={"in_flight_windows": 4 * WINDOWS})):
        eventually(lambda: counters(client).get("windows_in", 0) == count)
        eventually(lambda: counters(client).get("windows_duplicate", 0) == entries - count)


def test_restarts_of_the_broker_and_kills_of_the_gateway_lose_and_double_nothing(
    server: EmbeddedServer, client: Client, settings: Settings, tmp_path: Path
) -> None:
    rng = random.Random(3)
    with processes(tmp_path, server.address.role_url("mqtt")) as (broker, gateway):
        for i in range(WINDOWS):
            publish(broker, i)
            if i % 10 == 4:
                time.sleep(rng.uniform(0, 0.05))
                gateway.kill()
                gateway.start()
            if i % 20 == 14:
                broker.stop()
                broker.start()
        eventually(lambda: all(len(x) == WINDOWS for x in published(client).values()))
    assert_none_counts_twice(client, settings)


def test_a_spool_keeps_what_came_while_the_line_was_down(
    server: EmbeddedServer, client: Client, settings: Settings, tmp_path: Path, disk: Disk
) -> None:
    line = Line(server.address.role_url("mqtt"))
    options = ("--spool", str(disk.folder / "spool"))
    with processes(tmp_path, line.url, *options) as (broker, gateway):
        publish(broker, 0)
        eventually(lambda: client.xlen(keys.RAW) == 2)
        line.cut()
        for i in range(1, 20):
            publish(broker, i)
            if i == 10:
                gateway.kill()
                gateway.start()
        # On disk, thus acknowledged: the broker has forgotten them.
        eventually(lambda: acknowledged(broker) >= 40)
        disk.fill()
        for i in range(20, 30):
            publish(broker, i)
        gateway.kill()
        disk.empty()
        gateway.start()
        line.down = False
        eventually(lambda: all(len(x) == 30 for x in published(client).values()))
        line.close()
    assert_none_counts_twice(client, settings)


def acknowledged(broker: Mosquitto) -> int:
    """How many messages of others the gateway has acknowledged."""
    return broker.log().count("Received PUBACK from vtox")


def test_a_kill_of_the_broker_doubles_nothing(
    server: EmbeddedServer, client: Client, settings: Settings, tmp_path: Path
) -> None:
    """It may lose messages that it accepted and did not deliver: docs/howto/send-by-mqtt.md."""
    with processes(tmp_path, server.address.role_url("mqtt")) as (broker, gateway):
        gateway.kill()
        for i in range(20):
            publish(broker, i)
        broker.save()  # with all of them waiting
        gateway.start()
        eventually(lambda: all(len(x) == 20 for x in published(client).values()))
        broker.kill()  # it has forgotten that it has delivered them
        broker.start()
        eventually(lambda: client.xlen(keys.RAW) == 80)
        for i in range(20, 30):
            publish(broker, i)
        eventually(lambda: all(len(x) == 30 for x in published(client).values()))
    assert_none_counts_twice(client, settings)
