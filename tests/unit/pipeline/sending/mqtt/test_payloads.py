"""From payloads to the fields of an entry."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from vtox.motor.errors import InputError, WireError
from vtox.motor.values.domain import Window
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.sending.mqtt.mapping import TopicRule
from vtox.pipeline.sending.mqtt.payloads import Message, Samples, Scalars, refusal, samples_of
from vtox.pipeline.windows.wire import decode

COUNTS = np.array([[1, -2, 3], [4, 5, -6]], "<i2")


def rule(**values: Any) -> TopicRule:
    given = {"topic": "m/{machine_id}", "format": "entry", "machine_id": "{machine_id}"} | values
    if isinstance(given.get("channels"), list):
        given["channels"] = {c: c for c in given["channels"]}
    return TopicRule(**given)


def window(of: TopicRule, payload: bytes | object, **properties: str) -> Window:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    samples = samples_of(of, {"machine_id": "M1"}, Message("m/M1", raw, properties=properties))
    assert isinstance(samples, Samples)
    assert samples.machine_id == "M1"
    fields = {"seq": "0", "t0": "1"} | samples.fields
    return decode(
        {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()}
    )


NESTED = {
    "seq": 7,
    "t0": 5.5,
    "fs_hz": 1000,
    "channels": {"ia": [1, 2.5], "vbc": [3, 4]},
    "speed_rpm": 1450,
}
FLAT = {
    "machine_id": "M1",
    "seq": 7,
    "t0": 5.5,
    "fs_hz": 1000,
    "ia": [1, 2.5],
    "vbc": [3, 4],
    "speed_rpm": 1450,
}
COUNTED = {
    "fs_hz": 1000,
    "dtype": "i2",
    "ia": base64.b64encode(COUNTS[0].tobytes()).decode(),
    "scale_ia": 0.5,
}


def test_an_entry_may_be_nested_as_over_http_or_flat_as_in_the_stream() -> None:
    for body in (NESTED, FLAT):
        got = window(rule(), body)
        assert (got.seq, got.t0, got.fs_hz, got.speed_rpm) == (7, 5.5, 1000, 1450)
        assert got.channels["ia"].tolist() == [1, 2.5]
        assert got.channels["vbc"].tolist() == [3, 4]
    assert window(rule(), COUNTED).channels["ia"].tolist() == [0.5, -1, 1.5]


def test_an_entry_without_number_and_time_has_neither() -> None:
    samples = samples_of(
        rule(), {"machine_id": "M1"}, Message("m/M1", json.dumps(COUNTED).encode())
    )
    assert not {"seq", "t0"} & samples.fields.keys()


def test_counts_arrive_as_they_are() -> None:
    of = rule(format="i2", dtype="i2", channels=["ia", "ib"], fs_hz=1000, scale={"ia": 0.5})
    got = window(of, COUNTS.tobytes())
    assert got.channels["ia"].tolist() == [0.5, -1, 1.5]
    assert got.channels["ib"].tolist() == [4, 5, -6]
    interleaved = rule(format="i2", channels=["ia", "ib"], fs_hz=1000, layout="interleaved")
    assert window(interleaved, COUNTS.T.tobytes()).channels["ib"].tolist() == [4, 5, -6]


def test_floats_and_json_are_scaled() -> None:
    of = rule(format="f4", channels=["vab"], fs_hz=1000, scale={"vab": 2.0})
    assert window(of, np.array([1.5, 2], "<f4").tobytes()).channels["vab"].tolist() == [3, 4]
    of = rule(format="json", channels=["ia", "ib"], fs_hz=1000, scale={"ia": 0.5})
    assert window(of, COUNTS.tolist()).channels["ia"].tolist() == [0.5, -1, 1.5]
    one = rule(format="json", channels=["ia"], fs_hz=1000)
    assert window(one, [1, 2, 3]).channels["ia"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("scale", [1.0, 1e300])
def test_numbers_that_overflow_are_refused_as_infinite(scale: float) -> None:
    of = rule(format="json", channels=["ia"], fs_hz=1000, scale={"ia": scale})
    with pytest.raises(WireError, match="not finite"):
        window(of, [1.0, 1e200])


def test_user_properties_say_what_plain_arrays_cannot() -> None:
    of = rule(format="i2", channels=["ia"], fs_hz=1000)
    got = window(of, COUNTS[0].tobytes(), seq="9", t0="5.25", fs_hz="500", run="r2")
    assert (got.seq, got.t0, got.fs_hz, got.run) == (9, 5.25, 500, "r2")


I2 = {"format": "i2", "channels": ["ia", "ib"], "fs_hz": 1000}


@pytest.mark.parametrize(
    ("values", "payload", "properties", "words"),
    [
        ({}, b"{", {}, ["JSON"]),
        ({}, b"[1]", {}, ["array", "object"]),
        ({}, b'{"fs_hz": 1000, "channels": {"i1": [1]}}', {}, ["channels.i1", "expected ia"]),
        ({}, b'{"fs_hz": "fast", "ia": [1]}', {}, ["fs_hz", "number"]),
        ({}, b'{"machine_id": "M2", "ia": [1]}', {}, ["M2", "M1"]),
        (I2, b"12345", {}, ["5 bytes", "multiple of 4", "ia, ib"]),
        (I2, b"", {}, ["0 bytes"]),
        (I2 | {"format": "json"}, b"[1, 2]", {}, ["(2,)", "each of ia, ib"]),
        (I2 | {"format": "json"}, b"[[1], [1, 2]]", {}, ["different lengths"]),
        (I2 | {"fs_hz": None}, b"1234", {}, ["fs_hz", "missing"]),
        (I2, b"1234", {"t0": "noon"}, ["t0", "'noon'"]),
        (I2 | {"format": "f4"}, np.full(2, np.nan, "<f4").tobytes(), {}, []),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(
    values: dict[str, Any], payload: bytes, properties: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(InputError) as raised:
        window(rule(**values), payload, **properties)
    assert all(w in str(raised.value) for w in words), raised.value


def test_a_refusal_has_the_topic_and_the_beginning_of_what_came() -> None:
    fields = refusal(Message("m/M1", bytes(10_000)), "M1", "x" * 600, "i2")
    assert str(fields["refused"]).startswith("topic m/M1: xxx")
    assert len(fields["refused"]) == 500
    assert len(fields["payload"]) == 4096
    assert fields["machine_id"] == "M1"


def test_scalars_come_beside_samples_or_alone() -> None:
    scalars = {"oil_pressure": [2.1, "bar"]}
    assert window(rule(), NESTED | {"scalars": scalars}).scalars == {"oil_pressure": (2.1, "bar")}
    alone = json.dumps({"t": 5.5, "scalars": scalars}).encode()
    found = samples_of(rule(), {"machine_id": "M1"}, Message("m/M1", alone))
    assert found == Scalars([ScalarReading("M1", 5.5, "oil_pressure", 2.1, "bar")])
