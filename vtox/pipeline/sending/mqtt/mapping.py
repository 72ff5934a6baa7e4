"""The file that maps topics to their content: `mapping.toml` (docs/howto/send-by-mqtt.md)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from vtox.motor.values.domain import CHANNEL_UNITS
from vtox.motor.values.nameplate_fields import FIELDS
from vtox.motor.values.scalars import NAME, is_unit
from vtox.pipeline.errors import MappingError
from vtox.pipeline.sending.mqtt.sparkplug import NAMESPACE

Format = Literal["entry", "json", "i2", "f4", "sparkplug"]
Layout = Literal["planar", "interleaved"]
BINARY = ("i2", "f4")
_LEVEL = re.compile(r"\{(\w+)\}")
_NAMEPLATE = tuple(f.name for f in FIELDS if "." not in f.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """The content of the messages of some topics.

    `topic` has `{names}` in place of levels; `machine_id` is made of them. `scale` is units per
    count of a channel. `channels` are those of a payload of plain arrays, in its order. For
    Sparkplug they are channel -> name of its metric, `nameplate` is field -> metric, and `scalars`
    is name -> metric and unit.
    """

    topic: str
    format: Format
    machine_id: str
    channels: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = "planar"
    dtype: str = "i2"
    scale: Mapping[str, float] = field(default_factory=dict)
    fs_hz: float | None = None
    nameplate: Mapping[str, str] = field(default_factory=dict)
    scalars: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def filters(self) -> list[str]:
        """The topics to subscribe to."""
        if self.format == "sparkplug":
            return [f"{NAMESPACE}/{self.topic}/+/+", f"{NAMESPACE}/{self.topic}/+/+/+"]
        return [_LEVEL.sub("+", self.topic)]

    def levels(self, topic: str) -> dict[str, str] | None:
        """Return name -> level of a topic, None if the rule is not for it."""
        mine, its = self.topic.split("/"), topic.split("/")
        if len(mine) != len(its):
            return None
        found: dict[str, str] = {}
        for pattern, level in zip(mine, its, strict=True):
            if name := _LEVEL.fullmatch(pattern):
                found[name[1]] = level
            elif pattern not in ("+", level):
                return None
        return found

    def machine(self, levels: Mapping[str, str]) -> str:
        """Return the machine of a topic with these levels."""
        return _LEVEL.sub(lambda m: levels[m[1]], self.machine_id)


def read_mapping(path: Path) -> list[TopicRule]:
    """Return the rules of a file, in its order.

    Raises `MappingError`: the error names the file, the rule and the key.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MappingError(f"{path}: expected TOML: {error}") from error
    topics = tables.pop("topics", None)
    if tables or not isinstance(topics, list) or not topics:
        unknown = f" and not {', '.join(tables)}" if tables else ""
        raise MappingError(f"{path}: expected tables [[topics]]{unknown}")
    return [_rule(f"{path}: topics {i + 1}", table) for i, table in enumerate(topics)]


def _rule(where: str, table: Mapping[str, Any]) -> TopicRule:
    known = {f.name for f in fields(TopicRule)}
    if unknown := set(table) - known:
        raise MappingError(
            f"{where}: {min(unknown)} is unknown, expected {', '.join(sorted(known))}"
        )
    values = dict(table)
    topic, form = _text(where, values, "topic"), _choice(where, values, "format", get_args(Format))
    sparkplug = form == "sparkplug"
    values.setdefault("machine_id", "{device}" if sparkplug else "{machine_id}")
    values["channels"] = _channels(where, values.get("channels", {}), sparkplug)
    if form in ("json", *BINARY) and not values["channels"]:
        raise MappingError(f"{where}: channels is missing, expected those of the payload, in order")
    if form in BINARY:
        values["dtype"] = form
    _choice(where, values, "layout", get_args(Layout), "planar")
    _choice(where, values, "dtype", BINARY, "i2")
    values["scale"] = _scale(where, values.get("scale", {}), values["channels"])
    _check_names(where, topic, _text(where, values, "machine_id"), sparkplug)
    if unknown := set(values.get("nameplate", {})) - set(_NAMEPLATE):
        raise MappingError(
            f"{where}: nameplate.{min(unknown)} is unknown, expected {', '.join(_NAMEPLATE)}"
        )
    values["scalars"] = _scalars(where, values.get("scalars", {}), sparkplug)
    fs_hz = values.get("fs_hz")
    if fs_hz is not None and (isinstance(fs_hz, bool) or not isinstance(fs_hz, int | float)):
        raise MappingError(f"{where}: fs_hz: {fs_hz!r}, expected Hz")
    return TopicRule(**values)


def _text(where: str, values: Mapping[str, Any], key: str) -> str:
    text = values.get(key)
    if not isinstance(text, str) or not text:
        raise MappingError(f"{where}: {key}: {text!r}, expected a text")
    return text


def _choice(
    where: str, values: Mapping[str, Any], key: str, allowed: Sequence[str], default: str = ""
) -> str:
    value = values.get(key, default)
    if value not in allowed:
        raise MappingError(f"{where}: {key}: {value!r}, expected one of {', '.join(allowed)}")
    return str(value)


def _channels(where: str, value: Any, sparkplug: bool) -> dict[str, str]:
    if sparkplug and not value:
        value = list(CHANNEL_UNITS)
    table = {name: name for name in value} if isinstance(value, list) else value
    if not isinstance(table, dict) or not all(isinstance(n, str) for n in table.values()):
        raise MappingError(f"{where}: channels: {value!r}, expected names of channels")
    if unknown := set(table) - set(CHANNEL_UNITS):
        raise MappingError(
            f"{where}: channels: {min(map(str, unknown))} is none, expected some of "
            f"{', '.join(CHANNEL_UNITS)}"
        )
    return table


def _scalars(where: str, value: Any, sparkplug: bool) -> dict[str, tuple[str, str]]:
    if not value:
        return {}
    if not sparkplug:
        raise MappingError(f"{where}: scalars is of Sparkplug; `entry` has them in its messages")
    ok = isinstance(value, dict) and all(
        NAME.fullmatch(name)
        and isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(part, str) for part in pair)
        and is_unit(pair[1])
        for name, pair in value.items()
    )
    if not ok:
        expected = 'expected {oil_pressure = ["METRIC", "bar"]}, names of a-z, digits and _'
        raise MappingError(f"{where}: scalars: {repr(value)[:80]}, {expected}")
    return {name: (pair[0], pair[1]) for name, pair in value.items()}


def _scale(where: str, value: Any, channels: Mapping[str, str]) -> dict[str, float]:
    table = dict.fromkeys(channels, value) if isinstance(value, int | float) else value
    ok = isinstance(table, dict) and all(
        name in CHANNEL_UNITS and isinstance(x, int | float) and not isinstance(x, bool) and x
        for name, x in table.items()
    )
    if not ok:
        raise MappingError(f"{where}: scale: {value!r}, expected units per count, or a table")
    return {name: float(x) for name, x in table.items()}


def _check_names(where: str, topic: str, machine_id: str, sparkplug: bool) -> None:
    names = {"group", "node", "device"} if sparkplug else set(_LEVEL.findall(topic))
    if "#" in topic or (sparkplug and "/" in topic):
        raise MappingError(f"{where}: topic: {topic!r}, expected levels, + and {{names}}")
    if missing := set(_LEVEL.findall(machine_id)) - names:
        raise MappingError(
            f"{where}: machine_id: {{{min(missing)}}} is no level of the topic, there are "
            f"{', '.join(sorted(names)) or 'none'}"
        )
