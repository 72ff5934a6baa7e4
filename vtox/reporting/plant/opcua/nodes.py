"""The nodes of a machine in OPC UA: names, types and values. Pure but for the types of asyncua.

The ids of nodes are texts of the namespace `NAMESPACE`: `M1`, `M1/State`, `M1/Nameplate/site`. No
id of a machine has a `/`, so that no machine has the id of another's variable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary

from vtox.motor.alarms.health.assessment import present_state
from vtox.motor.alarms.ne107 import Status, ne107
from vtox.motor.faults import FAULTS
from vtox.motor.values.energy import measured_kwh
from vtox.pipeline.store.machines.energy import Meter
from vtox.pipeline.store.machines.fleet import FleetMachine

NAMESPACE = "urn:vtox:machines"
# As DeviceHealthEnumeration of OPC 10000-100 counts the statuses of NE 107.
DEVICE_HEALTH: Mapping[Status, int] = {
    "normal": 0,
    "failure": 1,
    "check_function": 2,
    "out_of_specification": 3,
    "maintenance_required": 4,
}
# No machine has this id.
FOLDER = "/Machines"
# Objects of a machine that hold variables; the name of a variable begins with its object.
PARTS = FAULT_STATES, NAMEPLATE, SCALARS = "Faults", "Nameplate", "Scalars"
_TEXT, _REAL = ua.VariantType.String, ua.VariantType.Double
# Figures of energy, with their unit as the last part of the name.
_FIGURES = {
    "ActivePower_W": "active_w",
    "LossPower_W": "loss_w",
    "LoadRatio": "load_ratio",
    "Efficiency": "efficiency",
    "Voltage_V": "voltage_v",
    "Current_A": "current_a",
    "PowerFactor": "power_factor",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One value; None is one that is not known. `t` is when it was measured, if that is said."""

    value: str | float | int | bool | None
    kind: ua.VariantType
    t: float | None = None

    def data_value(self) -> ua.DataValue:
        """Return it as OPC UA has it: an unknown value has the status BadNoData.

        Raises whatever asyncua does on a value of another type: sent to a client, it would end the
        whole answer or subscription.
        """
        if self.value is None:
            return ua.DataValue(StatusCode=ua.StatusCode(ua.StatusCodes.BadNoData))
        measured = None if self.t is None else datetime.fromtimestamp(self.t, UTC)
        value = ua.DataValue(ua.Variant(self.value, self.kind), SourceTimestamp=measured)
        struct_to_binary(value)
        return value


Values = dict[str, Quantity]


def state_values(m: FleetMachine, *, silent: bool) -> Values:
    """Return the present values of a machine, by the name of the variable."""
    status = ne107(m.health, silent=silent)
    faults = m.health.faults if m.health else {}
    return {
        "Site": Quantity(m.site, _TEXT),
        "AssetPath": Quantity(m.asset_path, _TEXT),
        "State": Quantity(present_state(m.health, silent=silent), _TEXT),
        "Health": Quantity(m.health.health if m.health else None, _REAL),
        "Silent": Quantity(silent, ua.VariantType.Boolean),
        "Seen": Quantity("; ".join(m.health.seen_faults) if m.health else "", _TEXT),
        "DeviceHealth": Quantity(DEVICE_HEALTH[status.status], ua.VariantType.Int32),
        "NE107": Quantity(status.status, _TEXT),
        "NE107Fault": Quantity(status.fault, _TEXT),
        "NE107Code": Quantity(status.code, _TEXT),
    } | {f"{FAULT_STATES}/{n}": Quantity(_state_of(faults, n), _TEXT) for n in FAULTS}


def energy_values(meter: Meter) -> Values:
    """Return the power and energy that a machine takes and has taken."""
    figures = meter.reading.figures if meter.reading else {}
    total = measured_kwh(meter.counts.energy_j, meter.counts.powered_ms)
    return {"Energy_kWh": Quantity(total, _REAL)} | {
        name: Quantity(figures.get(figure), _REAL) for name, figure in _FIGURES.items()
    }


def nameplate_values(plate: Mapping[str, Any]) -> Values:
    """Return the fields of a nameplate that are known, from `nameplate_fields.flattened`."""
    return {f"{NAMEPLATE}/{n}": _field(x) for n, x in plate.items() if x is not None}


def scalar_variable(name: str, unit: str) -> str:
    """Return the name of the variable of a scalar; a `/` of its unit is written as in RFC 6901."""
    return f"{SCALARS}/{name}:{unit.replace('~', '~0').replace('/', '~1')}"


def browse_name(variable: str) -> str:
    """Return the last part of the name of a variable, as people read it."""
    return variable.rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _field(x: Any) -> Quantity:
    if isinstance(x, int | float) and not isinstance(x, bool):
        return Quantity(float(x), _REAL)
    return Quantity(x if isinstance(x, str) else str(list(x)), _TEXT)


def _state_of(faults: Mapping[str, Any], name: str) -> str:
    return str(faults[name].state) if name in faults else "unknown"
