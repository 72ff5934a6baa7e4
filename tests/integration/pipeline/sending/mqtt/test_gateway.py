"""From a real mosquitto into the stream: windows, nameplates, departures, refusals."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.cluster import free_ports
from tests.integration.helpers import bridging, counters, eventually
from tests.integration.pipeline.sending.mqtt.conftest import gateway, subscribed
from tests.mosquitto import PUBLISH, Mosquitto, needs_mosquitto, new_broker
from tests.tls_server import authority
from tests.unit.pipeline.sending.mqtt.test_sparkplug import BIRTH, DATA, death
from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.values import codec
from vtox.motor.values.domain import Window
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import BrokerRefused
from vtox.pipeline.monitoring.silence import SilenceWatch
from vtox.pipeline.sending.mqtt.connection import Connection
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.machines.scalar_room import keep_full
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.stream.deadletters import newest_first
from vtox.pipeline.windows.wire import decode

pytestmark = needs_mosquitto

DELIVERED, ACKNOWLEDGED = "Sending PUBLISH to vtox", "Received PUBACK from vtox"

ENTRY = {"seq": 7, "t0": 1_764_000_000.25, "fs_hz": 1000, "ia": [0.5] * 50}
COUNTS = np.array([[100, -200, 300], [400, 500, -600]], "<i2").tobytes()


def windows(client: Client) -> list[Window]:
    return [decode(fields) for _, fields in client.xrange(keys.RAW)]


def wait_for(client: Client, count: int) -> list[Window]:
    eventually(lambda: client.xlen(keys.RAW) >= count)
    return windows(client)


def test_windows_of_each_format_reach_the_stream(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    with subscribed(broker, settings):
        broker.publish("plant/M1/window", json.dumps(ENTRY).encode())
        (entry,) = wait_for(client, 1)
        broker.publish("plant/M2/raw", COUNTS, "-D", "publish", "user-property", "t0", "5.5")
        raw = wait_for(client, 2)[1]
        broker.publish("plant/M2/raw", COUNTS)
        timeless = wait_for(client, 3)[2]
    assert (entry.machine_id, entry.seq, entry.t0) == ("M1", 7, 1_764_000_000.25)
    assert (raw.machine_id, raw.seq, raw.t0) == ("M2", 0, 5.5)
    assert raw.channels["ib"].tolist() == pytest.approx([4, 5, -6])
    assert (timeless.seq, timeless.run) == (1, raw.run)
    assert abs(timeless.t0 - server_time(client)) < 60, "its time is that of the arrival"


def test_what_comes_while_the_gateway_is_away_is_kept(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    with subscribed(broker, settings):
        broker.publish("plant/M1/window", json.dumps(ENTRY).encode())
        wait_for(client, 1)
    for seq in (8, 9):
        broker.publish("plant/M1/window", json.dumps(ENTRY | {"seq": seq}).encode())
    with subscribed(broker, settings):
        assert [w.seq for w in wait_for(client, 3)] == [7, 8, 9]


def test_equal_samples_without_time_are_windows_of_their_own_while_connected(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    with subscribed(broker, settings):
        for _ in range(3):
            broker.publish("plant/M2/raw", COUNTS)
        assert [w.seq for w in wait_for(client, 3)] == [0, 1, 2]


def test_what_is_no_window_is_a_dead_letter_and_holds_up_nothing(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    with subscribed(broker, settings), bridging(settings):
        broker.publish("plant/M1/window", b"no json")
        broker.publish("plant/M1/window", json.dumps(ENTRY | {"fs_hz": 1}).encode())
        broker.publish("plant/M 1/raw", COUNTS)
        broker.publish("plant/M2/raw", b"123")
        broker.publish("plant/M1/window", json.dumps(ENTRY).encode())
        eventually(lambda: counters(client).get("windows_in") == 1)
        eventually(lambda: client.xlen(keys.DEAD_LETTERS) == 4)
    letters = list(newest_first(client))
    assert {d.code for d in letters} == {"bad_payload"}
    reasons = " ".join(d.reason for d in reversed(letters))
    for words in ("topic plant/M1/window: no JSON", "fs_hz", "'M 1'", "3 bytes, expected a"):
        assert words in reasons
    assert letters[0].entry[b"payload"] == b"123"
    assert letters[0].machine_id == "M2"


def test_a_birth_registers_and_a_death_is_silence_until_it_sends_again(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    def silent() -> list[tuple[str, str]]:
        SilenceWatch(client, settings).look(server_time(client))
        alerts = [codec.decode_fields(Alert, f) for _, f in client.xrange(keys.ALERTS)]
        return [(a.event, a.code) for a in alerts if a.fault == "silent"]

    with subscribed(broker, settings), bridging(settings):
        broker.publish("spBv1.0/Plant/NBIRTH/N1", BIRTH)
        broker.publish("spBv1.0/Plant/DBIRTH/N1/M1", BIRTH)
        broker.publish("spBv1.0/Plant/DDATA/N1/M1", DATA)
        eventually(lambda: counters(client).get("windows_in") == 2)
        (motor,) = load_motors(client, ["M1"])
        assert motor is not None
        assert (motor.pole_pairs, motor.supply_hz) == (2, 50.0)
        broker.publish("spBv1.0/Plant/NDEATH/N1", death(3))
        eventually(lambda: silent() == [("raised", "sender_departed")])
        later = DATA.replace(bytes.fromhex("e8d7dfb4ab33"), bytes.fromhex("e8dfdfb4ab33"))
        broker.publish("spBv1.0/Plant/DDATA/N1/M1", later)
        eventually(lambda: counters(client).get("windows_in") == 3)
        eventually(lambda: silent()[1:] == [("cleared", "windows_arrive")])


def test_new_scalars_of_a_full_machine_keep_nothing_else_back(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    keep_full(client, {m: ["scalar:oil:bar"] for m in ("M1", "M2")})
    oil = {"t": 5.5, "scalars": {"oil": [1, "bar"], "new": [1, "bar"]}}
    with subscribed(broker, settings):
        broker.publish("plant/M2/window", json.dumps(oil).encode())
        broker.publish("spBv1.0/Plant/DBIRTH/N1/M1", BIRTH)
        with bridging(settings):
            eventually(lambda: counters(client).get("windows_in") == 1)
            eventually(lambda: client.xlen(keys.DEAD_LETTERS) == 2)
    (stored,) = client.xrange(keys.SCALARS)
    assert stored[1][b"name"] == b"oil"
    assert all("names of scalars already" in x.reason for x in newest_first(client))


def test_an_unknown_birth_is_asked_for(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    assert PUBLISH
    subscribe = [PUBLISH.replace("_pub", "_sub"), "-p", str(broker.port), "-C", "1", "-W", "20"]
    with subprocess.Popen([*subscribe, "-t", "spBv1.0/Plant/NCMD/N1"], stdout=-1) as asked:
        with subscribed(broker, settings), bridging(settings):
            while asked.poll() is None:
                broker.publish("spBv1.0/Plant/DDATA/N1/M1", DATA)
            eventually(lambda: client.xlen(keys.DEAD_LETTERS))
        assert asked.stdout
        assert b"Node Control/Rebirth" in asked.stdout.read()
    assert b"birth is not known" in client.xrevrange(keys.DEAD_LETTERS, count=1)[0][1][b"reason"]


def test_while_the_server_is_away_nothing_is_acknowledged_and_little_is_taken(
    broker: Mosquitto, tmp_path: Path
) -> None:
    settings = load(data_dir=tmp_path / "own", redis_fsync="always")
    with EmbeddedServer(settings) as own, connect(own.url, "test") as client:
        (tmp_path / "gateway").mkdir()
        with subscribed(broker, load(redis_url=own.url, data_dir=tmp_path / "gateway")):
            broker.publish("plant/M1/window", json.dumps(ENTRY | {"seq": 0}).encode())
            wait_for(client, 1)
            eventually(lambda: broker.log().count(ACKNOWLEDGED) == 1)
            own._process.kill()
            for seq in range(1, 25):
                broker.publish("plant/M1/window", json.dumps(ENTRY | {"seq": seq}).encode())
            eventually(lambda: broker.log().count(DELIVERED) >= 11)
            assert broker.log().count(ACKNOWLEDGED) == 1
            assert broker.log().count(DELIVERED) == 11, "the receive maximum is 10"
            with EmbeddedServer(settings):
                eventually(lambda: len(windows(client)) >= 25)
                assert sorted({w.seq for w in windows(client)}) == list(range(25))
                eventually(lambda: broker.log().count(ACKNOWLEDGED) == 25)


# paho leaves the socket of a refused certificate to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_certificate_of_the_broker_is_verified(tmp_path: Path, settings: Settings) -> None:
    signing, (port,) = authority(tmp_path / "ca"), free_ports(1)
    cert, key = signing.sign("broker")
    options = f"listener {port} 127.0.0.1\ncafile {signing.ca}\ncertfile {cert}\nkeyfile {key}"
    broker = new_broker(tmp_path / "mosquitto", options, port)
    broker.start()
    url = f"mqtts://localhost:{port}"
    try:
        with gateway(f"{url}?ssl_ca_certs={signing.ca}", settings) as running:
            eventually(lambda: running._connection._connected)
        with pytest.raises(BrokerRefused, match="certificate"):
            poll_for_ever(Connection(url, ["a"], client_id="v", receive_maximum=1))
    finally:
        broker.stop()


def test_user_and_password_are_asked_for(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "users").write_text("")
    subprocess.run(
        ["mosquitto_passwd", "-b", str(tmp_path / "users"), "vtox", "p@ss"],
        check=True,
        capture_output=True,
    )
    (tmp_path / "users").chmod(0o600)
    options = f"allow_anonymous false\npassword_file {tmp_path / 'users'}"
    broker = new_broker(tmp_path / "mosquitto", options)
    broker.start()
    try:
        good = broker.url.replace("//", "//vtox:p%40ss@")
        with gateway(good, settings) as running:
            eventually(lambda: running._connection._connected)
        refused = Connection(
            broker.url.replace("//", "//vtox:wr0ng@"), ["a"], client_id="v", receive_maximum=1
        )
        with pytest.raises(BrokerRefused, match="Not authorized") as raised:
            poll_for_ever(refused)
        assert "wr0ng" not in str(raised.value)
    finally:
        broker.stop()


def poll_for_ever(connection: Connection) -> None:
    while True:
        connection.poll(0.5)
