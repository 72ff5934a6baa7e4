"""Sparkplug B: payloads that the JavaScript library `sparkplug-payload` 1.0.3 has written."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from vtox.motor.errors import InputError
from vtox.motor.values.domain import Motor
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.sending.mqtt import sparkplug, sparkplug_nodes
from vtox.pipeline.sending.mqtt.mapping import TopicRule
from vtox.pipeline.sending.mqtt.payloads import (
    Action,
    Birth,
    Departure,
    Message,
    Nameplate,
    Rebirth,
    Samples,
    Scalars,
)
from vtox.pipeline.sending.mqtt.sparkplug import Payload
from vtox.pipeline.sending.mqtt.sparkplug_nodes import Births

BIRTH = bytes.fromhex(
    "08fad1dfb4ab33120b0a05626453657120085803121b0a1550726f706572746965732f706f6c655f706169727320"
    "035002121d0a1450726f706572746965732f737570706c795f687a2009650000484212270a1a50726f7065727469"
    "65732f72617465645f73706565645f72706d200a690000000000a89640121b0a1150726f706572746965732f7375"
    "70706c79200c7a046772696412160a0977696e646f772f6961100720118201040100feff121b0a0c77696e646f77"
    "2f66735f687a1008200a690000000000408f4012080a026f6b200b70011800"
)
DATA = bytes.fromhex(
    "08e2d9dfb4ab331212100718e8d7dfb4ab33201182010402000300120d1008200a690000000000408f40120d0a03"
    "6e6567200350fbffffff0f1801"
)
RULE = TopicRule(
    topic="Plant",
    format="sparkplug",
    machine_id="{device}",
    channels={"ia": "window/ia"},
    scale={"ia": 0.5},
    fs_hz=1000,
    nameplate={
        "pole_pairs": "Properties/pole_pairs",
        "supply_hz": "Properties/supply_hz",
        "rated_speed_rpm": "Properties/rated_speed_rpm",
    },
)


@pytest.fixture
def births(tmp_path: Path) -> Iterator[Births]:
    with closing(Births(tmp_path / "state")) as births:
        yield births


def asked_for(births: Births, message: Message) -> list[Action]:
    """The actions that a message asks for, its birth kept as the gateway does."""
    found = list(sparkplug_nodes.actions(RULE, births, message))
    for birth in found:
        if isinstance(birth, Birth):
            births.keep(birth)
    return [a for a in found if not isinstance(a, Birth)]


def make_message(kind: str, payload: bytes, device: str = "M1") -> Message:
    return Message("/".join(p for p in ("spBv1.0", "Plant", kind, "N1", device) if p), payload)


def death(bd_seq: int) -> bytes:
    payload = Payload(timestamp=1)
    payload.metrics.add(name="bdSeq", datatype=8, long_value=bd_seq)
    return bytes(payload.SerializeToString())


def test_metrics_are_those_that_were_written() -> None:
    values = {m.name: m.value for m in sparkplug.metrics(BIRTH)}
    assert values == {
        "bdSeq": 3,
        "Properties/pole_pairs": 2,
        "Properties/supply_hz": 50.0,
        "Properties/rated_speed_rpm": 1450.0,
        "Properties/supply": "grid",
        "window/ia": b"\x01\x00\xfe\xff",
        "window/fs_hz": 1000.0,
        "ok": True,
    }
    ia, _, negative = sparkplug.metrics(DATA)
    assert (ia.alias, ia.t, negative.value) == (7, 1_764_000_001.0, -5)


def test_a_birth_registers_and_data_are_read_by_its_aliases(births: Births, tmp_path: Path) -> None:
    plate, _ = asked_for(births, make_message("DBIRTH", BIRTH))
    assert plate == Nameplate("M1", Motor(pole_pairs=2, supply_hz=50.0, rated_speed_rpm=1450.0))
    births.close()
    with closing(Births(tmp_path / "state")) as after_a_restart:
        (samples,) = asked_for(after_a_restart, make_message("DDATA", DATA))
    assert isinstance(samples, Samples)
    assert samples.machine_id == "M1"
    assert samples.fields["ia"] == b"\x02\x00\x03\x00"
    assert samples.fields["scale_ia"] == "0.5"
    assert samples.fields["t0"] == "1764000001.0"
    assert "seq" not in samples.fields


def test_data_of_an_unknown_birth_ask_for_it(births: Births) -> None:
    assert asked_for(births, make_message("DDATA", DATA)) == [Rebirth("spBv1.0/Plant/NCMD/N1")]
    (metric,) = sparkplug.metrics(sparkplug.rebirth_command())
    assert (metric.name, metric.value) == ("Node Control/Rebirth", True)


def test_a_death_takes_its_devices_along_but_not_one_of_an_earlier_session(births: Births) -> None:
    asked_for(births, make_message("NBIRTH", BIRTH, ""))
    for device in ("M1", "M2"):
        asked_for(births, make_message("DBIRTH", BIRTH, device))
    assert asked_for(births, make_message("NDEATH", death(2), "")) == []
    departed = asked_for(births, make_message("NDEATH", death(3), ""))
    assert departed == [Departure("M1"), Departure("M2")]
    assert asked_for(births, make_message("DDEATH", b"", "M2")) == [Departure("M2")]


def test_what_is_no_payload_or_no_samples_is_said(births: Births) -> None:
    with pytest.raises(InputError, match="protobuf"):
        asked_for(births, make_message("DDATA", b"\xff\xff"))
    payload = Payload(timestamp=1000)
    payload.metrics.add(name="window/ia", datatype=17, bytes_value=b"123")
    with pytest.raises(InputError, match="3 bytes"):
        asked_for(births, make_message("DDATA", payload.SerializeToString()))


def test_arrays_have_the_type_that_they_say() -> None:
    payload = Payload(timestamp=1000)
    payload.metrics.add(name="a", datatype=30, bytes_value=b"\x00\x00\x80\x3f")
    (metric,) = sparkplug.metrics(payload.SerializeToString())
    assert sparkplug.samples(metric, "i2").tolist() == [1.0]


def test_other_topics_and_kinds_ask_for_nothing(births: Births) -> None:
    assert sparkplug.parse_topic("spBv1.0/STATE/host") is None
    assert asked_for(births, make_message("DCMD", BIRTH)) == []


def test_metrics_are_scalars_at_their_own_time(births: Births) -> None:
    rule = replace(RULE, scalars={"oil": ("Oil", "bar"), "winding": ("T1", "degC")})
    payload = Payload(timestamp=1_764_000_009_000)
    payload.metrics.add(name="Oil", datatype=10, double_value=2.5, timestamp=1_764_000_001_000)
    payload.metrics.add(name="T1", datatype=3, int_value=81)
    payload.metrics.add(name="window/ia", datatype=17, bytes_value=b"\1\0" * 8)
    message = make_message("DDATA", payload.SerializeToString())
    scalars, window = sparkplug_nodes.actions(rule, births, message)
    oil = ScalarReading("M1", 1_764_000_001.0, "oil", 2.5, "bar")
    assert scalars == Scalars([oil, ScalarReading("M1", 1_764_000_009.0, "winding", 81.0, "degC")])
    assert isinstance(window, Samples)


def test_a_metric_that_is_no_reading_keeps_nothing_back(births: Births) -> None:
    rule = replace(RULE, scalars={"oil": ("Oil", "bar"), "level": ("Level", "mm")})
    payload = Payload(timestamp=1_764_000_009_000)
    payload.metrics.add(name="Oil", datatype=12, string_value="high")
    payload.metrics.add(name="Level", datatype=10, double_value=3.0)
    found = sparkplug_nodes.actions(
        rule, births, make_message("DDATA", payload.SerializeToString())
    )
    assert isinstance(next(found), Scalars)
    with pytest.raises(InputError, match="oil: 'high', expected a finite number"):
        next(found)
