"""The one codec of stored values: a dataclass by its type, as JSON or as flat fields.

The names of the fields are the contract. Unknown ones are ignored, as another version may have
them. A value that its field may not hold counts as absent, as other programs may write anything. A
required field that is absent is an error. Flat fields are those of a hash or a stream entry: name
and text, where a text that is neither text nor number is JSON. ADR 28 says why msgspec decodes.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
import orjson
from msgspec import inspect

T = TypeVar("T")
# As `cache` wants only hashable arguments, which mypy does not take classes for.
_cached = cast("Callable[[Callable[[Any], T]], Callable[[Any], T]]", cache)
RawFields = Mapping[bytes, bytes]
# No quantity is larger, so that sums stay finite; and no time, s since 1970.
NUMBER_MAX, TIME_MAX_S = 1e100, 1e11
Number = Annotated[float, msgspec.Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)]
Time = Annotated[float, msgspec.Meta(ge=0.0, le=TIME_MAX_S)]
# Characters of a text that others may have written: the longest of ours has a tenth.
TEXT_MAX = 4000
# Bytes of JSON in a field: the detail of a result has some thousand. Its levels: ours have four,
# and Python itself follows no more than a thousand.
JSON_MAX, DEPTH_MAX = 1 << 18, 16

_ABSENT = object()
_NESTED = (dict, list)
_FLAT = (
    inspect.StrType,
    inspect.IntType,
    inspect.FloatType,
    inspect.BoolType,
    inspect.LiteralType,
    inspect.NoneType,
)


@dataclass(frozen=True, slots=True)
class Prefix:
    """Annotates a mapping whose items are separate flat fields, named prefix and key."""

    text: str


def encode(value: Any) -> bytes:
    """Return compact JSON; numpy scalars are numbers, and infinite or NaN is null: not known.

    A named tuple is an array, which takes no room for names.
    """
    if hasattr(value, "__dataclass_fields__"):
        return _of_dataclasses.encode(value)
    return orjson.dumps(value, default=_array, option=orjson.OPT_SERIALIZE_NUMPY)


def _array(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple):
        raise TypeError(f"{type(value).__name__} has no JSON")
    return tuple(value)


# It has no call for each named tuple: the history of a machine takes half the time. orjson takes
# two thirds of its time for plain data.
_of_dataclasses = msgspec.json.Encoder(enc_hook=lambda x: msgspec.Raw(_numbers(x)))


def _numbers(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def loads(text: bytes | str) -> Any:
    """Return the value of JSON: finite numbers, and texts that are Unicode.

    Raises `ValueError`: it is not JSON, or has more than `DEPTH_MAX` levels.
    """
    value = orjson.loads(text)
    inner, levels = [value] if type(value) in _NESTED else [], DEPTH_MAX
    while inner and levels:
        tables = (x.values() if type(x) is dict else x for x in inner)
        inner = [v for some in tables for v in some if type(v) in _NESTED]
        levels -= 1
    if inner:
        raise ValueError(f"JSON of more than {DEPTH_MAX} levels")
    return value


def decode(kind: type[T], text: bytes | str, *, strict: bool = False) -> T:
    """Return the value of JSON; if `strict`, no field may hold a value that its type forbids.

    Raises `ValueError`: it is not JSON, or a required field is absent.
    """
    table = loads(text)
    return msgspec.convert(table, kind) if strict else from_plain(kind, table)


def from_plain(kind: type[T], table: Any) -> T:
    """Return the value of plain data; texts may be numbers.

    Raises `ValueError`: a required field is absent.
    """
    try:
        return msgspec.convert(table, kind, strict=False)
    except msgspec.ValidationError:
        found = _possible(table, kind)
        if found is _ABSENT:
            raise
        return cast("T", found)


def decode_or_none(kind: type[T], text: bytes | None) -> T | None:
    """Return the value of JSON, None if there is none that can be read."""
    if not text:
        return None
    # Straight into the type, in a third of the time; else each field is looked at.
    with suppress(msgspec.MsgspecError, RecursionError):
        return cast("T", _decoder(kind).decode(text))
    try:
        return decode(kind, text)
    except ValueError:
        return None


@_cached
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


def encode_fields(value: Any) -> dict[str, Any]:
    """Return the flat fields of a dataclass, None if a value is absent."""
    shape = _shape(type(value))
    flat: dict[str, Any] = {}
    for f in fields(value):
        item = getattr(value, f.name)
        if f.name in shape.prefixes:
            flat |= {shape.prefixes[f.name] + key: x for key, x in item.items()}
        elif f.name in shape.nested:
            flat[f.name] = None if item is None else encode(item)
        else:
            flat[f.name] = int(item) if isinstance(item, bool) else item
    return flat


def decode_fields(kind: type[T], stored: RawFields) -> T:
    """Return the value of flat fields.

    Raises `ValueError`: a required field is absent.
    """
    return from_plain(kind, table_of_fields(kind, stored))


def table_of_fields(kind: type, stored: RawFields) -> dict[str, Any]:
    """Return flat fields as plain data, if the type has them."""
    shape = _shape(kind)
    table: dict[str, Any] = {name: {} for name in shape.prefixes}
    for raw_name, raw in stored.items():
        name = raw_name.decode("utf-8", "replace")
        if name in shape.nested:
            if (value := json_of_field(raw)) is not None:
                table[name] = value
        elif name in shape.texts or (raw and name in shape.numbers):
            table[name] = raw.decode("utf-8", "replace")[:TEXT_MAX]
        else:
            for field, prefix in shape.prefixes.items():
                if name.startswith(prefix):
                    table[field][name.removeprefix(prefix)] = raw.decode("utf-8", "replace")
    return table


def json_of_field(text: bytes | None) -> Any:
    """Return the value of JSON in a field, None if it is no JSON or too long."""
    try:
        return loads(text) if text and len(text) <= JSON_MAX else None
    except ValueError:
        return None


def plain(value: Any) -> Any:
    """Return the plain data of a value, as its JSON has it."""
    return orjson.loads(encode(value))


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the fields of a dataclass are written flat, by name."""

    texts: frozenset[str]
    numbers: frozenset[str]
    nested: frozenset[str]
    prefixes: Mapping[str, str]


@_cached
def _shape(kind: Any) -> _Shape:
    hints = _hints(kind)
    prefixes = {
        name: item.text
        for name, hint in hints.items()
        for item in getattr(hint, "__metadata__", ())
        if isinstance(item, Prefix)
    }
    kinds = {name: _alternatives(hint) for name, hint in hints.items() if name not in prefixes}
    flat = {name for name, k in kinds.items() if all(isinstance(x, _FLAT) for x in k)}
    texts = {name for name in flat if any(isinstance(x, inspect.StrType) for x in kinds[name])}
    return _Shape(
        frozenset(texts), frozenset(flat - texts), frozenset(kinds.keys() - flat), prefixes
    )


def _alternatives(hint: Any) -> tuple[inspect.Type, ...]:
    found = inspect.type_info(hint)
    return found.types if isinstance(found, inspect.UnionType) else (found,)


@_cached
def _hints(kind: Any) -> Mapping[str, Any]:
    """Return the types of the fields of a dataclass, none for another type."""
    if not hasattr(kind, "__dataclass_fields__"):
        return {}
    hints = get_type_hints(kind, include_extras=True)
    return {f.name: hints[f.name] for f in fields(kind)}


def _possible(value: Any, hint: Any) -> Any:
    """Return the part of a value that its type allows, `_ABSENT` if there is none."""
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError:
        pass
    for kind in (hint, *get_args(hint)):
        origin, inner = get_origin(kind), get_args(kind)
        if isinstance(value, Mapping) and (hints := _hints(kind)):
            table = {n: _possible(v, hints[n]) for n, v in value.items() if n in hints}
            with suppress(TypeError, ValueError):
                return kind(**{n: v for n, v in table.items() if v is not _ABSENT})
        elif isinstance(value, Mapping) and origin is Mapping:
            items = ((_possible(k, inner[0]), _possible(v, inner[1])) for k, v in value.items())
            return {k: v for k, v in items if k is not _ABSENT and v is not _ABSENT}
        elif isinstance(value, list) and origin is tuple and inner[1:] == (...,):
            found = (_possible(v, inner[0]) for v in value)
            return tuple(v for v in found if v is not _ABSENT)
    return _ABSENT
