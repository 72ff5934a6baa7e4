"""Shapes of sensitivity: when the faults of a machine alert."""

from typing import Annotated, Any

from api.schemas.common import VERSION_AND_BY, Time
from api.schemas.value_fields import After, descriptions
from api.schemas.view import View
from vtox.motor.alarms.health.sensitivity import COUNTS, SHARES, Sensitivity
from vtox.motor.faults import FAULTS, Persistence

SAYS = descriptions(Persistence)


class FaultSensitivity(View, value=Persistence, without="slot_s hold"):
    """When one fault alerts."""


class SensitivityVersion(View, value=Sensitivity, without="t"):
    """One version of the sensitivity; a fault that is not in `faults` had its default."""

    set: Annotated[Time | None, After("version")]
    """when; null for version 0"""
    faults: dict[str, FaultSensitivity]


class MachineSensitivity(SensitivityVersion):
    """When each fault of a machine alerts."""

    machine_id: str
    in_force: dict[str, FaultSensitivity]
    """of every fault, set or default"""
    defaults: dict[str, FaultSensitivity]
    versions: list[SensitivityVersion]
    """the last 50, newest first"""


def _fault_schema() -> dict[str, Any]:
    more = {"k": "; at most `n`", "days": "; at most `of_days`"}
    properties: dict[str, Any] = {
        name: {
            "type": "integer",
            "minimum": low,
            "maximum": high,
            "description": SAYS[name] + more.get(name, ""),
        }
        for name, (low, high) in COUNTS.items()
    }
    for name in SHARES:
        within = {"type": "number", "minimum": 0, "maximum": 1}
        properties[name] = within | {"description": SAYS[name]}
    return {"type": "object", "properties": properties, "additionalProperties": False}


# The schema of the body, which `vtox.motor.alarms.health.sensitivity` checks.
SENSITIVITY_IN: dict[str, Any] = {
    "type": "object",
    "required": ["faults"],
    "properties": {
        "faults": {
            "type": "object",
            "propertyNames": {"enum": list(FAULTS)},
            "additionalProperties": _fault_schema(),
            "description": "what is left out, of a fault or all of it, is the default of the fault",
        },
        **VERSION_AND_BY,
    },
    "additionalProperties": False,
}
