"""Shapes of sensitivity: when the faults of a machine alert."""

from typing import Any

from pydantic import Field

from api.schemas.common import VERSION_AND_BY, Time
from api.schemas.view import View
from vtox.motor.alarms.health.sensitivity import COUNTS, SHARES
from vtox.motor.faults import FAULTS

BY = "name and id of the API key; without one, the name that was sent"
K = "so many of the last `n` slots with a fault raise an alert"
N = "of so many slots: records, for `turn_short` fifths of a second"
CLEAR = "so many slots in a row with nothing found clear it"
DAYS = "a fault is seen then, and alarms on so many days; 1: at once"
OF_DAYS = "of the last so many days on which the machine was judged"
MIN_SEVERITY = "least severity that alerts, 0 to 1"
MIN_CONFIDENCE = "least confidence that alerts, 0 to 1"


class FaultSensitivity(View):
    """When one fault alerts."""

    k: int = Field(description=K)
    n: int = Field(description=N)
    clear: int = Field(description=CLEAR)
    days: int = Field(description=DAYS)
    of_days: int = Field(description=OF_DAYS)
    min_severity: float = Field(description=MIN_SEVERITY)
    min_confidence: float = Field(description=MIN_CONFIDENCE)


class SensitivityVersion(View):
    """One version of what was set; a fault that is not in `faults` had its default."""

    version: int
    """0: nobody has set anything"""
    set: Time | None
    """when; null for version 0"""
    by: str = Field(description=BY)
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
    counts = zip(
        COUNTS.items(),
        (K + "; at most `n`", N, CLEAR, DAYS + "; at most `of_days`", OF_DAYS),
        strict=True,
    )
    properties: dict[str, Any] = {
        name: {"type": "integer", "minimum": low, "maximum": high, "description": description}
        for (name, (low, high)), description in counts
    }
    for name, description in zip(SHARES, (MIN_SEVERITY, MIN_CONFIDENCE), strict=True):
        within = {"type": "number", "minimum": 0, "maximum": 1}
        properties[name] = within | {"description": description}
    return {"type": "object", "properties": properties, "additionalProperties": False}


# Of the body, which `vtox.motor.alarms.health.sensitivity` checks.
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
