"""The levels of a fault from the history: whether they grow, and how long its state has lasted."""

from collections.abc import Iterator, Mapping
from math import ceil, log10

from sqlalchemy import Connection, func, select

from vtox.motor.alarms.health.assessment import UNDECIDED_S
from vtox.motor.alarms.health.growth import DAY_S, FaultGrowth, Growth, growth, held
from vtox.motor.faults import FAULTS, LINES
from vtox.motor.values.domain import Reason, State, reason
from vtox.reporting.history.downsampling import HOUR_S
from vtox.reporting.history.queries import recorded_since_s, trends_of_steps
from vtox.reporting.history.resolution import grid
from vtox.reporting.history.retention import Oldest
from vtox.reporting.history.schema import alerts, hours, minutes, outcomes, series
from vtox.reporting.history.trend import Trend

# Steps: pairs of them are few enough for a page, and enough for a narrow interval.
STEPS = 60
# Before the alarm too: a fault that has just been raised may have grown for long.
LEAST_DAYS, MOST_DAYS = 1, 30
# Line of the history -> its identifier among the words.
_QUANTITIES: Mapping[str, str] = {
    line.quantity: line.name for lines in LINES.values() for line in lines
}


def alarm_growth(
    db: Connection | None,
    machine_id: str,
    fault: str,
    raised_t: float,
    now_s: float,
    oldest: Oldest,
) -> Growth | None:
    """Return whether the fault of an alarm grows; None if it is no fault of a machine."""
    if fault not in FAULTS:
        return None
    since_s = max(min(raised_t, now_s - LEAST_DAYS * DAY_S), now_s - MOST_DAYS * DAY_S)
    return _growth(db, machine_id, fault, raised_t, since_s, now_s, oldest)


def machine_growth(
    db: Connection | None, machine_id: str, now_s: float, oldest: Oldest
) -> list[FaultGrowth]:
    """Return of every fault its state, since when, and how its level has moved lately.

    Levels go back to its open alert and at least a day, else to the first record; at most 30 days.
    """
    since_s = recorded_since_s(db, machine_id) if db is not None else None
    if db is None or since_s is None:
        why = reason("state_unrecorded")
        unknown = {f: growth(now_s, (), ()) for f in FAULTS}
        return [
            FaultGrowth(fault=f, state="unknown", since_t=None, held=why, growth=g)
            for f, g in unknown.items()
        ]
    found = []
    for fault in FAULTS:
        state, since_t, why = _present(db, machine_id, fault, since_s, now_s)
        raised_t = since_t if state in ("warning", "fault") and since_t else 0.0
        first_s = min(raised_t, now_s - LEAST_DAYS * DAY_S) if raised_t else since_s
        first_s = min(max(first_s, now_s - MOST_DAYS * DAY_S), now_s - HOUR_S)
        moves = _growth(db, machine_id, fault, raised_t, first_s, now_s, oldest)
        found.append(FaultGrowth(fault=fault, state=state, since_t=since_t, held=why, growth=moves))
    return found


def _present(
    db: Connection, machine_id: str, fault: str, since_s: float, now_s: float
) -> tuple[State, float | None, Reason]:
    """Return the state of a fault, since when it lasts (s), and how long that is in words."""
    c = alerts.c
    newest = (
        select(c.event, c.level, c.t)
        .where(c.machine_id == machine_id, c.fault == fault)
        .where(c.event.in_(("raised", "escalated", "cleared")))
        .order_by(c.id_ms.desc(), c.id_seq.desc())
        .limit(1)
    )
    last = db.execute(newest).one_or_none()
    event, level, last_t = last or ("", "", since_s)
    if level and event != "cleared":
        alerted: State = "fault" if level == "fault" else "warning"
        return alerted, last_t, held("alert_held", last_t, now_s, level=level)
    recorded_s, decided_s = _last_records(db, machine_id, fault)
    if recorded_s is None:
        return "unknown", None, reason("state_unrecorded")
    if decided_s is None:
        return "unknown", since_s, held("never_decided", since_s, now_s)
    if recorded_s - decided_s > UNDECIDED_S:
        return "unknown", decided_s, held("undecided_held", decided_s, now_s)
    code = "no_alert_held" if event else "never_alerted"
    return "normal", last_t, held(code, last_t, now_s)


def _last_records(db: Connection, machine_id: str, fault: str) -> tuple[float | None, float | None]:
    """Return when a fault was recorded last, and decided last: to a minute, of old times an hour.

    Both are of one table, so that one is not before the other by its rounding.
    """
    of = select(series.c.id).where(series.c.machine_id == machine_id, series.c.quantity == fault)
    number = db.execute(of).scalar_one_or_none()
    recorded_s = decided_s = None
    for table, step_s in ((hours, HOUR_S), (minutes, 60)):
        own = select(func.max(table.c.t)).where(table.c.series_id == number)
        last_s = db.execute(own).scalar_one()
        if last_s is None:
            continue
        decided = own.join(outcomes, outcomes.c.id == table.c.outcome_id)
        sure_s = db.execute(decided.where(outcomes.c.state != "unknown")).scalar_one()
        recorded_s = max(recorded_s or 0.0, float(last_s))
        # Minutes give the time of a decision more exactly than hours.
        if sure_s is not None:
            decided_s = float(sure_s) if step_s < HOUR_S or decided_s is None else decided_s
    return recorded_s, decided_s


def _growth(
    db: Connection | None,
    machine_id: str,
    fault: str,
    raised_t: float,
    since_s: float,
    now_s: float,
    oldest: Oldest,
) -> Growth:
    points: list[tuple[float, float]] = []
    quantity = ""
    if db is not None:
        made_of = grid("auto", since_s, now_s, STEPS, oldest)
        step_s = made_of.step_s
        first_s, end_s = int(since_s) // step_s * step_s, ceil(now_s / step_s) * step_s
        names = [line.quantity for line in LINES.get(fault, ())] or [fault]
        found = trends_of_steps(db, machine_id, names, made_of, first_s, end_s).series
        columns = {name: list(_levels(name, trend)) for name, trend in found.items()}
        # The line that is seen most often, and of these the strongest now.
        quantity = max(
            columns, key=lambda n: (len(columns[n]), columns[n] and columns[n][-1][1]), default=""
        )
        points = columns.get(quantity, [])
    t, levels = [p[0] for p in points], [p[1] for p in points]
    named = _QUANTITIES.get(quantity, "statistic")
    return growth(raised_t, t, levels, named, _unit(quantity))


def _levels(quantity: str, trend: Trend) -> Iterator[tuple[float, float]]:
    """Yield time and level (dB) of the steps of a trend that have one."""
    for t, mean, threshold in zip(trend.t, trend.mean, trend.threshold, strict=True):
        if mean is None:
            continue
        if quantity.endswith("_dbc"):
            yield t, mean
            continue
        ratio = mean if quantity in _QUANTITIES else mean / threshold if threshold else 0.0
        if ratio > 0:
            yield t, 20 * log10(ratio)


def _unit(quantity: str) -> str:
    if quantity.endswith("_dbc"):
        return "dBc"
    return "over_chance" if quantity in _QUANTITIES else "over_limit"
