"""Trouble of the server and of the data folder is waited out, with the messages unacknowledged."""

import json
from pathlib import Path

import pytest
import redis

from tests.integration.helpers import eventually
from tests.integration.pipeline.sending.mqtt.conftest import subscribed
from tests.integration.pipeline.sending.mqtt.test_broken_messages import birth
from tests.integration.pipeline.sending.mqtt.test_gateway import (
    ACKNOWLEDGED,
    COUNTS,
    DELIVERED,
    ENTRY,
)
from tests.mosquitto import Mosquitto, needs_mosquitto
from tests.small_disk import Disk, disk
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.server.client import Client, connect

__all__ = ["disk"]

pytestmark = needs_mosquitto


def refuses_writes(client: Client) -> bool:
    try:
        client.set("probe", bytes(1000))
    except redis.ResponseError as error:
        return "MISCONF" in str(error)
    return False


def times_refused(client: Client) -> int:
    return int(client.info("errorstats").get("errorstat_MISCONF", {"count": 0})["count"])


def test_a_server_that_takes_no_writes_is_waited_for_even_over_a_stop(
    broker: Mosquitto, disk: Disk, tmp_path: Path
) -> None:
    settings = load(data_dir=disk.folder)
    (tmp_path / "gateway").mkdir()
    with EmbeddedServer(settings) as own, connect(own.url, "test") as client:
        gateway = load(redis_url=own.url, data_dir=tmp_path / "gateway")
        with subscribed(broker, gateway):
            disk.fill()
            eventually(lambda: refuses_writes(client))
            before = times_refused(client)
            broker.publish("spBv1.0/Plant/DBIRTH/N1/M1", birth(2.0))
            broker.publish("plant/M1/window", json.dumps(ENTRY).encode())
            eventually(lambda: broker.log().count(DELIVERED) == 2)
            eventually(lambda: times_refused(client) > before + 1)
            assert load_motors(client, ["M1"]) == [None]
        assert ACKNOWLEDGED not in broker.log()
        disk.empty()
        with subscribed(broker, gateway):
            eventually(lambda: broker.log().count(ACKNOWLEDGED) == 2)
        (motor,) = load_motors(client, ["M1"])
        assert motor is not None
        assert client.xlen(keys.RAW) == 1


def test_a_full_data_folder_is_waited_for(
    broker: Mosquitto,
    disk: Disk,
    client: Client,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = ""

    def waits() -> bool:
        nonlocal log
        # The second where a test before this one has set up the log of a process.
        log += capsys.readouterr().out
        return (log + caplog.text).count("messages wait") > 1

    with subscribed(broker, load(redis_url=settings.redis_url, data_dir=disk.folder)):
        disk.fill()
        broker.publish("spBv1.0/Plant/DBIRTH/N1/M1", birth(2.0))
        broker.publish("plant/M2/raw", COUNTS)  # without a number: it gets one, on file
        eventually(waits)
        assert ACKNOWLEDGED not in broker.log()
        disk.empty()
        eventually(lambda: broker.log().count(ACKNOWLEDGED) == 2)
    assert client.xlen(keys.RAW) == 1
    assert load_motors(client, ["M1"]) != [None]
