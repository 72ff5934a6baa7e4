"""Windows as JSON, as they come by HTTP and MQTT, to the fields of a stream entry."""

import base64
import binascii
import json
from typing import Any

import numpy as np

from vtox.motor.errors import WireError
from vtox.motor.values.domain import CHANNEL_UNITS

_SCALARS = ("seq", "t0", "fs_hz", "v", "speed_rpm", "temperature_c")
_NAMES = ("run", "vehicle_id")
# Codes of errors that only JSON has; the others are those of the wire.
JSON_CODES = frozenset(("bad_base64", "bad_type", "unknown_channel"))


def entry_fields(body: dict[str, Any], machine_id: str | None = None) -> dict[bytes, bytes]:
    """Return the fields of the stream entry of a window; `decode_header` then checks them.

    `machine_id` is the one that the address or topic names, None if the body must.

    Raises `WireError`: a value is of the wrong kind; the error names its field.
    """
    if machine_id is None:
        machine_id = _name("machine_id", body.get("machine_id"))
    elif body.get("machine_id") not in (None, machine_id):
        raise WireError(
            "bad_machine_id",
            f"machine_id: {body['machine_id']!r} in the body, expected {machine_id!r} as in the "
            "address, or none",
            "machine_id",
        )
    dtype = body.get("dtype", "json")
    if dtype not in ("json", "i2", "f4"):
        raise WireError("bad_dtype", f"dtype: {dtype!r}, expected json, i2 or f4", "dtype")
    fields: dict[str, Any] = {"machine_id": machine_id}
    # Lists of numbers travel on as float32: less than half of their text.
    fields["dtype"] = "f4" if dtype == "json" else dtype
    fields |= {k: _number(k, body[k]) for k in _SCALARS if body.get(k) is not None}
    fields |= {k: _name(k, body[k]) for k in _NAMES if body.get(k) is not None}
    if not fields.get("run"):
        fields.pop("run", None)  # an empty one is none: the first run of a sender
    if body.get("scalars") is not None:
        fields["scalars"] = json.dumps(body["scalars"])
    if body.get("channels") is None:
        raise WireError(
            "missing_field",
            "channels: missing, expected an object with channels as names",
            "channels",
        )
    channels = _by_channel("channels", body["channels"])
    for name, samples in channels.items():
        fields[name] = _floats(name, samples) if dtype == "json" else _bytes(name, samples)
    if flat := [k for k in body if k.startswith("scale_")]:
        # As in an entry of the stream; ignored it would leave counts that count as units.
        raise WireError("bad_type", f"{flat[0]}: expected in scale, by channel", flat[0])
    for name, scale in _by_channel("scale", body.get("scale", {})).items():
        fields[f"scale_{name}"] = _number(f"scale_{name}", scale)
    return {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()}


def _by_channel(field: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        detail = f"{field}: {_show(value)}, expected an object with channels as names"
        raise WireError("bad_type", detail, field)
    if unknown := [name for name in value if name not in CHANNEL_UNITS]:
        where, expected = f"{field}.{unknown[0]}", ", ".join(CHANNEL_UNITS)
        raise WireError("unknown_channel", f"{where}: unknown, expected {expected}", where)
    return value


def _number(field: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError("bad_number", f"{field}: {_show(value)}, expected a number", field)
    return repr(value)


def _name(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise WireError("bad_machine_id", f"{field}: {_show(value)}, expected a name", field)
    return value


def _floats(name: str, samples: Any) -> bytes:
    if not isinstance(samples, list):
        raise WireError(
            "bad_json",
            f"{name}: {_show(samples)}, expected a list of numbers (or dtype i2 or f4 for base64)",
            name,
        )
    for i, x in enumerate(samples):
        if type(x) is not float and type(x) is not int:
            raise WireError("bad_json", f"{name}[{i}]: {_show(x)}, expected a number", name)
    try:
        with np.errstate(over="ignore"):
            return np.asarray(samples, dtype="<f8").astype("<f4").tobytes()
    except OverflowError:
        raise WireError("not_finite", f"{name}: a number is beyond float32", name) from None


def _bytes(name: str, samples: Any) -> bytes:
    if not isinstance(samples, str):
        raise WireError(
            "bad_dtype",
            f"{name}: {_show(samples)}, expected base64 (or dtype json for a list of numbers)",
            name,
        )
    try:
        return base64.b64decode(samples, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("bad_base64", f"channels.{name}: not base64 ({error})", name) from None


def _show(value: Any) -> str:
    return repr(value)[:60]
