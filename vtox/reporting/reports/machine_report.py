"""The contents of a report on a machine: its data on the server and in the history."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from vtox.motor.alarms.health.alert_values import Alert
from vtox.motor.alarms.priority import ActionTime
from vtox.motor.errors import BaselineError
from vtox.motor.faults import FAMILIES
from vtox.motor.values import codec
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.channel_map import Sources, corrected
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate import motor_to_dict
from vtox.motor.words.languages import DEFAULT
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.open_alerts import OpenAlert, open_alerts
from vtox.pipeline.store.machines import machine_states, machines
from vtox.pipeline.store.machines.fleet import priority_among, read_machines
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.stream.windows import joined_windows
from vtox.reporting.history.retention import oldest_kept
from vtox.reporting.reports import history_parts, making
from vtox.reporting.reports.cards import RANK
from vtox.reporting.reports.contents import (
    Contents,
    ReportedMachine,
    ReportedTrend,
    ReportRecord,
    checked,
)
from vtox.reporting.reports.document import MAX_REPORT_MB
from vtox.reporting.reports.environment import environment
from vtox.reporting.reports.errors import ReportError
from vtox.reporting.reports.kept_samples import KeptSamples, samples_of_machine

# Room for samples in a report: drawings and texts take some 0.2 MB a record.
SAMPLES_MB = MAX_REPORT_MB - 4
MAX_RECORDS = 8
# Fault and time (s) of an open alert -> its growth, as codes with their values.
Growths = Mapping[tuple[str, int], list[dict[str, Any]]]
ALERTS_READ = 500


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when (s since 1970); None: whatever there is, and now."""

    from_s: float | None = None
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class _HistoryParts:
    """Parts from the history; without a history `of_faults` is empty."""

    events: list[dict[str, Any]]
    trend: ReportedTrend | None
    of_alerts: Growths
    of_faults: dict[str, list[dict[str, Any]]]
    scalars: list[dict[str, Any]]


def machine_contents(
    client: Client,
    settings: Settings,
    history: AbstractContextManager[Connection | None],
    machine_id: str,
    span: Period,
    language: str = DEFAULT,
) -> Contents:
    """Return the contents of a report on a machine, its verdicts computed now.

    Raises `ReportError`: the machine is not known, or no samples of it are kept.
    """
    found = machines.overview(client, [machine_id])
    if not found:
        raise ReportError(
            "nothing_kept", f"machine {machine_id!r} is not known", remedy="vtox machines list"
        )
    (state,) = machine_states.load_states(client, [machine_id])
    baseline = _usable(state.baseline)
    alerts = [a for a in open_alerts(client) if a.machine_id == machine_id]
    kept = samples_of_machine(
        client, machine_id, found[0].diagnoses, alerts, span.from_s, span.to_s
    )
    records, left_out = _records(kept, state.motor, baseline, state.channel_map.channels)
    if not records:
        raise ReportError(
            "nothing_kept",
            f"no samples of {machine_id} are kept of this time",
            remedy="those behind new warnings and faults are (GET /api/v1/machines/ID/evidence), "
            f"and for {settings.keep.windows.s:.0f} s those of every record",
        )
    now = server_time(client)
    told = _history(client, settings, history, machine_id, span, now, alerts, state.motor)
    known = {m.machine_id: m for m in read_machines(client, [machine_id])}
    when_to_act = {(a.fault, round(a.t)): priority_among(a, known).action for a in alerts}
    about = found[0].baseline_state
    made = Contents(
        made_t=round(now, 3),
        language=language,
        environment=environment(),
        machine=ReportedMachine(
            machine_id=machine_id,
            nameplate=motor_to_dict(state.motor) if state.motor else None,
            baseline=baseline.to_json() if baseline else None,
            baseline_about={k: about[k] for k in ("state", "version", "source") if k in about},
        ),
        records=sorted(records, key=_rank),
        events=[e | _open_alert_fields(e, told.of_alerts, when_to_act) for e in told.events],
        trend=told.trend,
        growth=told.of_faults,
        scalars=told.scalars,
        left_out=left_out,
    )
    return checked(made)


def _rank(record: ReportRecord) -> tuple[int, float]:
    """Return the sort key of a record: the ones with a finding first, then the newest."""
    worst = min(RANK.index(v["state"]) for v in record.verdicts)
    return worst, -(record.t_start or 0.0)


def _usable(text: str | None) -> Baseline | None:
    try:
        return Baseline.from_json(text) if text else None
    except BaselineError:  # of another version: the diagnoses do not use it either
        return None


def _records(
    samples: Iterable[KeptSamples],
    motor: Motor | None,
    baseline: Baseline | None,
    sources: Sources,
) -> tuple[list[ReportRecord], int]:
    """Return as many records as fit, the first ones first, and how many do not."""
    records: list[ReportRecord] = []
    left_out = size = 0
    for kept in samples:
        recording = corrected(joined_windows(kept.entries), sources)
        faults = FAMILIES[kept.family].faults if kept.family in FAMILIES else None
        verdicts = making.verdicts(recording, motor, baseline, faults)
        made = making.record(
            kept.record,
            recording,
            verdicts,
            making.energy(recording, motor, faults),
            family=kept.family,
            t_start=kept.t_start,
            counts=kept.counts(),
        )
        own = sum(len(c.data) for c in made.channels)
        if len(records) == MAX_RECORDS or (records and size + own > SAMPLES_MB * 1_000_000):
            left_out += 1
            continue
        size += own
        records.append(made)
    return records, left_out


def _history(
    client: Client,
    settings: Settings,
    history: AbstractContextManager[Connection | None],
    machine_id: str,
    span: Period,
    now: float,
    alerts: Iterable[OpenAlert],
    motor: Motor | None,
) -> _HistoryParts:
    """Return events, trend, and whether open alerts and all faults grow.

    Without a history the alerts that the stream has, and no trend.
    """
    oldest = oldest_kept(settings, round(1000 * now))
    to_s = now if span.to_s is None else span.to_s
    from_s = to_s - history_parts.SPAN_S if span.from_s is None else span.from_s
    recent = list(_alerts_of_stream(client, machine_id, from_s, to_s))
    with history as db:
        growths = {
            (a.fault, round(a.t)): history_parts.growth_reasons(db, a, now, oldest) for a in alerts
        }
        if db is None:
            return _HistoryParts(recent, None, growths, {}, [])
        recorded = history_parts.events_between(db, machine_id, from_s, to_s)
        trend = history_parts.trend_between(db, machine_id, span.from_s, to_s, oldest)
        scalars = history_parts.latest_scalars(db, machine_id, motor)
        of_faults = history_parts.growth_of_faults(db, machine_id, now, oldest)
    # The recorder is some seconds behind the stream.
    new = [e for e in recent if e not in recorded]
    events = history_parts.newest_first([*new, *recorded])[: 2 * history_parts.MAX_EVENTS]
    return _HistoryParts(events, trend, growths, of_faults, scalars)


def _open_alert_fields(
    event: Mapping[str, Any], growths: Growths, when_to_act: Mapping[tuple[str, int], ActionTime]
) -> dict[str, Any]:
    """Return the present growth and time to act of an open alert, for the event that began it."""
    key = event["fault"], round(event["t"])
    if key not in growths:
        return {"open": False, "growth": []}
    return {"open": True, "growth": growths[key], "when_to_act": when_to_act[key]}


def _alerts_of_stream(
    client: Client, machine_id: str, from_s: float, to_s: float
) -> Iterator[dict[str, Any]]:
    newest = outputs.before(client, keys.ALERTS, "", count=ALERTS_READ)
    for _, fields in newest:
        alert = codec.decode_fields(Alert, fields)
        if alert.machine_id == machine_id and from_s <= alert.t < to_s:
            yield history_parts.event_of_alert(alert)
