"""One codec: dataclasses by type, as JSON and as flat fields; impossible values are absent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtox.motor.values.codec import (
    DEPTH_MAX,
    JSON_MAX,
    Number,
    Prefix,
    Time,
    decode,
    decode_fields,
    encode,
    encode_fields,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    name: str
    t: Time = 0.0
    level: Literal["low", "high"] = "low"
    on: bool = False
    x: Number | None = None
    text: str | None = None
    parts: tuple[Part, ...] = ()
    values: Mapping[str, float | int | str | tuple[str, ...]] = field(default_factory=dict)
    first: Part | None = None
    counts: Annotated[Mapping[str, int], Prefix("count:")] = field(default_factory=dict)


class Pair(NamedTuple):
    a: int
    b: float | None


@dataclass(slots=True)
class Measured:
    name: str
    n: Mapping[str, Any]
    pair: Pair


wholes = st.builds(
    Whole,
    name=st.text(),
    t=st.floats(0, 1e11),
    level=st.sampled_from(["low", "high"]),
    on=st.booleans(),
    x=st.none() | st.floats(-1e100, 1e100),
    parts=st.lists(st.builds(Part, name=st.text(), n=st.integers(0, 99))).map(tuple),
    values=st.dictionaries(st.text(), st.integers(-9, 9) | st.text() | st.floats(-9, 9)),
    first=st.none() | st.builds(Part, name=st.text()),
    counts=st.dictionaries(st.sampled_from("abc"), st.integers(0, 99)),
)


def stored(value: Whole) -> dict[bytes, bytes]:
    """Flat fields as a server returns them."""

    def raw(x: Any) -> bytes:
        return x if isinstance(x, bytes) else str(x).encode()

    return {n.encode(): raw(x) for n, x in encode_fields(value).items() if x is not None}


def test_a_dataclass_has_the_json_of_its_plain_data() -> None:
    numbers = {"a": np.float32(0.1), "b": np.float64("nan"), "c": np.arange(2)}
    expected = {"name": "é\n", "n": numbers, "pair": (1, None)}
    assert encode(Measured("é\n", numbers, Pair(1, None))) == encode(expected)
    with pytest.raises(TypeError):
        encode(Measured("x", {"a": object()}, Pair(1, None)))


@given(wholes)
def test_what_is_encoded_is_decoded(value: Whole) -> None:
    assert decode(Whole, encode(value)) == value
    assert decode_fields(Whole, stored(value)) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t", "-1"),
        ("t", "soon"),
        ("x", "nan"),
        ("x", "1e101"),
        ("x", ""),
        ("level", "middle"),
        ("parts", "{"),
        ("parts", '[{"n":1}]'),
        ("parts", '"' + "x" * JSON_MAX + '"'),
        ("values", "[" * (DEPTH_MAX + 2) + "]" * (DEPTH_MAX + 2)),
        ("values", '{"a":"\\ud800"}'),
        ("values", '{"a":null}'),
        ("first", "7"),
        ("later", "x"),
    ],
)
def test_what_a_field_may_not_hold_is_absent(name: str, text: str) -> None:
    fields = {b"name": b"a", b"on": b"1", name.encode(): text.encode()}
    assert decode_fields(Whole, fields) == Whole(name="a", on=True)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b"{}", b'{"name":7}', b"[" * 999])
def test_a_required_field_that_is_absent_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(Whole, text)
