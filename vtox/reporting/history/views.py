"""The views that others may query, over SQLite and PostgreSQL: names and columns stay.

Times are seconds since 1970, UTC: columns `t` and `..._t`. Their meaning is in
`docs/reference/tables.md`. A migration makes them; after a change here another one is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vtox.motor.values.energy import START_FIGURES, MeterCounts

Kind = Literal["text", "whole", "number", "time"]

_SECONDS = "CAST({} AS DOUBLE PRECISION) / 1000"


@dataclass(frozen=True, slots=True)
class KeptTable:
    """One table: its columns with their kinds, and the time by which a stretch of it is taken.

    Without `query` it is no view: its rows are put together in Python.
    """

    columns: Mapping[str, Kind]
    time: str
    query: str = ""


# SQLite begins with the first of tables that are crossed: here with the few, not with the records.
MACHINE_STATE = f"""
SELECT s.machine_id, s.quantity, {_SECONDS.format("r.t_ms")} AS t, o.state, o.code,
  r.value, r.threshold, r.severity
FROM series s
CROSS JOIN records r
CROSS JOIN outcomes o
WHERE r.series_id = s.id AND o.id = r.outcome_id AND s.machine_id <> ''
  AND r.t_ms = (SELECT max(l.t_ms) FROM records l WHERE l.series_id = s.id)
  AND NOT EXISTS (
    SELECT 1 FROM records l WHERE l.series_id = r.series_id AND l.t_ms = r.t_ms
    AND (l.id_ms > r.id_ms OR (l.id_ms = r.id_ms AND l.id_seq > r.id_seq)))
"""
TREND_HOURS = """
SELECT s.machine_id, s.quantity, h.t, o.state, o.code, h.n, h.minimum,
  CASE WHEN h.n_values > 0 THEN h.total / h.n_values END AS mean,
  h.maximum, h.threshold, h.severity
FROM hours h
JOIN series s ON s.id = h.series_id
JOIN outcomes o ON o.id = h.outcome_id
WHERE s.machine_id <> ''
"""
ALARMS = f"""
SELECT a.alert_id AS alarm_id, a.machine_id, a.fault,
  CASE WHEN EXISTS (
    SELECT 1 FROM alerts w WHERE w.alert_id = a.alert_id AND w.level = 'fault'
  ) THEN 'fault' ELSE a.level END AS level,
  a.code, a.t AS began_t, {_SECONDS.format("a.id_ms")} AS raised_t,
  (SELECT {_SECONDS.format("max(c.id_ms)")} FROM alerts c
    WHERE c.alert_id = a.alert_id AND c.event = 'cleared') AS cleared_t,
  (SELECT {_SECONDS.format("min(c.t_ms)")} FROM alarm_actions c
    WHERE c.alarm_id = a.alert_id AND c.action = 'acknowledge') AS acknowledged_t,
  (SELECT c.outcome FROM alarm_actions c
    WHERE c.alarm_id = a.alert_id AND c.outcome IS NOT NULL
    ORDER BY c.id_ms DESC, c.id_seq DESC LIMIT 1) AS outcome
FROM alerts a
WHERE a.event = 'raised'
"""
DIAGNOSES = f"""
SELECT s.machine_id, s.quantity, {_SECONDS.format("r.t_ms")} AS t,
  {_SECONDS.format("r.duration_ms")} AS duration_s, o.state, o.code,
  r.value, r.threshold, r.severity, r.confidence
FROM records r
JOIN series s ON s.id = r.series_id
JOIN outcomes o ON o.id = r.outcome_id
WHERE s.machine_id <> ''
"""
# Count of energy -> the time in which it is counted: without any the count is unknown, not 0.
_ENERGY_WITHIN = dict.fromkeys(("energy_j", "reactive_vars", "harmonic_j"), "powered_ms") | (
    dict.fromkeys(("shaft_j", "lost_j", "unbalance_j"), "estimated_ms")
)


def _counted(name: str) -> str:
    within = _ENERGY_WITHIN.get(name)
    return f"CASE WHEN q.{within} > 0 THEN q.{name} END AS {name}" if within else f"q.{name}"


ENERGY = f"""
SELECT s.machine_id, q.t, {", ".join(map(_counted, MeterCounts._fields))}
FROM energy_quarters q
JOIN series s ON s.id = q.series_id
"""

_OF_MACHINE: dict[str, Kind] = {"machine_id": "text", "quantity": "text"}
_LIMITS: dict[str, Kind] = {"threshold": "number", "severity": "number"}
_OUTCOME: dict[str, Kind] = {"state": "text", "code": "text"}
TABLES = {
    "machine_state": KeptTable(
        _OF_MACHINE | {"t": "time"} | _OUTCOME | {"value": "number"} | _LIMITS, "t", MACHINE_STATE
    ),
    "trend_hours": KeptTable(
        {
            **_OF_MACHINE,
            "t": "time",
            **_OUTCOME,
            "n": "whole",
            **{name: "number" for name in ("minimum", "mean", "maximum")},
            **_LIMITS,
        },
        "t",
        TREND_HOURS,
    ),
    "alarms": KeptTable(
        {
            **{n: "text" for n in ("alarm_id", "machine_id", "fault", "level", "code")},
            **{n: "time" for n in ("began_t", "raised_t", "cleared_t", "acknowledged_t")},
            "outcome": "text",
        },
        "raised_t",
        ALARMS,
    ),
    "diagnoses": KeptTable(
        {
            **_OF_MACHINE,
            "t": "time",
            "duration_s": "number",
            **_OUTCOME,
            "value": "number",
            **_LIMITS,
            "confidence": "number",
        },
        "t",
        DIAGNOSES,
    ),
    "energy": KeptTable(
        {"machine_id": "text", "t": "time", **{name: "whole" for name in MeterCounts._fields}},
        "t",
        ENERGY,
    ),
    # Two records may hold a part each: `starts.starts`.
    "starts": KeptTable(
        {
            "machine_id": "text",
            "t": "time",
            **{n: "number" for n in ("seen_s", "duration_s", *START_FIGURES)},
        },
        "t",
    ),
}
VIEWS = {name: table.query for name, table in TABLES.items() if table.query}
