"""The only codec between windows and stream entries.

The contract is docs/reference/stream-fields.md, "Raw entry".

The bridge decodes headers and checks that the samples are usable; workers decode the samples.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from vtox.motor.errors import WireError
from vtox.motor.values.arrays import Float32
from vtox.motor.values.domain import CHANNEL_UNITS, Array, Window
from vtox.motor.values.plain_names import name_error
from vtox.motor.values.scalars import ScalarReading, readings_of_text
from vtox.pipeline.windows.samples import (
    count_error,
    counts_bytes,
    excerpt,
    read_samples,
    scaled_bytes,
)

Fields = Mapping[bytes, bytes]
_REASON_BYTES = 500
Dtype = Literal["i2", "f4", "json"]

VERSION = 1
# Below 100 Hz there is no room for a supply line; no converter of this trade samples above 1 MHz.
FS_MIN_HZ, FS_MAX_HZ = 100.0, 1e6
_TRACEPARENT_BYTES = 55
# Written by the bridge that moves a window to its partition. 13 digits last until the year 2286.
ARRIVED = b"arrived_ms"
_MS_DIGITS = 13
# The scripts of the server compute in doubles.
SEQ_MAX = 2**53 - 1
# Wide enough for any unit, narrow enough that counts times scale stays finite in float32.
SCALE_MIN, SCALE_MAX = 1e-18, 1e18

WIRE_CODES = frozenset(
    (
        "missing_field",
        "bad_machine_id",
        "bad_number",
        "bad_family",
        "bad_version",
        "bad_dtype",
        "no_channels",
        "bad_length",
        "bad_json",
        "not_finite",
        "bad_rate",
        "too_large",
        "bad_payload",
    )
)
# In an entry of a gateway (MQTT): why a message that it took is no window. For its dead letter.
REFUSED = "refused"


class _ChannelFields(NamedTuple):
    """A channel, and the fields of an entry with its samples and their scale."""

    name: str
    samples: bytes
    scale: bytes


_FIELDS = [_ChannelFields(c, c.encode(), f"scale_{c}".encode()) for c in CHANNEL_UNITS]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on the size of a window."""

    max_bytes: int = 8 << 20
    max_samples: int = 1_000_000


# For entries that the bridge has accepted: no later process refuses them by its own limits.
UNLIMITED = Limits(max_bytes=1 << 62, max_samples=1 << 62)


@dataclass(frozen=True, slots=True)
class Header:
    """A window without its samples, as the bridge keeps and joins it."""

    machine_id: str
    run: str
    seq: int
    t0: float
    fs_hz: float
    samples: int
    nbytes: int
    channels: tuple[str, ...]
    vehicle_id: str | None
    speed_rpm: float | None
    temperature_c: float | None
    # A dead letter sent again: its id, and the one family that must diagnose it (empty: all).
    replay_of: str = ""
    replay_family: str = ""
    # The span of the sender that follows the window, as in W3C Trace Context.
    traceparent: str = ""
    # For a window that a bridge has moved to its partition: ms since 1970 of its arrival, else 0.
    arrived_ms: int = 0
    # The values that the sender measured with the samples, at `t0`.
    scalars: tuple[ScalarReading, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.fs_hz


def encode(
    window: Window, dtype: Dtype = "i2", scale: Mapping[str, float] | None = None
) -> dict[str, str | bytes]:
    """Return the fields of the stream entry for `window`; `i2` scales each channel to 16 bits.

    Channels that `scale` names are 16-bit counts already, of this many units each.

    Raises `WireError`: a channel is unknown, not one row of samples, not finite, or its counts are
    not of 16 bits.
    """
    fields: dict[str, str | bytes] = {
        "v": str(VERSION),
        "machine_id": window.machine_id,
        "seq": str(window.seq),
        "t0": repr(float(window.t0)),
        "fs_hz": repr(float(window.fs_hz)),
        "dtype": dtype,
    }
    optional = {
        "run": window.run or None,
        "vehicle_id": window.vehicle_id,
        "speed_rpm": window.speed_rpm,
        "temperature_c": window.temperature_c,
    }
    fields |= {k: str(v) for k, v in optional.items() if v is not None}
    if window.scalars:
        fields["scalars"] = json.dumps(window.scalars)
    if scale:
        dtype = fields["dtype"] = "i2"
    for name, samples in window.channels.items():
        x = np.asarray(samples)
        if name not in CHANNEL_UNITS:
            what = f"{name}: no channel, expected one of {', '.join(CHANNEL_UNITS)}"
            raise WireError("no_channels", what, name)
        if x.ndim != 1:
            what = f"{name}: shape {x.shape}, expected one row of samples"
            raise WireError("bad_length", what, name)
        if dtype == "json":
            fields[name] = json.dumps(np.asarray(x, dtype=float).tolist())
        elif dtype == "f4":
            with np.errstate(over="ignore"):  # the bridge refuses it as infinite
                fields[name] = np.asarray(x, dtype="<f4").tobytes()
        elif scale and name in scale:
            fields[name] = counts_bytes(name, x)
            fields[f"scale_{name}"] = repr(float(scale[name]))
        else:
            fields[name], fields[f"scale_{name}"] = scaled_bytes(name, x)
    return fields


def entry_header(fields: Mapping[str, str | bytes], limits: Limits | None = None) -> Header:
    """Return the header of an entry that is to be sent.

    Raises `WireError`: the bridge would refuse it.
    """
    read = {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()}
    return decode_header(read, limits or Limits())


def decode_header(fields: Fields, limits: Limits) -> Header:
    """Return the header of an entry after checking that its samples can be used.

    Raises `WireError`: with a code of `WIRE_CODES` and the field at fault.
    """
    if version := fields.get(b"v"):
        if version != b"%d" % VERSION:
            raise WireError("bad_version", f"v: {excerpt(version)}, expected {VERSION}", "v")
    if refused := fields.get(REFUSED.encode()):
        raise WireError("bad_payload", refused[:_REASON_BYTES].decode("utf-8", "replace"), REFUSED)
    machine_id = _text(_required(fields, "machine_id"), "machine_id")
    seq, t0, fs_hz = (_value(_required(fields, k), k) for k in ("seq", "t0", "fs_hz"))
    if seq != int(seq) or not 0 <= seq <= SEQ_MAX:
        raise WireError("bad_number", f"seq: {seq}, expected a whole number from 0 up", "seq")
    if not 0 < t0 < 1e11:
        raise WireError("bad_number", f"t0: {t0}, expected seconds since 1970 (UTC)", "t0")
    if not FS_MIN_HZ <= fs_hz <= FS_MAX_HZ:
        raise WireError(
            "bad_rate",
            f"fs_hz: {fs_hz}, fs_hz is outside {FS_MIN_HZ:.0f}..{FS_MAX_HZ:.0f} Hz",
            "fs_hz",
        )
    dtype = fields.get(b"dtype", b"json").decode("ascii", "replace")
    if dtype not in ("i2", "f4", "json"):
        raise WireError("bad_dtype", f"dtype: {dtype[:20]!r}, expected i2, f4 or json", "dtype")
    sent = [c for c in _FIELDS if c.samples in fields]
    if not sent:
        raise WireError("no_channels", f"no channel, expected some of {', '.join(CHANNEL_UNITS)}")
    nbytes = sum([len(fields[c.samples]) for c in sent])
    if nbytes > limits.max_bytes:
        raise WireError("too_large", f"{nbytes} bytes of samples, at most {limits.max_bytes}")
    samples = _checked_length(fields, sent, limits)
    speed_rpm = number(fields, "speed_rpm")
    if speed_rpm is not None and speed_rpm < 0:
        raise WireError("bad_number", f"speed_rpm: {speed_rpm}, expected 0 or more", "speed_rpm")
    return Header(
        machine_id=machine_id,
        run=_name(fields, "run") or "",
        seq=int(seq),
        t0=t0,
        fs_hz=fs_hz,
        samples=samples,
        nbytes=nbytes,
        channels=tuple([c.name for c in sent]),
        vehicle_id=_name(fields, "vehicle_id"),
        speed_rpm=speed_rpm,
        temperature_c=number(fields, "temperature_c"),
        replay_of=_name(fields, "replay_of") or "",
        replay_family=_name(fields, "replay_family") or "",
        # One that cannot be read begins no trace, and refuses no window.
        traceparent=fields.get(b"traceparent", b"")[:_TRACEPARENT_BYTES].decode("ascii", "replace"),
        arrived_ms=_arrived_ms(fields.get(ARRIVED, b"")),
        scalars=tuple(readings_of_text(machine_id, t0, text))
        if (text := fields.get(b"scalars"))
        else (),
    )


def _arrived_ms(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= _MS_DIGITS else 0


def _own_rows(names: Sequence[str], samples: int) -> list[Float32]:
    """Return room for the samples of some channels."""
    return list(np.empty((len(names), samples), np.float32))


def decode_channels(
    *entries: Fields,
    wanted: Collection[str] = CHANNEL_UNITS,
    room: Callable[[Sequence[str], int], list[Float32]] | None = None,
) -> dict[str, Array]:
    """Return the samples of entries that `decode_header` accepted, one after another.

    In units, as float32, shape (samples of all entries,) per channel; every entry must have the
    channels of the first. Only the `wanted` channels are returned, or all if the first entry has
    none of them. They are decoded into `room`, given their names and their length.
    """
    sent = [c for c in _FIELDS if c.samples in entries[0]]
    found = [c for c in sent if c.name in wanted] or sent
    parts, most = [], UNLIMITED.max_samples
    for entry in entries:
        dtype = entry.get(b"dtype", b"json")
        parts.append([read_samples(entry[c.samples], dtype, c.name, most) for c in found])
    joined = (room or _own_rows)([c.name for c in found], sum(len(p[0]) for p in parts))
    start = 0
    for entry, part in zip(entries, parts, strict=True):
        end = start + len(part[0])
        for row, c, x in zip(joined, found, part, strict=True):
            scale = np.float32(float(entry.get(c.scale, 1.0)))
            np.multiply(x, scale, out=row[start:end])
        start = end
    return {c.name: row for c, row in zip(found, joined, strict=True)}


def decode(fields: Fields, limits: Limits | None = None) -> Window:
    """Return the whole window of an entry.

    Raises `WireError`: as `decode_header`.
    """
    h = decode_header(fields, limits or Limits())
    return Window(
        machine_id=h.machine_id,
        run=h.run,
        seq=h.seq,
        t0=h.t0,
        fs_hz=h.fs_hz,
        channels=decode_channels(fields),
        vehicle_id=h.vehicle_id,
        speed_rpm=h.speed_rpm,
        temperature_c=h.temperature_c,
        scalars={r.name: (r.value, r.unit) for r in h.scalars},
    )


def _checked_length(fields: Fields, sent: Sequence[_ChannelFields], limits: Limits) -> int:
    dtype = fields.get(b"dtype", b"json")
    lengths = {}
    for name, own, _ in sent:
        scale = number(fields, f"scale_{name}")
        if scale is not None and not SCALE_MIN <= abs(scale) <= SCALE_MAX:
            raise WireError(
                "bad_number",
                f"scale_{name}: {scale}, expected {SCALE_MIN} to {SCALE_MAX}",
                f"scale_{name}",
            )
        x = read_samples(fields[own], dtype, name, limits.max_samples)
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            where = int(np.flatnonzero(~np.isfinite(x))[0])
            raise WireError("not_finite", f"{name}: sample {where} is not finite", name)
        lengths[name] = len(x)
    if len(set(lengths.values())) != 1:
        of_all = list(lengths.values())
        odd = min(lengths, key=lambda name: of_all.count(lengths[name]))
        raise WireError("bad_length", f"channels differ in length: {lengths}", odd)
    name, samples = next(iter(lengths.items()))
    if not 0 < samples <= limits.max_samples:
        raise count_error(samples, limits.max_samples, name)
    return samples


def _required(fields: Fields, key: str) -> bytes:
    if (raw := fields.get(key.encode())) is None:
        raise WireError("missing_field", f"{key}: missing", key)
    return raw


def _name(fields: Fields, key: str) -> str | None:
    raw = fields.get(key.encode())
    return None if raw is None else _text(raw, key)


def _text(raw: bytes, key: str) -> str:
    text = raw.decode("utf-8", "replace")
    if wrong := name_error(text):
        raise WireError("bad_machine_id", f"{key}: {text[:70]!r}: {wrong}", key)
    return text


def number(fields: Fields, key: str) -> float | None:
    """Return a numeric field, None if it is absent."""
    raw = fields.get(key.encode())
    return None if raw is None else _value(raw, key)


def _value(raw: bytes, key: str) -> float:
    try:
        # Whole numbers stay whole: a float would round a seq above 2**53.
        value: float = int(raw) if raw.isdigit() and len(raw) < 20 else float(raw)
    except ValueError:
        raise WireError("bad_number", f"{key}: {excerpt(raw)}, expected a number", key) from None
    if not math.isfinite(value):
        raise WireError("bad_number", f"{key}: {value}, expected a finite number", key)
    return value
