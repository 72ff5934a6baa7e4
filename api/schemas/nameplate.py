"""Shape of a nameplate; `vtox.motor.values.nameplate` is what checks one."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.schemas.common import NAME_MAX, OPTIONAL_FIELDS
from vtox.motor.values.bearing import DEFECTS
from vtox.motor.values.domain import IeClass
from vtox.motor.values.nameplate_ranges import MAX_NEIGHBOURS, PLACE_LENGTH, PLACE_LENGTHS, RANGES

_STRICT = OPTIONAL_FIELDS | ConfigDict(extra="forbid")
_ORDERS = {
    "type": "object",
    "propertyNames": {"enum": list(DEFECTS)},
    "additionalProperties": {
        "type": "number",
        "minimum": RANGES["bearing.orders"].low,
        "maximum": RANGES["bearing.orders"].high,
    },
}
_NEIGHBOURS = {
    "type": "array",
    "maxItems": MAX_NEIGHBOURS,
    "items": {
        "type": "number",
        "minimum": RANGES["neighbour_orders"].low,
        "maximum": RANGES["neighbour_orders"].high,
    },
}
EXAMPLE: dict[str, Any] = {
    "pole_pairs": 2,
    "supply_hz": 50.0,
    "rated_speed_rpm": 1450,
    "rated_current_a": 9.8,
    "bearing": {"orders": {"BPFO": 3.585, "BPFI": 5.415, "BSF": 2.357, "FTF": 0.398}},
    "site": "Quarry north",
    "asset_path": "Crushing/Line 2/Conveyor 4",
}


def _rated_value(name: str, description: str) -> Any:
    """Return a field of the nameplate with its range, which the nameplate checks."""
    limits = RANGES[name]
    within: dict[str, Any] = {"minimum": limits.low, "maximum": limits.high}
    return Field(None, description=description, json_schema_extra=within)


class NameplateBearing(BaseModel):
    """A rolling bearing: its defect `orders`, all of its geometry, or its designation alone."""

    model_config = _STRICT

    orders: Annotated[dict[str, float], WithJsonSchema(_ORDERS)] | None = Field(
        None, description="defect frequencies as multiples of the shaft speed"
    )
    balls: int | None = _rated_value("bearing.balls", "number of rolling elements")
    ball_diameter_mm: float | None = _rated_value("bearing.ball_diameter_mm", "mm")
    pitch_diameter_mm: float | None = _rated_value("bearing.pitch_diameter_mm", "mm")
    contact_angle_deg: float | None = _rated_value(
        "bearing.contact_angle_deg", "degrees; 0 if left out"
    )
    designation: str | None = Field(
        None, max_length=PLACE_LENGTH, description="as on the bearing: 6205-2RS"
    )


class Nameplate(BaseModel):
    """The rated values of a machine. What is left out is not known, never assumed."""

    model_config = _STRICT | ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    pole_pairs: int | None = _rated_value("pole_pairs", "half the number of poles")
    supply_hz: float | None = _rated_value("supply_hz", "supply frequency, Hz")
    rated_speed_rpm: float | None = _rated_value("rated_speed_rpm", "speed at rated load, rpm")
    rated_current_a: float | None = _rated_value("rated_current_a", "line current, A rms")
    rated_voltage_v: float | None = _rated_value("rated_voltage_v", "line-to-line voltage, V rms")
    rated_power_w: float | None = _rated_value("rated_power_w", "shaft power, W")
    rotor_bars: int | None = _rated_value("rotor_bars", "number of bars of the rotor cage")
    gear_ratio: float | None = _rated_value(
        "gear_ratio", "speed of the motor over that of the shaft that a gear drives"
    )
    neighbour_orders: Annotated[list[float], WithJsonSchema(_NEIGHBOURS)] | None = Field(
        None, description="other shafts that the sensor hears, turns a turn of the motor"
    )
    rated_efficiency: float | None = _rated_value(
        "rated_efficiency", "output over input at rated load: 0.914 for 91.4 %"
    )
    ie_class: IeClass | None = Field(
        None, description="efficiency class of IEC 60034-30-1, where the efficiency is not known"
    )
    rated_power_factor: float | None = _rated_value("rated_power_factor", "at rated load")
    stator_resistance_ohm: float | None = _rated_value(
        "stator_resistance_ohm",
        "of one phase as a star, warm, ohm: half of that between two terminals",
    )
    max_starts_per_hour: float | None = _rated_value(
        "max_starts_per_hour", "starts that are permitted in an hour"
    )
    expected_every_s: float | None = _rated_value(
        "expected_every_s",
        "from one window, snapshot or burst of its sender to the next, s; else it is learned",
    )
    criticality: int | None = _rated_value(
        "criticality", "1: a spare stands beside it, to 5: the plant stops with it; orders alarms"
    )
    downtime_cost_per_hour: float | None = _rated_value(
        "downtime_cost_per_hour", "of an unplanned stop, in your currency"
    )
    supply: Literal["grid", "inverter"] = Field("grid", description="what feeds the motor")
    support: Literal["rigid", "flexible"] | None = Field(
        None, description="what it stands on, for the zones of vibration velocity (ISO 20816-3)"
    )
    scalar_limits: str | None = Field(
        None,
        max_length=PLACE_LENGTHS["scalar_limits"],
        description="limits of its scalars, `;` between them: "
        "`oil_pressure < 1.2 bar fault; winding_temperature > 120 degC warning`",
    )
    bearing: NameplateBearing | None = None
    site: str | None = Field(
        None,
        max_length=PLACE_LENGTHS["site"],
        description="where the machine stands, in a word or some",
    )
    asset_path: str | None = Field(
        None,
        max_length=PLACE_LENGTHS["asset_path"],
        description="of what the machine is a part: up to 8 names with `/` between them, the "
        "largest first",
    )
    feeder: str | None = Field(
        None,
        max_length=PLACE_LENGTHS["feeder"],
        description="the bus or transformer that feeds it: what moves on all of its machines is "
        "the supply, and no turn short",
    )


class NameplateIn(Nameplate):
    """The nameplate to register, and who does it where no API key says so."""

    by: str | None = Field(None, max_length=NAME_MAX, description="name of who registers it")
