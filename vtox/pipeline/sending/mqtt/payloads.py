"""Translates one message into actions: a window to send, a nameplate to register, a departure.

Pure; the gateway does it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
import orjson

from vtox.motor.errors import InputError
from vtox.motor.values.domain import CHANNEL_UNITS, Motor, Window
from vtox.motor.values.scalars import ScalarReading, readings_of
from vtox.pipeline.sending.mqtt.mapping import BINARY, TopicRule
from vtox.pipeline.sending.mqtt.sparkplug import Metric
from vtox.pipeline.windows.json_windows import entry_fields
from vtox.pipeline.windows.wire import REFUSED, encode

Fields = dict[str, str | bytes]
# The user properties of a message (MQTT 5) that plain arrays may have.
PROPERTIES = ("seq", "t0", "run", "fs_hz", "speed_rpm", "temperature_c", "vehicle_id")
_NUMBERS = ("seq", "t0", "fs_hz", "speed_rpm", "temperature_c")
_GIVEN = ("seq", "t0")
# A reason is for people, and a payload for people who look for the cause.
MAX_REASON, MAX_TOPIC, KEPT_BYTES = 500, 200, 4096


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came; `dup` says that the broker may have delivered it before."""

    topic: str
    payload: bytes
    dup: bool = False
    received_t: float = 0.0
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Samples:
    """A window to be sent, as the fields of its entry: without `seq` or `t0` if it has none."""

    machine_id: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth to be kept: the data that follow have its aliases alone."""

    topic: str
    payload: bytes
    metrics: Sequence[Metric]


@dataclass(frozen=True, slots=True)
class Nameplate:
    """A machine to be registered."""

    machine_id: str
    motor: Motor


@dataclass(frozen=True, slots=True)
class Departure:
    """A machine whose sender has left the broker."""

    machine_id: str


@dataclass(frozen=True, slots=True)
class Rebirth:
    """A node whose births are not known: it is asked for them on this topic."""

    topic: str


@dataclass(frozen=True, slots=True)
class Scalars:
    """Readings that came without samples."""

    readings: Sequence[ScalarReading]


Action = Samples | Birth | Nameplate | Departure | Rebirth | Scalars


def samples_of(rule: TopicRule, levels: Mapping[str, str], message: Message) -> Samples | Scalars:
    """Return the window of a message that is no Sparkplug, or its scalars if it has no samples.

    Raises `InputError`, which names the fault and the expected value.
    """
    if rule.format == "entry":
        return _entry(rule, levels, message)
    channels = _arrays(rule, message.payload)
    return window_samples(rule, rule.machine(levels), channels, dict(message.properties))


def window_samples(
    rule: TopicRule, machine_id: str, channels: Mapping[str, Any], said: Mapping[str, Any]
) -> Samples:
    """Return a window of arrays; `said` has the values that go with them, from `PROPERTIES`."""
    values = {n: _number(n, said[n]) for n in _NUMBERS if said.get(n) is not None}
    fs_hz = values.get("fs_hz", rule.fs_hz)
    if fs_hz is None:
        raise InputError("fs_hz: missing, expected it in the mapping or with the message")
    counts = all(np.asarray(x).dtype.kind in "iu" for x in channels.values())
    scale = {c: rule.scale.get(c, 1.0) for c in channels}
    with np.errstate(over="ignore"):  # the bridge refuses infinite values
        scaled = channels if counts else {c: x * scale[c] for c, x in channels.items()}
    window = Window(
        machine_id=machine_id,
        seq=int(values.get("seq", 0)),
        t0=values.get("t0", 0.0),
        run=str(said.get("run") or ""),
        vehicle_id=said.get("vehicle_id"),
        fs_hz=fs_hz,
        channels=scaled,
        speed_rpm=values.get("speed_rpm"),
        temperature_c=values.get("temperature_c"),
    )
    fields = encode(window, "f4", scale if counts else None)
    return Samples(machine_id, {k: v for k, v in fields.items() if k in values or k not in _GIVEN})


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number):
        raise InputError(f"{name}: {repr(value)[:60]}, expected a finite number")
    return number


def _entry(rule: TopicRule, levels: Mapping[str, str], message: Message) -> Samples | Scalars:
    body = _json(message.payload)
    if not isinstance(body, dict):
        raise InputError(f"{_kind(body)}, expected an object with the fields of a window")
    if "channels" not in body:  # as flat as the entry of the stream
        scales = {k.removeprefix("scale_"): body.pop(k) for k in list(body) if k[:6] == "scale_"}
        body["channels"] = {c: body.pop(c) for c in CHANNEL_UNITS if c in body}
        body |= {"scale": scales} if scales else {}
    if not body["channels"] and "scalars" in body:
        machine_id = rule.machine(levels) or body.get("machine_id") or ""
        t: Any = body.get("t", body.get("t0", message.received_t))
        return Scalars(readings_of(machine_id, t, body["scalars"]))
    fields = entry_fields(body, rule.machine(levels) or None)
    texts: Fields = {k.decode(): _text(k, v) for k, v in fields.items()}
    return Samples(str(texts["machine_id"]), texts)


def _text(name: bytes, value: bytes) -> str | bytes:
    return value if name.decode() in CHANNEL_UNITS else value.decode()


def _arrays(rule: TopicRule, payload: bytes) -> dict[str, Any]:
    names = list(rule.channels)
    if rule.format in BINARY:
        kind = np.dtype(f"<{rule.format}")
        whole = kind.itemsize * len(names)
        if not payload or len(payload) % whole:
            raise InputError(
                f"{len(payload)} bytes, expected a multiple of {whole}: samples of "
                f"{', '.join(names)} as {rule.format}"
            )
        x = np.frombuffer(payload, kind)
        rows = x.reshape(len(names), -1) if rule.layout == "planar" else x.reshape(-1, len(names)).T
    else:
        rows = _rows(rule, names, _json(payload))
    return dict(zip(names, rows, strict=True))


def _rows(rule: TopicRule, names: Sequence[str], value: Any) -> Any:
    expected = f"expected an array of numbers for each of {', '.join(names)}"
    try:
        rows = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"no numbers, or rows of different lengths, {expected}") from None
    if rows.ndim == 1 and len(names) == 1:
        rows = rows[np.newaxis, :]
    elif rule.layout == "interleaved" and rows.ndim == 2:
        rows = rows.T
    if rows.ndim != 2 or len(rows) != len(names):
        raise InputError(f"an array of shape {rows.shape}, {expected}")
    return rows


def _json(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InputError(f"no JSON ({error})") from None


def _kind(value: Any) -> str:
    return {list: "an array", str: "a text", bool: "true or false"}.get(type(value), "a number")


def refusal(message: Message, machine_id: str, why: str, format: str) -> Fields:
    """Return the fields of an entry that the bridge makes a dead letter of, with topic and reason.

    `payload` is the beginning of the message.
    """
    topic = message.topic[:MAX_TOPIC]
    fields: Fields = {
        REFUSED: f"topic {topic}: {why} (format {format})"[:MAX_REASON],
        "topic": topic,
        "payload": message.payload[:KEPT_BYTES],
    }
    return fields | ({"machine_id": machine_id} if machine_id else {})
