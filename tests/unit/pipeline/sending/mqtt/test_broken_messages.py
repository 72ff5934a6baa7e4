"""Any message leads to the action it asks for or to a refusal, and to nothing else."""

import json
import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.broken_entries import TEXTS
from tests.unit.pipeline.sending.mqtt.test_payloads import FLAT, NESTED, rule
from tests.unit.pipeline.sending.mqtt.test_sparkplug import RULE
from vtox.motor.errors import InputError
from vtox.motor.values.plain_names import NAME
from vtox.pipeline.sending.mqtt import sparkplug_nodes
from vtox.pipeline.sending.mqtt.mapping import TopicRule
from vtox.pipeline.sending.mqtt.payloads import (
    Action,
    Birth,
    Message,
    Nameplate,
    Samples,
    refusal,
    samples_of,
)
from vtox.pipeline.sending.mqtt.sparkplug import Payload, parse_topic
from vtox.pipeline.sending.mqtt.sparkplug_nodes import Births
from vtox.pipeline.store.stream.unreadable import Unreadable, read
from vtox.pipeline.windows.wire import entry_header

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)
ROWS = rule(format="json", channels=["ia", "ib"])
COUNTS = rule(format="i2", channels=["ia"], fs_hz=1000)
FLOATS = rule(format="f4", channels=["ia", "ib"], layout="interleaved", fs_hz=1000)
# `nan`, `inf` and numbers that no float holds, as a node or a property may send them.
NUMBERS = ("nan", "inf", "-inf", "1e400", "-1", "1e308", "9" * 400, "", "x", "\u0661", "1_0")
texts = st.sampled_from(["", "x", "1", "M1", "i2", "\u20ac", "x" * 99])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = scalars | st.lists(scalars, max_size=4) | st.dictionaries(texts, scalars, max_size=2)
fields = st.sampled_from([*FLAT, *NESTED, "run", "dtype", "scale", "scale_ia", "temperature_c"])
channels = st.dictionaries(st.sampled_from(["ia", "ib", "va", "x"]), values)
bodies = st.dictionaries(fields | st.just("channels"), values | channels).map(lambda b: FLAT | b)


def outcome(of: TopicRule, payload: bytes, **properties: str) -> Samples | Unreadable:
    """Return the outcome of a message; a window is one that the stream takes, or is refused."""
    message = Message("m/M1", payload, properties=properties)

    def follow() -> Samples:
        samples = samples_of(of, {"machine_id": "M1"}, message)
        entry_header({"seq": "0", "t0": "1"} | samples.fields)
        return samples

    found = read(follow)
    if isinstance(found, Unreadable):
        letter = refusal(message, "M1", found.reason, of.format)
        assert all(isinstance(x, bytes) or x.encode() for x in letter.values())
    return found


@pytest.mark.parametrize("of", [rule(), ROWS, COUNTS, FLOATS])
@pytest.mark.parametrize("payload", TEXTS)
def test_no_payload_raises(of: TopicRule, payload: bytes) -> None:
    assert outcome(of, payload)


@settings(quick)
@given(bodies)
def test_no_body_of_json_raises(body: dict[str, Any]) -> None:
    assert outcome(rule(), json.dumps(body).encode())


@settings(quick)
@given(st.binary(), st.dictionaries(st.sampled_from(["seq", "t0", "fs_hz", "run"]), st.text()))
def test_no_bytes_and_no_properties_raise(payload: bytes, properties: dict[str, str]) -> None:
    for of in (ROWS, COUNTS, FLOATS):
        assert outcome(of, payload, **properties)


@pytest.mark.parametrize("name", ["seq", "t0", "fs_hz", "speed_rpm", "temperature_c"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_property_that_is_no_number_is_an_input_error(name: str, number: str) -> None:
    if number in ("-1", "1e308", "\u0661", "1_0"):
        assert outcome(COUNTS, bytes(200), **{name: number})
        return
    message = Message("m/M1", bytes(200), properties={name: number})
    with pytest.raises(InputError, match=f"{name}: .*expected a finite number"):
        samples_of(COUNTS, {"machine_id": "M1"}, message)


@pytest.fixture(scope="module")
def births(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Births]:
    with closing(Births(tmp_path_factory.mktemp("births") / "state")) as opened:
        yield opened


# Fields of a metric that may hold its value, with their possible values.
METRIC_VALUES = (
    *(st.fixed_dictionaries({"double_value": st.floats()}),),
    *(st.fixed_dictionaries({"float_value": st.floats(width=32)}),),
    st.fixed_dictionaries({"int_value": st.integers(0, 2**32 - 1)}),
    st.fixed_dictionaries({"long_value": st.integers(0, 2**64 - 1)}),
    st.fixed_dictionaries({"string_value": st.text(max_size=9)}),
    st.fixed_dictionaries({"bytes_value": st.binary(max_size=33)}),
    st.fixed_dictionaries({"boolean_value": st.booleans()}),
    st.just({}),
)
metric_names = st.sampled_from(
    [*RULE.nameplate.values(), *RULE.channels.values(), "t0", "fs_hz", "seq", "bdSeq", "run", ""]
)
metrics = st.tuples(
    metric_names,
    st.one_of(METRIC_VALUES),
    st.integers(0, 40),
    st.none() | st.integers(0, 2**64 - 1),
    st.none() | st.integers(0, 9),
)
topics = st.sampled_from(["NBIRTH", "DBIRTH", "NDATA", "DDATA", "NDEATH", "DDEATH"]).flatmap(
    lambda kind: st.sampled_from(["/M1", "/M 1", "", "/\u20ac", "/" + "x" * 99]).map(
        lambda device: f"spBv1.0/Plant/{kind}/N1{device}"
    )
)


def payload_of(found: list[Any]) -> bytes:
    payload = Payload()
    for name, value, datatype, timestamp, alias in found:
        more = {"timestamp": timestamp, "alias": alias}
        given = {k: v for k, v in more.items() if v is not None}
        payload.metrics.add(name=name, datatype=datatype, **value, **given)
    return bytes(payload.SerializeToString())


def followed(births: Births, topic: str, payload: bytes) -> list[Action] | Unreadable:
    found: list[Action] = []

    def follow() -> list[Action]:
        for action in sparkplug_nodes.actions(RULE, births, Message(topic, payload)):
            found.append(action)
            if isinstance(action, Birth):
                births.keep(action)
            elif isinstance(action, Samples):
                entry_header({"seq": "0", "t0": "1"} | action.fields)
        return found

    outcome = read(follow)
    for action in found:
        if isinstance(action, Nameplate):
            assert NAME.fullmatch(action.machine_id)
            assert all(math.isfinite(x or 0) for x in (action.motor.supply_hz,))
    return outcome


@settings(quick, max_examples=150)
@given(topics, st.lists(metrics, max_size=4).map(payload_of) | st.binary(max_size=40))
def test_no_message_of_sparkplug_raises(births: Births, topic: str, payload: bytes) -> None:
    assert parse_topic(topic)
    assert followed(births, topic, payload) is not None


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e300, 2.5, -1.0])
def test_a_count_that_is_none_refuses_the_nameplate_and_keeps_the_birth(
    births: Births, number: float
) -> None:
    payload = Payload()
    payload.metrics.add(name="Properties/pole_pairs", datatype=10, double_value=number)
    payload.metrics.add(name="window/ia", alias=7, datatype=17)
    topic = "spBv1.0/Plant/DBIRTH/N1/M9"
    refused = followed(births, topic, payload.SerializeToString())
    assert isinstance(refused, Unreadable)
    assert "pole_pairs" in refused.reason
    assert births.get(topic) is not None


@settings(quick)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_no_topic_raises(topic: str) -> None:
    levels = rule().levels(topic)
    assert levels is None or rule().machine(levels) == topic.partition("/")[2]
    read(sparkplug_nodes.machine_of, RULE, topic)


def test_a_birth_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    with closing(Births(tmp_path / "state")) as births:
        births.keep(Birth("spBv1.0/Plant/DBIRTH/N1/M1", b"\xff\xff", []))
    with closing(Births(tmp_path / "state")) as births:
        assert births.get("spBv1.0/Plant/DBIRTH/N1/M1") is None
