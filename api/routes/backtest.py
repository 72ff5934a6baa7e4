"""The back-test of a sensitivity: recorded diagnoses by another rule, next to the one in force."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.http.errors import not_found
from api.http.query import EmptyQuery, FaultName
from api.routes.machines import MachineId
from api.routes.system import OpenBackend
from api.schemas.backtest import (
    BacktestEvent,
    BacktestHours,
    BacktestOutcome,
    RecordedEvents,
    SensitivityBacktest,
)
from api.schemas.common import Data, rfc3339
from api.schemas.sensitivity import SAYS, FaultSensitivity
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.alarms.health.alarm_level import Event
from vtox.motor.alarms.health.sensitivity import FIELDS, rule_from_dict
from vtox.motor.faults import OF_SLIP, Persistence
from vtox.pipeline.store.machines.machine_settings import SENSITIVITY, present_setting
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.server.client import server_time
from vtox.reporting.history.recorded_slots import (
    RecordedSlots,
    nothing_recorded,
    recorded_events,
    recorded_slots,
)

router = APIRouter(prefix="/api/v1/machines", tags=["machines"])

DAY_S = 86_400
LATEST_EVENTS = 100
OR_DEFAULT = "; without it, the default of the fault"


class _BacktestQuery(EmptyQuery):
    """The sensitivity that is proposed, and how far back it is tried."""

    fault: FaultName = Field(description="of this fault")
    k: int | None = Field(None, description=SAYS["k"] + OR_DEFAULT)
    n: int | None = Field(None, description=SAYS["n"] + OR_DEFAULT)
    clear: int | None = Field(None, description=SAYS["clear"] + OR_DEFAULT)
    min_severity: float | None = Field(None, description=SAYS["min_severity"] + OR_DEFAULT)
    min_confidence: float | None = Field(None, description=SAYS["min_confidence"] + OR_DEFAULT)
    on_days: int | None = Field(
        None, description=f"`days` of the sensitivity: {SAYS['days']}{OR_DEFAULT}"
    )
    of_days: int | None = Field(None, description=SAYS["of_days"] + OR_DEFAULT)
    days: float = Field(30, gt=0, le=366, description="up to now")


@router.get(
    "/{machine_id}/sensitivity/backtest",
    dependencies=needs("read"),
    summary="Alarms that another sensitivity would have raised",
)
def backtest_sensitivity(
    machine_id: MachineId, backend: OpenBackend, query: Annotated[_BacktestQuery, Query()]
) -> Data[SensitivityBacktest]:
    """Try a proposed sensitivity, and the one in force, on the diagnoses that are recorded.

    Both run the code that raises alerts over every kept diagnosis. Only sums are left of older
    ones: `hours` counts the hours in which the sums do not allow a decision.
    """
    asked = {name: getattr(query, "on_days" if name == "days" else name) for name in FIELDS}
    given = {name: value for name, value in asked.items() if value is not None}
    proposed = rule_from_dict(query.fault, given)
    client = backend.client()
    if not is_listed(client, machine_id):
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    in_force = present_setting(client, machine_id, SENSITIVITY).rules[query.fault]
    to_s = server_time(client)
    from_s = max(to_s - DAY_S * query.days, 0.0)
    with backend.computing():
        found, events = _recorded(backend, machine_id, query.fault, from_s, to_s)
        in_raw = [e for e in events if found.from_t is not None and e.t >= found.from_t]
        return Data(
            data=SensitivityBacktest(
                machine_id=machine_id,
                fault=query.fault,
                **{"from": rfc3339(from_s)},
                to=rfc3339(to_s) or "",
                raw_from=rfc3339(found.from_t),
                level_at_raw_from=found.level,
                hours=BacktestHours(**{n: round(h, 2) for n, h in found.hours._asdict().items()}),
                diagnoses=len(found.slots),
                days_only=query.fault in OF_SLIP and max(in_force.days, proposed.days) > 1,
                in_force=_outcome(found, in_force, to_s),
                proposed=_outcome(found, proposed, to_s),
                recorded=_counts(in_raw),
                recorded_in_all=_counts(events),
            )
        )


def _recorded(
    backend: Backend, machine_id: str, fault: str, from_s: float, to_s: float
) -> tuple[RecordedSlots, list[Event]]:
    with backend.history() as db:
        if db is None:
            return nothing_recorded(from_s, to_s), []
        found = recorded_slots(db, machine_id, fault, from_s, to_s)
        return found, recorded_events(db, machine_id, fault, from_s, to_s)


def _outcome(found: RecordedSlots, rule: Persistence, to_s: float) -> BacktestOutcome:
    tried = found.tried(rule, to_s)
    last = tried.events[: -LATEST_EVENTS - 1 : -1]
    return BacktestOutcome(
        sensitivity=FaultSensitivity.of(rule),
        **_counts(tried.events).model_dump(),
        open_s=round(tried.open_s, 3),
        level_at_end=tried.level,
        events=[BacktestEvent(event=e.name, level=e.level, at=rfc3339(e.t) or "") for e in last],
    )


def _counts(events: Iterable[Event]) -> RecordedEvents:
    names = [e.name for e in events]
    return RecordedEvents(
        raised=names.count("raised"),
        escalated=names.count("escalated"),
        cleared=names.count("cleared"),
    )
