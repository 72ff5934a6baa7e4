"""Shape of a window as JSON; `vtox.pipeline.windows.wire` checks one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from api.schemas.common import PlainName
from api.schemas.view import View
from vtox.motor.values.domain import CHANNEL_UNITS
from vtox.motor.values.plain_names import NAME
from vtox.motor.values.scalars import MOST
from vtox.motor.values.scalars import NAME as SCALAR_NAME
from vtox.pipeline.windows.wire import FS_MAX_HZ, FS_MIN_HZ, SEQ_MAX

_CHANNELS = {
    "type": "object",
    "propertyNames": {"enum": list(CHANNEL_UNITS)},
    "additionalProperties": {
        "anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]
    },
}

_SCALARS = {
    "type": "object",
    "propertyNames": {"pattern": f"^{SCALAR_NAME.pattern}$"},
    "minProperties": 1,
    "maxProperties": MOST,
    "additionalProperties": {
        "type": "array",
        "prefixItems": [{"type": "number"}, {"type": "string", "minLength": 1, "maxLength": 16}],
        "minItems": 2,
        "maxItems": 2,
    },
}

EXAMPLE: JsonDict = {
    "seq": 17,
    "t0": 1764000000.25,
    "fs_hz": 10000,
    "channels": {"ia": [0.1, 0.2, 0.3], "ib": [0.0, 0.1, 0.2], "ic": [-0.1, -0.3, -0.5]},
    "speed_rpm": 1478,
}


SCALARS = 'name -> value and unit of what was measured: `{"oil_pressure": [2.1, "bar"]}`'
Scalars = Annotated[dict[str, tuple[float, str]], WithJsonSchema(_SCALARS)]


class WindowIn(BaseModel):
    """A window to diagnose; `channels` holds one contiguous block of samples per channel.

    With `dtype` json (the default) a channel is a list of numbers in A, V or m/s^2. With i2 or f4
    it is base64 of little-endian samples; `scale` then turns counts into units.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    seq: int = Field(
        ge=0, le=SEQ_MAX, description="a counter per machine: sent twice, a window counts once"
    )
    t0: float = Field(gt=0, lt=1e11, description="time of the first sample, s since 1970 (UTC)")
    fs_hz: float = Field(ge=FS_MIN_HZ, le=FS_MAX_HZ, description="samples per second")
    channels: Annotated[dict[str, list[float] | str], WithJsonSchema(_CHANNELS)]
    dtype: Literal["json", "i2", "f4"] = "json"
    scale: dict[str, float] = Field(
        {},
        description="units per count by channel, 1 where absent",
        json_schema_extra={"propertyNames": {"enum": list(CHANNEL_UNITS)}},
    )
    run: Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^({NAME.pattern})?$"})] = (
        Field("", description="another run of the sender, whose `seq` begins anew")
    )
    vehicle_id: PlainName | None = Field(None, description="the vehicle that the machine is in")
    machine_id: PlainName | None = Field(None, description="if given, the same as in the address")
    speed_rpm: float | None = Field(None, ge=0, description="shaft speed, rpm")
    temperature_c: float | None = Field(None, description="winding temperature, degrees C")
    scalars: Scalars | None = Field(None, description=SCALARS)
    v: Literal[1] | None = Field(None, description="version of the format")


class Accepted(View):
    """The state of a window now; diagnoses follow when its records are complete."""

    machine_id: str
    seq: int
    stream_id: str
    samples: int
    duration_s: float
