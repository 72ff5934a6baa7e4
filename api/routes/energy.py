"""Energy and operation: of one machine, and of the fleet by its use."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from api.http.errors import Problem, not_found
from api.http.query import TableQuery
from api.routes.history import T_END
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.common import Data, rfc3339
from api.schemas.energy import (
    EnergyCost,
    EnergyOfMachine,
    EnergyStep,
    FleetEnergy,
    MachineEnergy,
    MachineStarts,
)
from api.shapes.energy import (
    change_shape,
    cost_shape,
    counts_shape,
    reading_shape,
    saving_shape,
    start_shape,
)
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.values.domain import Motor
from vtox.motor.values.energy import NOTHING, QUARTER_S, MeterCounts
from vtox.pipeline.store.machines.energy import Meter, meters
from vtox.pipeline.store.machines.machines import is_listed, load_motors
from vtox.reporting.history import energy
from vtox.reporting.history.energy import DAY_S, Cost, Stretch
from vtox.reporting.history.starts import MotorStart, most_in_an_hour, starts

router = APIRouter(prefix="/api/v1", tags=["energy"])

# Steps of a page at most: a month of quarter-hours.
_MOST_STEPS = 3000
_MOST_STARTS = 1000
# Codes of a steady record if its currents and voltages do not belong together.
_WIRING = ("channel_reversed", "phase_orders_differ", "voltages_not_paired")
_Step = Literal["quarter", "hour", "day", "week"]
_STEP_S = {"quarter": QUARTER_S, "hour": 3600, "day": DAY_S, "week": 7 * DAY_S}


class _EnergyQuery(TableQuery):
    """The time span."""

    from_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); without it, a day before `to_t`"
    )
    to_t: float | None = Field(
        None, ge=0, lt=T_END, description="s since 1970 (UTC); without it, now"
    )


class _MachineEnergyQuery(_EnergyQuery):
    """The time span, and how finely it is divided."""

    step: _Step = Field("hour", description="length of a step; days and weeks are of UTC")


@router.get(
    "/machines/{machine_id}/energy",
    dependencies=needs("read"),
    summary="Energy and operation of a machine",
)
def machine_energy(
    machine_id: MachineId, backend: OpenBackend, query: Annotated[_MachineEnergyQuery, Query()]
) -> Data[MachineEnergy]:
    """Return power, load and losses now, the meter, and the energy counted between two times.

    Ends are moved outwards to whole quarter-hours. The last seconds may not be in the history yet.
    """
    step_s = _STEP_S[query.step]
    from_s, to_s = _span(backend, query)
    if (to_s - from_s) / step_s > _MOST_STEPS:
        raise Problem("invalid", f"step: more than {_MOST_STEPS} steps", field="step")
    price = backend.settings.energy_price
    total, cost = Stretch(machine_id, from_s, NOTHING), None
    before: list[Stretch] = []
    with backend.history() as db:
        found: list[Stretch] = []
        if db is not None:
            found = energy.quarters(db, machine_id, from_s, to_s, step_s)
            total = Stretch(machine_id, from_s, _total(found))
            (cost,) = energy.costs(db, [total], from_s, to_s, price)
            before = energy.quarters(db, machine_id, 2 * from_s - to_s, from_s, step_s)
    if not found and not is_listed(backend.client(), machine_id):
        raise not_found(f"machine {machine_id!r} is not known, and has no history")
    (meter,) = meters(backend.client(), [machine_id])
    (motor,) = load_motors(backend.client(), [machine_id])
    return Data(
        data=MachineEnergy(
            machine_id=machine_id,
            now=reading_shape(meter),
            meter=counts_shape(meter.counts),
            meter_since=rfc3339(meter.since_t),
            from_t=from_s,
            to_t=to_s,
            step_s=step_s,
            hours=(to_s - from_s) / 3600,
            total=counts_shape(total.counts),
            cost=cost_shape(cost, price.currency, total.counts),
            saving=saving_shape(motor, total.counts),
            change=change_shape(motor, _total(before), total.counts),
            steps=[EnergyStep(t=s.t, counts=counts_shape(s.counts)) for s in found],
        )
    )


@router.get(
    "/machines/{machine_id}/starts",
    dependencies=needs("read"),
    summary="Starts of a machine",
)
def machine_starts(
    machine_id: MachineId, backend: OpenBackend, query: Annotated[_EnergyQuery, Query()]
) -> Data[MachineStarts]:
    """Return the starts that began between two times, at most 1000: the latest ones."""
    from_s, to_s = _span(backend, query)
    found: list[MotorStart] = []
    with backend.history() as db:
        if db is not None:
            found = starts(db, machine_id, from_s, to_s)
    client = backend.client()
    if not found and not is_listed(client, machine_id):
        raise not_found(f"machine {machine_id!r} is not known, and has no history")
    ((meter,), (motor,)) = meters(client, [machine_id]), load_motors(client, [machine_id])
    # Wrong wiring is refused in every record of the steady state.
    wired = meter.counts.powered_ms > 0 and not (
        meter.reading and meter.reading.power_code in _WIRING
    )
    return Data(
        data=MachineStarts(
            machine_id=machine_id,
            from_t=from_s,
            to_t=to_s,
            most_in_an_hour=most_in_an_hour(found),
            max_starts_per_hour=motor.max_starts_per_hour if motor else None,
            starts=[start_shape(s, wired=wired) for s in found[: -_MOST_STARTS - 1 : -1]],
        )
    )


@router.get("/energy", dependencies=needs("read"), summary="Energy of the fleet, by its use")
def fleet_energy(
    backend: OpenBackend, query: Annotated[_EnergyQuery, Query()]
) -> Data[FleetEnergy]:
    """Return the energy of each machine between two times, the largest first, and all by day."""
    from_s, to_s = _span(backend, query)
    return Data(data=backend.keep(f"energy:{from_s}:{to_s}", lambda: _fleet(backend, from_s, to_s)))


def _fleet(backend: Backend, from_s: int, to_s: int) -> FleetEnergy:
    price = backend.settings.energy_price
    # The row of an unfinished day has the sums of its quarter-hours.
    end_s = -(-to_s // DAY_S) * DAY_S if to_s >= backend.now_s() else to_s
    found: list[Stretch] = []
    days: list[Stretch] = []
    cost: list[Cost | None] = []
    with backend.history() as db:
        if db is not None:
            found = energy.fleet(db, from_s, end_s)
            # Machines without measured power come last.
            found.sort(key=lambda s: (not s.counts.powered_ms, -s.counts.energy_j, s.machine_id))
            days = energy.fleet_days(db, from_s // DAY_S * DAY_S, to_s)
            cost = energy.costs(db, found, from_s, to_s, price)
    ids = [s.machine_id for s in found]
    now = meters(backend.client(), ids)
    plates = load_motors(backend.client(), ids)
    known = [c for c in cost if c]
    whole = Cost(*map(sum, zip(*known, strict=True))) if known else None
    total = _total(found)
    return FleetEnergy(
        from_t=from_s,
        to_t=to_s,
        hours=(to_s - from_s) / 3600,
        measured_machines=sum(s.counts.powered_ms > 0 for s in found),
        has_price=price.is_known,
        total=counts_shape(total),
        cost=cost_shape(whole, price.currency, total),
        machines=[
            _of_machine(s, meter, motor, cost_shape(own, price.currency, s.counts))
            for s, meter, motor, own in zip(found, now, plates, cost, strict=True)
        ],
        days=[EnergyStep(t=s.t, counts=counts_shape(s.counts)) for s in days],
    )


def _of_machine(
    s: Stretch, meter: Meter, motor: Motor | None, cost: EnergyCost | None
) -> EnergyOfMachine:
    r = meter.reading
    watts = r.figures.get("active_w") if r else None
    return EnergyOfMachine(
        machine_id=s.machine_id,
        site=getattr(motor, "site", None),
        counts=counts_shape(s.counts),
        now_kw=None if watts is None else watts / 1000,
        load_ratio=r.figures.get("load_ratio") if r else None,
        efficiency=r.figures.get("efficiency") if r else None,
        cost=cost,
        saving=saving_shape(motor, s.counts),
        code=r.power_code or r.load_code if r else "",
    )


def _span(backend: Backend, query: _EnergyQuery) -> tuple[int, int]:
    to_s = backend.now_s() if query.to_t is None else query.to_t
    from_s = max(to_s - DAY_S, 0.0) if query.from_t is None else query.from_t
    if from_s >= to_s:
        raise Problem("invalid", f"from_t: {from_s} is not before to_t {to_s}", field="from_t")
    return int(from_s // QUARTER_S) * QUARTER_S, int(-(-to_s // QUARTER_S)) * QUARTER_S


def _total(found: list[Stretch]) -> MeterCounts:
    total = NOTHING
    for s in found:
        total = total.plus(s.counts)
    return total
