"""Shape of a nameplate, made of the fields of `Motor`; `vtox.motor.values.nameplate` checks one."""

from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from pydantic import ConfigDict, Field, WithJsonSchema, create_model

from api.schemas.common import NAME_MAX, OPTIONAL_FIELDS
from api.schemas.value_fields import descriptions
from vtox.motor.values.bearing import DEFECTS, Bearing
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate_ranges import MAX_NEIGHBOURS, PLACE_LENGTHS, RANGES

_STRICT = OPTIONAL_FIELDS | ConfigDict(extra="forbid")
EXAMPLE: dict[str, Any] = {
    "pole_pairs": 2,
    "supply_hz": 50.0,
    "rated_speed_rpm": 1450,
    "rated_current_a": 9.8,
    "bearing": {"orders": {"BPFO": 3.585, "BPFI": 5.415, "BSF": 2.357, "FTF": 0.398}},
    "site": "Quarry north",
    "asset_path": "Crushing/Line 2/Conveyor 4",
}


def _number(name: str) -> dict[str, Any]:
    """Return the JSON schema of a number within a range."""
    return {"type": "number", "minimum": RANGES[name].low, "maximum": RANGES[name].high}


_ORDERS = {
    "type": "object",
    "propertyNames": {"enum": list(DEFECTS)},
    "additionalProperties": _number("bearing.orders"),
}
_NEIGHBOURS = {"type": "array", "maxItems": MAX_NEIGHBOURS, "items": _number("neighbour_orders")}
# Types of fields that are no single value, by name.
_TYPES: dict[str, Any] = {
    "bearing.orders": Annotated[dict[str, float], WithJsonSchema(_ORDERS)],
    "neighbour_orders": Annotated[list[float], WithJsonSchema(_NEIGHBOURS)],
}


def _fields_of(kind: type, prefix: str = "") -> dict[str, Any]:
    """Return the fields of a dataclass as those of a model: all may be left out."""
    described, hints = descriptions(kind), get_type_hints(kind)
    found = {}
    for f in fields(kind):
        name, limits = f"{prefix}{f.name}", RANGES.get(f"{prefix}{f.name}")
        about: dict[str, Any] = {"description": described.get(f.name)}
        if limits and name not in _TYPES:
            about["json_schema_extra"] = {"minimum": limits.low, "maximum": limits.high}
        if name in PLACE_LENGTHS:
            about["max_length"] = PLACE_LENGTHS[name]
        default = f.default if isinstance(f.default, str) else None
        hint = _TYPES.get(name, hints[f.name])
        found[f.name] = hint if default else hint | None, Field(default, **about)
    return found


NameplateBearing = create_model(
    "NameplateBearing",
    __config__=_STRICT,
    __doc__="A rolling bearing: its defect `orders`, all of its geometry, or its designation "
    "alone.",
    **_fields_of(Bearing, "bearing."),
)
_TYPES["bearing"] = NameplateBearing
Nameplate = create_model(
    "Nameplate",
    __config__=_STRICT | ConfigDict(json_schema_extra={"examples": [EXAMPLE]}),
    __doc__="The rated values of a machine. What is left out is not known, never assumed.",
    **_fields_of(Motor),
)
NameplateIn = create_model(
    "NameplateIn",
    __base__=Nameplate,
    __doc__="The nameplate to register, and who does it where no API key says so.",
    by=(str | None, Field(None, max_length=NAME_MAX, description="name of who registers it")),
)
