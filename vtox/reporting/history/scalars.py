"""Scalars in the history: each reading once, the latest of each, and crossings of limits."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select, tuple_

from vtox.motor.values.domain import reason
from vtox.motor.values.scalars import (
    MOST_OF_MACHINE,
    PREFIX,
    LimitRun,
    ScalarLimit,
    ScalarReading,
    limit_flag,
    name_and_unit,
)
from vtox.motor.values.vibration_zones import VELOCITIES, limits_of
from vtox.pipeline.store.alarms.flags import FlagChange, are_set, set_flags
from vtox.pipeline.store.machines.machines import load_motors
from vtox.pipeline.store.machines.points import Point
from vtox.pipeline.store.server.client import Client
from vtox.reporting.history.downsampling import Row
from vtox.reporting.history.names import numbers_of_series
from vtox.reporting.history.schema import outcomes, records, series

# So many pairs in one query: SQLite takes 32,766 values, older ones 999.
_PAIRS_PER_QUERY = 400


def unrecorded(db: Connection, rows: Sequence[Row], late_ms: int) -> list[Row]:
    """Return the readings that are not recorded, each once, under an id that is the same for all.

    The same machine, scalar and time are the same reading, whatever entry it came in. One from
    before `late_ms` keeps the id of its entry: its record stays for a time after its arrival, so
    that it is known if it comes again.
    """
    new = {
        (r.series_id, r.t_ms): r if r.t_ms < late_ms else r._replace(id_ms=0, id_seq=0)
        for r in reversed(rows)
    }
    pairs = list(new)
    c = records.c
    for start in range(0, len(pairs), _PAIRS_PER_QUERY):
        part = pairs[start : start + _PAIRS_PER_QUERY]
        known = select(c.series_id, c.t_ms).where(tuple_(c.series_id, c.t_ms).in_(part))
        for number, t_ms in db.execute(known):
            new.pop((number, t_ms), None)
    return list(new.values())


def without_room(db: Connection, points: Sequence[Point]) -> tuple[set[tuple[str, str]], list[str]]:
    """Return machine and quantity of new scalars without room, and machines filled by others."""
    pairs = list(dict.fromkeys((p.machine_id, p.quantity) for p in points))
    known = numbers_of_series(db, pairs)
    new = [
        (m, q) for m, q in pairs if (m, q) not in known and name_and_unit(q)[0] not in VELOCITIES
    ]
    room = _room(db, list(dict.fromkeys(m for m, _ in new)))
    open_before = {m for m, left in room.items() if left > 0}
    refused = set()
    for machine_id, quantity in new:
        room[machine_id] -= 1
        if room[machine_id] < 0:
            refused.add((machine_id, quantity))
    return refused, sorted(m for m in open_before if room[m] <= 0)


def _room(db: Connection, machine_ids: Sequence[str]) -> dict[str, int]:
    """Return machine id -> how many scalars it may still get."""
    room = dict.fromkeys(machine_ids, MOST_OF_MACHINE)
    for start in range(0, len(machine_ids), _PAIRS_PER_QUERY):
        part = machine_ids[start : start + _PAIRS_PER_QUERY]
        counted = _counted().where(series.c.machine_id.in_(part))
        room |= {m: MOST_OF_MACHINE - n for m, n in db.execute(counted)}
    return room


def full_machines(db: Connection) -> dict[str, list[str]]:
    """Return machine id -> its scalars, as quantities, for machines that may get no more."""
    full = _counted().having(func.count() >= MOST_OF_MACHINE)
    return {m: quantities(db, m) for m, _ in db.execute(full).all()}


def _counted() -> Select[Any]:
    c = series.c
    own = (
        c.quantity.startswith(PREFIX),
        *(~c.quantity.startswith(f"{PREFIX}{name}:", autoescape=True) for name in VELOCITIES),
    )
    return select(c.machine_id, func.count()).where(*own).group_by(c.machine_id)


def quantities(
    db: Connection, machine_id: str, *, first: str = "", most: int | None = None
) -> list[str]:
    """Return the scalars of a machine in the history, as its quantities, from `first` on."""
    c = series.c
    own = select(c.quantity).where(c.machine_id == machine_id, c.quantity.startswith(PREFIX))
    found = own.where(c.quantity >= first).order_by(c.quantity).limit(most)
    return list(db.execute(found).scalars())


def latest(
    db: Connection, machine_id: str = "", only: Sequence[str] = ()
) -> Iterator[tuple[ScalarReading, str]]:
    """Yield the latest reading of each scalar that is kept, with its state, of one machine or all.

    Sorted by names of machines and scalars. `only` are quantities.
    """
    c, of, own = records.c, series.c, records.alias().c
    wanted = of.quantity.in_(only) if only else of.quantity.startswith(PREFIX)
    if machine_id:
        wanted &= of.machine_id == machine_id
    newest = select(func.max(own.t_ms)).where(own.series_id == of.id).correlate(series)
    # Outer joins: else SQLite goes through all records (0.4 s of 1,000 machines, so 0.04 s).
    found = (
        select(of.machine_id, of.quantity, c.t_ms, c.value, outcomes.c.state)
        .select_from(series)
        .outerjoin(records, (of.id == c.series_id) & (c.t_ms == newest.scalar_subquery()))
        .outerjoin(outcomes, outcomes.c.id == c.outcome_id)
        .where(wanted)
        .order_by(of.machine_id, of.quantity)
    )
    for machine, quantity, t_ms, value, state in db.execute(found):
        if t_ms is not None:
            name, unit = name_and_unit(quantity)
            yield ScalarReading(machine, t_ms / 1000, name, float(value), unit), state


class LimitWatch:
    """Compares readings with the limits of their machines, and raises and ends their alarms.

    Whether an alarm is open is asked of the server. It holds the newest time of each scalar, as a
    value that a line delayed says nothing of now. It also holds since when values are beyond a
    limit; after a restart it counts them again in the stored readings.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._newest_ms: dict[tuple[str, str], int] = {}
        self._runs: dict[tuple[str, ScalarLimit], LimitRun] = {}

    def with_states(self, db: Connection, points: Sequence[Point], late_ms: int) -> list[Point]:
        """Return points with state and threshold by their limits; alarms are reported at once.

        Call it before the points are written: after a crash they come again, which changes nothing.
        Points from before `late_ms` change no alarm.
        """
        ids = list({p.machine_id for p in points})
        motors = zip(ids, load_motors(self._client, ids), strict=True)
        limits = {m: found for m, motor in motors if (found := limits_of(motor))}
        if not limits:
            return list(points)
        own = [[x for x in limits.get(p.machine_id, ()) if _limit_applies(x, p)] for p in points]
        new = [(p, of) for p, of in zip(points, own, strict=True) if p.t_ms >= late_ms]
        self._count_stored(db, new)
        self._tell(new)
        return [_with_state(p, of) for p, of in zip(points, own, strict=True)]

    def _tell(self, limited: Iterable[tuple[Point, Sequence[ScalarLimit]]]) -> None:
        """Raise and end the alarms by readings, in the order of their times."""
        asked: dict[tuple[str, str, str], list[tuple[Point, Sequence[ScalarLimit]]]] = {}
        for p, of in sorted(limited, key=lambda pair: pair[0].t_ms):
            key = p.machine_id, p.quantity
            if not of or p.t_ms < self._newest_ms.get(key, 0):
                continue
            is_again = p.t_ms == self._newest_ms.get(key)
            self._newest_ms[key] = p.t_ms
            for level in sorted({x.level for x in of}):
                own = [x for x in of if x.level == level]
                if not is_again:
                    self._count(p, own)
                asked.setdefault((*key, level), []).append((p, own))
        pairs = [(m, limit_flag(name_and_unit(q)[0], level)) for m, q, level in asked]
        states = are_set(self._client, pairs)
        for (_, flag), readings, is_set in zip(pairs, asked.values(), states, strict=True):
            p, of = readings[-1]
            if change := self._change(p, of, is_set=is_set):
                set_flags(self._client, flag, [change])

    def _count(self, p: Point, limits: Sequence[ScalarLimit]) -> None:
        """Note since when, and for how many readings, the values are beyond their limits."""
        for x in limits:
            if p.value is not None:
                self._run(p, x).add(p.t_ms, p.value)

    def _run(self, p: Point, limit: ScalarLimit) -> LimitRun:
        return self._runs.setdefault((p.machine_id, limit), LimitRun(limit))

    def _count_stored(
        self, db: Connection, limited: Iterable[tuple[Point, Sequence[ScalarLimit]]]
    ) -> None:
        """Count the readings stored before a start for limits that ask for several of them."""
        for p, of in limited:
            for x in of:
                if (p.machine_id, x) in self._runs or (x.delay_s == 0 and x.readings == 1):
                    continue
                run = self._run(p, x)
                for t_ms, value in _last_run(db, p, x):
                    run.add(t_ms, value)
                key = p.machine_id, p.quantity
                self._newest_ms[key] = max(run.newest_ms, self._newest_ms.get(key, 0))

    def _change(self, p: Point, of: Sequence[ScalarLimit], *, is_set: bool) -> FlagChange | None:
        """Return how the alarm of a level changes by the newest reading, None if it does not."""
        assert p.value is not None
        runs = (self._run(p, x) for x in of)
        crossed = next((r.limit for r in runs if r.is_alarm(p.value, was=is_set)), None)
        if is_set == (crossed is not None):
            return None
        about, code = crossed or of[0], "limit_kept"
        if crossed:
            code = "limit_above" if crossed.side == ">" else "limit_below"
        why = reason(code, scalar=about.name, value=p.value, limit=about.value, unit=about.unit)
        return FlagChange(p.machine_id, crossed is not None, (why,), about.level)


def _last_run(db: Connection, p: Point, limit: ScalarLimit) -> list[tuple[int, float]]:
    """Return the stored readings of the last run beyond a limit, enough to decide, by time."""
    c = records.c
    stored = (
        select(c.t_ms, c.value)
        .join(series, series.c.id == c.series_id)
        .where(series.c.machine_id == p.machine_id, series.c.quantity == p.quantity)
        .order_by(c.t_ms.desc())
    )
    found: list[tuple[int, float]] = []
    for t_ms, value in db.execute(stored):
        found.append((t_ms, value))
        lasting_s = (found[0][0] - t_ms) / 1000
        lasts = len(found) >= limit.readings and lasting_s >= limit.delay_s
        if lasts or not limit.crossed(value):
            break
    return found[::-1]


def _limit_applies(limit: ScalarLimit, p: Point) -> bool:
    return name_and_unit(p.quantity) == (limit.name, limit.unit)


def _with_state(p: Point, limits: Sequence[ScalarLimit]) -> Point:
    if not limits or p.value is None:
        return p
    beyond = [x for x in limits if x.crossed(p.value)]
    worst = max(beyond, key=lambda x: x.level == "fault", default=None)
    shown = worst or min(limits, key=lambda x: abs(x.value - (p.value or 0.0)))
    return p._replace(state=worst.level if worst else "normal", threshold=shown.value)
