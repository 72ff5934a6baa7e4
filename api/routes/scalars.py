"""Scalars of machines: readings come in, the latest ones are shown."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api.http.errors import not_found
from api.http.json_route import JsonRoute
from api.http.paging import next_link
from api.http.query import NO_PARAMETERS, EmptyQuery
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.routes.windows import charge_quotas
from api.schemas.common import Data, DescribedBy
from api.schemas.scalars import (
    AcceptedScalars,
    LatestScalar,
    LearntRange,
    Limit,
    LimitTrials,
    MachineScalars,
    NamedLimit,
    ScalarsIn,
    ScalarsPage,
    TriedLimit,
    VibrationClass,
)
from api.schemas.view import Reason
from api.state.auth import needs
from vtox.motor.errors import WireError
from vtox.motor.values.domain import Motor, reason
from vtox.motor.values.scalars import PREFIX, ScalarReading, readings_of
from vtox.motor.values.vibration_zones import (
    SOURCE,
    UNIT,
    VELOCITIES,
    MachineClass,
    limits_of,
    machine_class,
)
from vtox.pipeline.store.machines.machines import is_listed, load_motors
from vtox.pipeline.store.machines.points import AHEAD_MS
from vtox.pipeline.store.machines.scalar_room import admit_readings
from vtox.pipeline.store.stream.scalars import why_no_velocity
from vtox.reporting.history.limit_trials import (
    LimitTrial,
    ScalarRange,
    healthy_ranges,
    limit_trial,
)
from vtox.reporting.history.scalars import latest, quantities

router = APIRouter(prefix="/api/v1/machines", tags=["scalars"], route_class=JsonRoute)
_FIELDS = frozenset(ScalarsIn.model_fields)


class _ScalarsQuery(EmptyQuery):
    """The page of the scalars, by name and unit."""

    limit: int = Field(100, ge=1, le=500, description="largest number of scalars on the page")
    cursor: str = Field("", description="where the page begins: opaque, from `next` of another")


@router.post(
    "/{machine_id}/scalars",
    status_code=202,
    dependencies=[*needs("ingest"), *NO_PARAMETERS, Depends(charge_quotas)],
    summary="Send scalars",
)
def post_scalars(
    machine_id: MachineId,
    scalars: Annotated[dict[str, Any], DescribedBy(ScalarsIn)],
    backend: OpenBackend,
) -> Data[AcceptedScalars]:
    """Send readings of one time. Sent twice with the same `t` they count once."""
    if scalars.get("machine_id") not in (None, machine_id):
        detail = f"machine_id: {scalars['machine_id']!r}, expected {machine_id!r} or none"
        raise WireError("bad_machine_id", detail, "machine_id")
    if unknown := scalars.keys() - _FIELDS:
        detail = f"{min(unknown)}: unknown, expected some of {', '.join(sorted(_FIELDS))}"
        raise WireError("bad_type", detail, min(unknown))
    now = backend.now_s()
    t = now if scalars.get("t") is None else scalars["t"]
    readings = readings_of(machine_id, t, scalars.get("scalars"))
    oldest_t = now - backend.settings.keep.history_hours.s
    if not oldest_t <= t <= now + AHEAD_MS / 1000:
        expected = f"expected {oldest_t:.0f} (VTOX_KEEP__HISTORY_HOURS) to an hour from now"
        raise WireError("bad_number", f"t: {t}, {expected}", "t")
    ids = admit_readings(backend.client(), readings, backend.settings.max_machines)
    return Data(data=AcceptedScalars(machine_id=machine_id, t=t, stream_ids=ids))


@router.get(
    "/{machine_id}/scalars",
    dependencies=needs("read"),
    summary="Latest scalars of a machine",
)
def machine_scalars(
    request: Request,
    machine_id: MachineId,
    backend: OpenBackend,
    query: Annotated[_ScalarsQuery, Query()],
) -> ScalarsPage:
    """Return the latest reading of each scalar with its limits, and the zone of a velocity."""
    (motor,) = load_motors(backend.client(), [machine_id])
    found, velocities, following = [], [], ""
    with backend.history() as db:
        if db is not None:
            most = query.limit + 1
            names = quantities(db, machine_id, first=query.cursor, most=most)
            following = names[query.limit] if len(names) == most else ""
            shown = names[: query.limit]
            found = list(latest(db, machine_id, shown)) if shown else []
            velocities = list(latest(db, machine_id, [f"{PREFIX}{n}:{UNIT}" for n in VELOCITIES]))
    if not found and not is_listed(backend.client(), machine_id):
        raise not_found(f"machine {machine_id!r} is not known, and has no scalars")
    known = machine_class(motor)
    why = None if isinstance(known, MachineClass) else known
    if why is None and not velocities:
        why = why_no_velocity(backend.client(), machine_id) or reason("velocity_not_measured")
    return ScalarsPage(
        data=MachineScalars(
            machine_id=machine_id,
            scalars=[_latest(r, state, motor) for r, state in found],
            vibration_class=VibrationClass.of(known, ends_mm_s=list(known.ends), source=SOURCE)
            if isinstance(known, MachineClass)
            else None,
            why_no_velocity=Reason.of(why) if why else None,
        ),
        next=next_link(request, following),
    )


@router.get(
    "/{machine_id}/scalars/limits",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Limits of a machine, tried on its history",
)
def try_limits(machine_id: MachineId, backend: OpenBackend) -> Data[LimitTrials]:
    """Return how often each limit would have raised its alarm, and ranges of a healthy week."""
    (motor,) = load_motors(backend.client(), [machine_id])
    if motor is None and not is_listed(backend.client(), machine_id):
        raise not_found(f"machine {machine_id!r} is not known")
    tried: list[LimitTrial] = []
    ranges: list[ScalarRange] = []
    with backend.history() as db:
        if db is not None:
            tried = [limit_trial(db, machine_id, x) for x in limits_of(motor)]
            ranges = healthy_ranges(db, machine_id, backend.now_s())
    return Data(
        data=LimitTrials(
            machine_id=machine_id,
            limits=[
                TriedLimit.of(x, scalar_limit=NamedLimit.of(x.scalar_limit))
                for x in tried
                if x.readings or x.scalar_limit.name not in VELOCITIES
            ],
            ranges=[LearntRange.of(x) for x in ranges],
        )
    )


def _latest(r: ScalarReading, state: str, motor: Motor | None) -> LatestScalar:
    known = machine_class(motor)
    of_zone = isinstance(known, MachineClass) and r.name in VELOCITIES
    return LatestScalar.of(
        r,
        state=state or None,
        zone=known.zone(r.value) if of_zone and isinstance(known, MachineClass) else None,
        limits=[Limit.of(x) for x in limits_of(motor) if (x.name, x.unit) == (r.name, r.unit)],
    )
