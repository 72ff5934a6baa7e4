import json

import numpy as np
import pytest

from vtox.motor.errors import WireError
from vtox.motor.values.domain import Window
from vtox.pipeline.windows.wire import (
    WIRE_CODES,
    Limits,
    decode,
    decode_channels,
    decode_header,
    encode,
)


def entry(**changes: object) -> dict[bytes, bytes]:
    fields: dict[str, object] = {
        "machine_id": "V001",
        "seq": 17,
        "t0": 1764000000.25,
        "fs_hz": 10_000,
        "dtype": "i2",
        "ia": np.arange(50, dtype="<i2").tobytes(),
        "ib": np.ones(50, "<i2").tobytes(),
        "scale_ia": 0.5,
    }
    fields |= changes
    return {
        k.encode(): v if isinstance(v, bytes) else str(v).encode()
        for k, v in fields.items()
        if v is not None
    }


@pytest.mark.parametrize("x", [np.int16([-32768, 5, 100]), np.array([1e-320, 0.0])])
def test_extreme_samples_are_scaled(x: np.ndarray) -> None:
    sent = encode(Window(machine_id="M", seq=0, t0=1.0, fs_hz=1e3, channels={"ia": x}))
    got = decode({k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in sent.items()})
    np.testing.assert_allclose(got.channels["ia"], x, atol=0.5)


@pytest.mark.parametrize("dtype", ["i2", "f4", "json"])
def test_round_trip(dtype: str) -> None:
    rng = np.random.default_rng(1)
    sent = Window(
        machine_id="M-1",
        seq=2**50,
        t0=1.7e9,
        fs_hz=1234.5,
        run="r1",
        vehicle_id="V",
        speed_rpm=1478.0,
        temperature_c=-3.5,
        channels={
            "ia": rng.normal(size=100),
            "vab": rng.normal(size=100),
            "vibration": 1e-6 * rng.normal(size=100),
        },
    )
    fields = {
        k.encode(): v if isinstance(v, bytes) else v.encode()
        for k, v in encode(sent, dtype).items()
    }
    got = decode(fields)
    assert {
        f: getattr(got, f)
        for f in (
            "machine_id",
            "seq",
            "t0",
            "fs_hz",
            "run",
            "vehicle_id",
            "speed_rpm",
            "temperature_c",
        )
    } == {
        f: getattr(sent, f)
        for f in (
            "machine_id",
            "seq",
            "t0",
            "fs_hz",
            "run",
            "vehicle_id",
            "speed_rpm",
            "temperature_c",
        )
    }
    for name, x in sent.channels.items():
        np.testing.assert_allclose(got.channels[name], x, atol=np.abs(x).max() / 32767)


def test_counts_times_scale_are_units() -> None:
    window = decode(entry())
    np.testing.assert_allclose(window.channels["ia"], 0.5 * np.arange(50))
    np.testing.assert_allclose(window.channels["ib"], np.ones(50))


def test_entries_are_joined_each_with_its_own_scale() -> None:
    by_hand = entry(dtype="json", ia="[7, 8]", ib="[0, 0]", scale_ia=None)
    joined = decode_channels(entry(), by_hand, entry(scale_ia=2))
    counts = np.arange(50)
    assert joined["ia"].dtype == np.float32
    np.testing.assert_array_equal(joined["ia"], [*(0.5 * counts), 7, 8, *(2 * counts)])
    assert len(joined["ib"]) == 102


def test_entry_made_by_hand_needs_no_dtype() -> None:
    window = decode(entry(dtype=None, ia="[1, 2.5, 3]", ib="[0,0,0]", scale_ia=None))
    np.testing.assert_allclose(window.channels["ia"], [1, 2.5, 3])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("missing_field", {"machine_id": None}),
        ("missing_field", {"seq": None}),
        ("missing_field", {"t0": None}),
        ("missing_field", {"fs_hz": None}),
        ("bad_machine_id", {"machine_id": ""}),
        ("bad_machine_id", {"machine_id": "a b"}),
        ("bad_machine_id", {"machine_id": b"\xff\xfe"}),
        ("bad_machine_id", {"machine_id": "x" * 65}),
        ("bad_machine_id", {"run": "a|b"}),
        ("bad_number", {"seq": -1}),
        ("bad_number", {"seq": 1.5}),
        ("bad_number", {"seq": "seven"}),
        ("bad_number", {"seq": 2**60}),
        ("bad_number", {"t0": "nan"}),
        ("bad_number", {"t0": 0}),
        ("bad_number", {"speed_rpm": -1}),
        ("bad_number", {"scale_ia": "inf"}),
        ("bad_number", {"scale_ia": 0}),
        ("bad_number", {"scale_ia": "1e300"}),
        ("bad_rate", {"fs_hz": 0}),
        ("bad_rate", {"fs_hz": 1e12}),
        ("bad_rate", {"fs_hz": -10_000}),
        ("bad_version", {"v": 2}),
        ("bad_dtype", {"dtype": "f8"}),
        ("no_channels", {"ia": None, "ib": None}),
        ("bad_length", {"ia": b"\x00" * 99}),
        ("bad_length", {"ib": b"\x00" * 98}),
        ("bad_length", {"ia": b"", "ib": b""}),
        ("bad_json", {"dtype": "json", "ia": "[1,", "ib": "[1]"}),
        ("bad_json", {"dtype": "json", "ia": "[[1]]", "ib": "[1]"}),
        ("bad_json", {"dtype": "json", "ia": "3", "ib": "[1]"}),
        ("bad_json", {"dtype": "json", "ia": "[" * 5000, "ib": "[1]"}),
        ("bad_json", {"dtype": "json", "ia": '["x"]', "ib": "[1]"}),
        ("not_finite", {"dtype": "json", "ia": "[NaN]", "ib": "[1]"}),
        (
            "not_finite",
            {"dtype": "f4", "ia": np.float32([np.inf]).tobytes(), "ib": np.float32([1]).tobytes()},
        ),
        ("too_large", {"dtype": "json", "ia": "[" + "1," * 2001, "ib": "[1]"}),  # not parsed first
        ("too_large", {"ia": b"\x00" * 4002, "ib": b"\x00" * 4002}),
        ("too_large", {"ia": b"\x00" * 9000, "ib": b"\x00" * 9000}),
    ],
)
def test_what_is_wrong_is_named(code: str, changes: dict[str, object]) -> None:
    assert code in WIRE_CODES
    with pytest.raises(WireError) as caught:
        decode_header(entry(**changes), Limits(max_bytes=10_000, max_samples=2000))
    assert caught.value.code == code
    assert str(caught.value)


def test_the_channel_that_differs_in_length_is_named() -> None:
    with pytest.raises(WireError, match="'ib': 49") as caught:
        decode_header(entry(ib=bytes(98), ic=bytes(100)), Limits())
    assert caught.value.field == "ib"


def test_bytes_without_a_dtype_are_explained() -> None:
    with pytest.raises(WireError, match="dtype i2 or f4 for bytes"):
        decode_header(entry(dtype=None), Limits())


def test_unknown_fields_are_no_error() -> None:
    assert decode_header(entry(firmware="1.2", gps=b"\x00\xff"), Limits()).samples == 50


def test_a_huge_json_number_is_refused_not_infinite() -> None:
    with pytest.raises(WireError):
        decode(entry(dtype="json", ia=json.dumps([10**400]), ib="[1]"))
