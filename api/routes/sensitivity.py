"""Sensitivity: when the faults of a machine alert, with its versions."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import WithJsonSchema

from api.http.errors import not_found
from api.http.json_route import JsonRoute
from api.http.query import NO_PARAMETERS
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data
from api.schemas.sensitivity import (
    SENSITIVITY_IN,
    FaultSensitivity,
    MachineSensitivity,
    SensitivityVersion,
)
from api.shapes.machine_settings import setting_of_body, time_set
from api.state.auth import needs
from api.state.backend import Backend
from api.state.operator import actor_of, named_operator
from vtox.motor.alarms.health.sensitivity import Sensitivity, rules_from_dict
from vtox.motor.faults import PERSISTENCE, Persistence
from vtox.pipeline.store.machines.machine_settings import (
    SENSITIVITY,
    present_setting,
    setting_versions,
)
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.system.deeds import change_sensitivity

router = APIRouter(prefix="/api/v1/machines", tags=["machines"], route_class=JsonRoute)


@router.get(
    "/{machine_id}/sensitivity",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="When the faults of a machine alert",
)
def get_sensitivity(machine_id: MachineId, backend: OpenBackend) -> Data[MachineSensitivity]:
    """Return for each fault how many of its last diagnoses raise and clear an alert."""
    return Data(data=_of_machine(machine_id, backend))


@router.put(
    "/{machine_id}/sensitivity",
    dependencies=[*needs("engineer"), *NO_PARAMETERS],
    summary="Set when the faults of a machine alert",
    responses={404: {}, 409: {}},
)
def put_sensitivity(
    request: Request,
    machine_id: MachineId,
    sensitivity: Annotated[dict[str, Any], WithJsonSchema(SENSITIVITY_IN)],
    backend: OpenBackend,
) -> Data[MachineSensitivity]:
    """Replace the sensitivity, as a new version, from the next record of the machine on."""
    who = named_operator(request, sensitivity.pop("by", None))
    faults, expected = setting_of_body(sensitivity, SENSITIVITY_IN, "faults", "bad_sensitivity")
    rules = rules_from_dict(faults)
    client, actor = backend.client(), actor_of(request, who)
    change_sensitivity(client, actor, machine_id, rules, by=who, expected_version=expected)
    return Data(data=_of_machine(machine_id, backend))


def _of_machine(machine_id: str, backend: Backend) -> MachineSensitivity:
    client = backend.client()
    if not is_listed(client, machine_id):
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    present = present_setting(client, machine_id, SENSITIVITY)
    earlier = setting_versions(client, machine_id, SENSITIVITY)
    return MachineSensitivity(
        **_version(present).model_dump(),
        machine_id=machine_id,
        in_force=_tables(present.rules),
        defaults=_tables(PERSISTENCE),
        versions=[_version(s) for s in earlier],
    )


def _version(s: Sensitivity) -> SensitivityVersion:
    return SensitivityVersion.of(s, set=time_set(s))


def _tables(rules: Mapping[str, Persistence]) -> dict[str, FaultSensitivity]:
    return {f: FaultSensitivity.of(r) for f, r in rules.items()}
