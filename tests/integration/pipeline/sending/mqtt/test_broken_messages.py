"""No message ends the gateway or delays the others: from a real broker to the dead letters."""

import json
from collections.abc import Iterator

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.broken_entries import LARGE, TEXTS
from tests.integration.helpers import bridging, eventually
from tests.integration.pipeline.sending.mqtt.conftest import subscribed
from tests.integration.pipeline.sending.mqtt.test_gateway import COUNTS, ENTRY
from tests.mosquitto import Mosquitto, needs_mosquitto
from vtox.motor.values.plain_names import NAME
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import Keep
from vtox.pipeline.sending.mqtt.sparkplug import Payload
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.deadletters import newest_first

pytestmark = needs_mosquitto

NUMBERS = ("nan", "inf", "1e400", "-1e400", "9" * 400, "-1", "1e308", "x")
# Topic, payload, user properties.
Published = tuple[str, bytes, dict[str, str]]


def broken_messages() -> Iterator[Published]:
    """Yield messages of every format, each with one thing wrong."""
    for text in (*TEXTS, LARGE[0]):
        yield "plant/M1/window", text, {}
    for field in (*ENTRY, "machine_id", "run", "dtype", "scale_ia", "channels", "temperature_c"):
        for wrong in ("null", "[]", "{}", "-1", "1e999", '"\\ud800"', '"x"', "[" * 900, "1e300"):
            rest = json.dumps({k: v for k, v in ENTRY.items() if k != field})[1:]
            yield "plant/M1/window", f'{{"{field}": {wrong}, {rest}'.encode(), {}
    for name in ("seq", "t0", "fs_hz", "speed_rpm", "temperature_c"):
        for number in NUMBERS:
            yield "plant/M1/raw", COUNTS, {"t0": "5.5", name: number}
    for machine in ("M 1", "\u20ac", "x" * 99, "{machine_id}", "%s", ".", "a\u00a0b"):
        yield f"plant/{machine}/raw", COUNTS, {}
        yield f"spBv1.0/Plant/DBIRTH/N1/{machine}", birth(2.0), {}
    for number in ("nan", "inf", "-inf", "1e300", "2.5", "0"):
        yield "spBv1.0/Plant/DBIRTH/N1/M1", birth(float(number)), {}
    for kind in ("NBIRTH/N2", "DDATA/N2/M1", "NDEATH/N2", "DDEATH/N2/M1"):
        for payload in (b"\xff\xff", b"\x12\x02\x0a\x05", b"{", TEXTS[-1]):
            yield f"spBv1.0/Plant/{kind}", payload, {}


def birth(pole_pairs: float) -> bytes:
    payload = Payload(timestamp=1_764_000_000_000)
    payload.metrics.add(name="Properties/pole_pairs", datatype=10, double_value=pole_pairs)
    return bytes(payload.SerializeToString())


def publish(broker: Mosquitto, messages: list[Published]) -> None:
    """Publish with QoS 1, in order, and wait until the broker has all."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for topic, payload, said in messages:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = list(said.items())
        client.publish(topic, payload, qos=1, properties=properties).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


def test_every_broken_message_is_acknowledged_and_has_a_letter(
    broker: Mosquitto, client: Client, settings: Settings
) -> None:
    messages = [*broken_messages(), ("plant/LAST/window", json.dumps(ENTRY).encode(), {})]
    with subscribed(broker, settings):
        pass
    publish(broker, messages)  # they wait at the broker for the next start
    with subscribed(broker, settings) as gateway:
        eventually(lambda: broker.log().count("Received PUBACK from vtox") == len(messages))
    assert gateway.refused > 150
    assert gateway.refused + gateway.windows == client.xlen(keys.RAW)
    assert client.xrevrange(keys.RAW, count=1)[0][1][b"machine_id"] == b"LAST"
    with bridging(settings.model_copy(update={"keep": Keep(dead_letters="64GB")})):
        eventually(lambda: client.xlen(keys.DEAD_LETTERS) == gateway.refused)
    assert {d.code for d in newest_first(client)} == {"bad_payload"}
    assert not [m for m in client.zrange(keys.MACHINES, 0, -1) if not NAME.fullmatch(m.decode())]
