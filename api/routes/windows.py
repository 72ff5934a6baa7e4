"""Windows by HTTP: the same stream entry as from any Redis client."""

import base64
import binascii
from math import ceil
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request, Response

from api.auth import needs
from api.backend import Backend
from api.body import JSON_BODY, json_object, whole_body
from api.errors import Problem
from api.query import NO_PARAMETERS
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data
from api.schemas.windows import Accepted
from vtox.domain import CHANNEL_UNITS
from vtox.errors import WireError
from vtox.store.durability import add_window_on_disk
from vtox.store.quotas import Quota, charge
from vtox.store.retention import MB
from vtox.store.streams import add_window
from vtox.wire import Limits, decode_header

router = APIRouter(prefix="/api/v1/machines", tags=["windows"])

EXAMPLE = {
    "seq": 17,
    "t0": 1764000000.25,
    "fs_hz": 10000,
    "channels": {"ia": [0.1, 0.2, 0.3], "ib": [0.0, 0.1, 0.2], "ic": [-0.1, -0.3, -0.5]},
    "speed_rpm": 1478,
}
LOCATION = {
    "Location": {
        "description": "address of the diagnoses of the machine",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
_SCALARS = ("seq", "t0", "fs_hz", "v", "speed_rpm", "temperature_c")
_NAMES = ("run", "vehicle_id")


@router.post(
    "/{machine_id}/windows",
    status_code=202,
    dependencies=[*needs("ingest"), *NO_PARAMETERS, *JSON_BODY],
    summary="Send a window",
    responses={202: {"headers": LOCATION}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/WindowIn"},
                    "example": EXAMPLE,
                }
            },
        }
    },
)
def post_window(
    machine_id: MachineId,
    body: Annotated[bytes, Depends(whole_body)],
    backend: OpenBackend,
    request: Request,
    response: Response,
) -> Data[Accepted]:
    """Send one window. Sent twice (same seq, run and t0) it counts once, so a retry is safe."""
    s = backend.settings
    _charge(backend, getattr(request.state, "key_id", ""), machine_id, len(body))
    fields = entry_fields(machine_id, json_object(body))
    header = decode_header(fields, Limits(s.max_window_bytes, s.max_samples))
    # With fsync at every write the embedded server answers when a window is on disk.
    confirm = s.api_ack == "disk" and s.redis_url
    stream_id = (add_window_on_disk if confirm else add_window)(backend.client(), fields)
    response.headers["Location"] = f"/api/v1/machines/{machine_id}/diagnoses"
    accepted = Accepted(
        machine_id=machine_id,
        seq=header.seq,
        stream_id=stream_id,
        samples=header.samples,
        duration_s=header.duration_s,
    )
    return Data(data=accepted)


def _charge(backend: Backend, key_id: str, machine_id: str, nbytes: int) -> None:
    """Charge the quotas of key and machine, before the body is parsed."""
    s = backend.settings
    quotas = [
        Quota(f"machine:{machine_id}", s.api_machine_windows_per_s, MB * s.api_machine_mb_per_s)
    ]
    if key_id:
        quotas.append(Quota(f"key:{key_id}", s.api_key_windows_per_s, MB * s.api_key_mb_per_s))
    wait_s = charge(
        backend.client(),
        quotas,
        machine_id,
        nbytes,
        burst_s=s.quota_burst_s,
        max_machines=s.max_machines,
    )
    if wait_s:
        raise Problem(
            "too_many_requests",
            f"this API key or machine sends more than its quota (VTOX_API_KEY_..., "
            f"VTOX_API_MACHINE_...): send this window again in {wait_s:.1f} s",
            headers={"Retry-After": str(ceil(wait_s))},
        )


def entry_fields(machine_id: str, body: dict[str, Any]) -> dict[bytes, bytes]:
    """Return the fields of the stream entry of a window; `decode_header` then checks them.

    Raises
    ------
    WireError, Problem
        A value is of the wrong kind; the error names its field.
    """
    if body.get("machine_id") not in (None, machine_id):
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
    fields |= {k: _name(k, body[k]) for k in _NAMES if body.get(k) not in (None, "")}
    if body.get("channels") is None:
        raise WireError(
            "missing_field",
            "channels: missing, expected an object with channels as names",
            "channels",
        )
    channels = _channel_table("channels", body["channels"])
    for name, samples in channels.items():
        if name not in CHANNEL_UNITS:
            where, expected = f"channels.{name}", ", ".join(CHANNEL_UNITS)
            raise Problem("unknown_channel", f"{where}: unknown, expected {expected}", field=where)
        fields[name] = _floats(name, samples) if dtype == "json" else _bytes(name, samples)
    for name, scale in _channel_table("scale", body.get("scale", {})).items():
        fields[f"scale_{name}"] = _number(f"scale_{name}", scale)
    return {k.encode(): v if isinstance(v, bytes) else v.encode() for k, v in fields.items()}


def _channel_table(field: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        detail = f"{field}: {_show(value)}, expected an object with channels as names"
        raise Problem("bad_type", detail, field=field)
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
        raise WireError("bad_dtype", f"{name}: {_show(samples)}, expected base64", name)
    try:
        return base64.b64decode(samples, validate=True)
    except (binascii.Error, ValueError) as error:
        where = f"channels.{name}"
        raise Problem("bad_base64", f"{where}: not base64 ({error})", field=where) from None


def _show(value: Any) -> str:
    return repr(value)[:60]
