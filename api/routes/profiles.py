"""Profiles of machines: what each usually does."""

from fastapi import APIRouter

from api.http.errors import not_found
from api.http.query import NO_PARAMETERS
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data
from api.schemas.profiles import MachineProfile
from api.schemas.view import Reason
from api.state.auth import needs
from vtox.motor.alarms.profile.advance import no_profile
from vtox.motor.alarms.profile.picture import picture
from vtox.motor.alarms.profile.values import Profile, site_of
from vtox.pipeline.store.machines.machines import is_listed, load_motors
from vtox.reporting.history.profiles import stored_profile
from vtox.reporting.notification.rules import read_zone

router = APIRouter(prefix="/api/v1/machines", tags=["machines"])


@router.get(
    "/{machine_id}/profile",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Usual operation of a machine",
)
def machine_profile(machine_id: MachineId, backend: OpenBackend) -> Data[MachineProfile]:
    """Return the usual loads by hour, the load now, and the limits of supply and starts."""
    client = backend.client()
    if not is_listed(client, machine_id):
        raise not_found(f"machine {machine_id!r} is not known")
    with backend.history() as db:
        kept = stored_profile(db, machine_id) if db is not None else None
    p = kept or Profile()
    site = site_of(load_motors(client, [machine_id])[0], read_zone(backend.settings))
    why = no_profile(p, driven=site.driven)
    return Data(
        data=MachineProfile(
            machine_id=machine_id,
            no_profile=Reason.of(why) if why else None,
            open=sorted(p.open),
            profile=picture(p, site),
        )
    )
