"""Figures of the alarms: per day and machine, most frequent, standing, chattering, false."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.http.query import TableQuery
from api.routes.system import OpenBackend
from api.schemas.common import Data, rfc3339
from api.schemas.figures import (
    AlarmFigures,
    ChatteringAlarm,
    StandingAlarm,
)
from api.state.auth import needs
from api.state.backend import Backend
from vtox.motor.alarms.figures import (
    STANDING_S,
    AlarmsOfDay,
    AlarmsOfMachine,
    RaisedAlarm,
    alarm_load,
    chattering,
    most_frequent,
)
from vtox.motor.alarms.life import Alarm
from vtox.reporting.history.alarm_figures import DAY_S, RecordedAlarms, first_day, recorded_alarms

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

FREQUENT, LISTED = 10, 20


class _FiguresQuery(TableQuery):
    """The number of days."""

    days: int = Field(30, ge=1, le=366, description="up to now; today and the days before it")


@router.get("/figures", dependencies=needs("read"), summary="Figures of the alarms")
def get_figures(
    backend: OpenBackend, query: Annotated[_FiguresQuery, Query()]
) -> Data[AlarmFigures]:
    """Return how often each alarm came, which are standing or chatter, and how many were false.

    Days are those of UTC. The alarms and outcomes are those of the history, counted at most once in
    10 s, without the alarms of retired machines.
    """
    name = f"figures:{query.days}"
    return Data(data=backend.keep(name, lambda: _figures(backend, query.days)))


def _figures(backend: Backend, days: int) -> AlarmFigures:
    from vtox.motor.alarms.false_alarms import false_alarm_rate

    to_s = backend.now_s()
    first = first_day(to_s, days)
    from_s = float(first * DAY_S)
    with backend.history() as db:
        r = recorded_alarms(db, from_s, to_s, LISTED + 1)
    of_machines, machine_days = r.of_machines, r.machine_days
    false = false_alarm_rate(of_machines, r.outcomes, machine_days)
    standing = _standing(backend, to_s)
    by_day = _by_day(r, range(first, int(to_s // DAY_S) + 1))
    site = backend.settings.alarm_load
    return AlarmFigures(
        **{"from": rfc3339(from_s)},
        to=rfc3339(to_s) or "",
        recorded_until=rfc3339(r.until_s),
        alarms=len(of_machines),
        system_alarms=len(r.alarms) - len(of_machines),
        machine_days=round(machine_days, 3),
        per_machine_day=_rate(len(of_machines), machine_days),
        by_day=by_day,
        by_machine=_by_machine(of_machines, r.hours_by_machine),
        most_frequent=most_frequent(r.alarms, FREQUENT),
        chattering=[ChatteringAlarm.of(c) for c in chattering(r.alarms)[:LISTED]],
        standing=standing[:LISTED],
        standing_for_a_day=sum(s.stands_s > STANDING_S for s in standing),
        false_alarms=false,
        load=alarm_load(_since_recorded(by_day), site.people, site.most),
    )


def _since_recorded(by_day: Sequence[AlarmsOfDay]) -> list[int]:
    """Return the alarms of each day, from the first day with a record."""
    counts = [d.alarms + d.system_alarms for d in by_day]
    recorded = (i for i, d in enumerate(by_day) if counts[i] or d.machine_days)
    return counts[next(recorded, len(counts)) :]


def _by_day(r: RecordedAlarms, days: Sequence[int]) -> list[AlarmsOfDay]:
    of_machines = Counter(a.ms // (1000 * DAY_S) for a in r.alarms if a.machine_id)
    of_system = Counter(a.ms // (1000 * DAY_S) for a in r.alarms if not a.machine_id)
    return [
        AlarmsOfDay(
            day=datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat(),
            alarms=of_machines[day],
            system_alarms=of_system[day],
            machine_days=round(r.hours_by_day.get(day, 0) / 24, 3),
        )
        for day in days
    ]


def _by_machine(
    alarms: Sequence[RaisedAlarm], hours_by_machine: Mapping[str, int]
) -> list[AlarmsOfMachine]:
    counts = Counter(a.machine_id for a in alarms)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found = []
    for machine_id, n in ranked[:LISTED]:
        days = hours_by_machine.get(machine_id, 0) / 24
        found.append(
            AlarmsOfMachine(
                machine_id=machine_id,
                alarms=n,
                machine_days=round(days, 3),
                per_machine_day=_rate(n, days),
            )
        )
    return found


def _standing(backend: Backend, now_s: float) -> list[StandingAlarm]:
    book, _ = backend.book()
    active = sorted((a for a in book.alarms.values() if a.active), key=lambda a: a.raised_ms)
    return [_standing_alarm(a, now_s) for a in active]


def _standing_alarm(alarm: Alarm, now_s: float) -> StandingAlarm:
    age_s = round(max(now_s - alarm.raised_ms / 1000, 0.0), 3)
    level = "fault" if alarm.level == "fault" else "warning"
    return StandingAlarm.of(alarm, level=level, stands_s=age_s)


def _rate(n: int, days: float) -> float | None:
    return round(n / days, 6) if days else None
