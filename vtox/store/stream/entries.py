"""The codec of the streams that VTOX writes: results, assessments, alerts, metrics.

Stream entries are flat: name, text, name, text ...; an absent value is empty, a table is JSON. The
hash of a machine keeps the same values as JSON. Names are a contract
(docs/reference/stream-fields.md). Entries of other versions have fewer or more of them, and other
programs may write anything: what a field may not hold counts as absent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from vtox.alarms.health.alerts import Alert
from vtox.alarms.health.assessment import Assessment, FaultAssessment
from vtox.store.stream.reason_tables import (
    reasons_from_table,
    reasons_table,
    values_from_table,
    verdict_from_table,
)
from vtox.values import codec
from vtox.values.codec import JSON_MAX, NUMBER_MAX, TEXT_MAX, TIME_MAX_S, RawFields, loads
from vtox.values.domain import Answer, Diagnosis, Reason, ReasonValue, Record, State, Value
from vtox.words.rendering import join

Texts = list[str | bytes]
# Fields of `performance_metrics`: this and the name of a family.
BUSY = "busy_"
# Whole numbers of JSON that every reader keeps.
WHOLE_MAX = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One diagnosis of one record: an entry of `fault_diagnosis_results`.

    `closed` says in words why the record ended early. `marks` is what the alarm of the fault has
    taken of it (`vtox.alarms.health.alerts.Slots`): empty where nothing, None from a version that
    did not say so. `latency_ms` runs from the arrival of the record's last window to the result;
    only the server knows it.
    """

    machine_id: str
    fault: str
    family: str
    run: str
    first_seq: int | None
    last_seq: int | None
    t_start: float | None
    t_end: float | None
    state: State
    severity: float | None = None
    confidence: float | None = None
    statistic: float | None = None
    threshold: float | None = None
    code: str = ""
    reason: str = ""
    values: Mapping[str, ReasonValue] = field(default_factory=dict)
    doubts: tuple[Reason, ...] = ()
    indicators: Mapping[str, Value] = field(default_factory=dict)
    evidence: tuple[Mapping[str, Any], ...] = ()
    closed: str = ""
    marks: str | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """One entry of `performance_metrics`; what the monitor did not measure is None.

    `busy` is family -> share of the time of its workers that tasks took, and `server`, `bridge` ->
    share of a core that their thread used; `cpu` the share of
    the `cores` that the monitor may use which whatever runs there used, `machines` how many
    machines sent in the last minute. `written_t` is the server's time of the entry.
    """

    t: float | None = None
    interval_s: float | None = None
    windows_in: float | None = None
    windows_done: float | None = None
    ingest_rate: float | None = None
    throughput: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    backlog: float | None = None
    in_flight: float | None = None
    cpu: float | None = None
    cores: float | None = None
    machines: float | None = None
    busy: Mapping[str, float] = field(default_factory=dict)
    written_t: float | None = None


def number(value: Any) -> float | None:
    """Return a number of at most `NUMBER_MAX`, None for anything else."""
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) <= NUMBER_MAX else None


def time_s(value: Any) -> float | None:
    """Return a time since 1970 or a duration, s; None for anything else."""
    found = number(value)
    return found if found is not None and 0 <= found <= TIME_MAX_S else None


def encode_result(
    family: str, record: Record, d: Diagnosis | Answer, marks: str | None = None
) -> tuple[Texts, bytes]:
    """Return a result as the fields of its entry, and as JSON for the hash of its machine.

    Without `latency_ms`, which the script that commits adds to the entry. That its record ended
    early is a doubt of an abstention.
    """
    doubts, sentence, closed = d.doubts, d.reason, record.closed
    if closed and d.state == "unknown":
        doubts = (*doubts, closed)
        sentence = join([sentence, closed.sentence] if sentence else [closed.sentence])
    detail = codec.encode(
        {
            "values": d.values,
            "doubts": doubts,
            "indicators": d.indicators,
            "evidence": d.evidence,
            "closed": closed.sentence if closed else None,
        }
    )
    table = {
        "machine_id": record.machine_id,
        "fault": d.fault,
        "family": family,
        "run": record.run,
        "first_seq": record.first_seq,
        "last_seq": record.last_seq,
        "t_start": record.t_start,
        "t_end": record.t_end,
        "state": d.state,
        "severity": d.severity,
        "confidence": d.confidence,
        "statistic": d.statistic,
        "threshold": d.threshold,
        "code": d.code,
        "reason": sentence,
        **({} if marks is None else {"marks": marks}),
        "detail": detail,
    }
    return _texts(table), codec.encode(table | {"detail": orjson.Fragment(detail)})


def result_table(r: Result) -> dict[str, Any]:
    """Return a result as plain data, in the shape in which the hash of its machine keeps it."""
    table = {n: getattr(r, n) for n in _HEAD}
    detail = {n: getattr(r, n) for n in _DETAIL} | {"doubts": reasons_table(r.doubts)}
    marks = {} if r.marks is None else {"marks": r.marks}
    return table | marks | {"detail": detail | {"closed": r.closed or None}}


def decode_result(fields: RawFields) -> Result:
    """Return the result of an entry."""
    return _result(text_table(fields), _json_table(fields.get(b"detail")))


def result_from_json(text: bytes) -> Result:
    """Return a result of the hash of a machine."""
    table = loads(text)
    return _result(table, table.get("detail") or {})


def encode_alert(a: Alert) -> Texts:
    """Return the fields of an entry of `system_alerts`."""
    return _texts(asdict(a))


def decode_alert(fields: RawFields) -> Alert:
    """Return the alert of an entry; what is missing is empty, its time 0."""
    text = text_table(fields)
    names = ("id", "machine_id", "fault", "level", "event", "code", "reason")
    known: dict[str, Any] = {n: text.get(n, "") for n in names}
    values = values_from_table(_json_table(fields.get(b"values")))
    doubts = reasons_from_json(fields.get(b"doubts"))
    return Alert(**known, t=time_s(text.get("t")) or 0.0, values=values, doubts=doubts)


def reason_from_json(code: str, values: str) -> Reason:
    """Return the reason of a code, with its values from JSON."""
    return Reason(code, values_from_table(_json_table(values.encode())))


def reasons_from_json(text: bytes | None) -> tuple[Reason, ...]:
    """Return reasons from JSON, none where it is of another program, or too long."""
    try:
        tables = loads(text or b"[]") if len(text or b"") <= JSON_MAX else []
    except ValueError:
        return ()
    rows = [row for row in tables if isinstance(row, dict)] if isinstance(tables, list) else []
    coded = [row for row in rows if isinstance(row.get("code"), str)]
    return reasons_from_table([r for r in coded if isinstance(r.get("values", {}), dict)])


def encode_assessment(machine_id: str, a: Assessment) -> Texts:
    """Return the fields of an entry of `vehicle_health_assessments`."""
    texts = {"t": a.t, "health": a.health, "state": a.state, "faults": a.faults}
    return _texts(texts | {"machine_id": machine_id})


def assessment_table(a: Assessment) -> dict[str, Any]:
    """Return an assessment as plain data."""
    table: dict[str, Any] = orjson.loads(assessment_json(a))
    return table


def decode_assessment(fields: RawFields) -> tuple[str, Assessment]:
    """Return the machine and the assessment of an entry."""
    text = text_table(fields)
    table = text | {"faults": _json_table(fields.get(b"faults"))}
    return text.get("machine_id", ""), _assessment(table)


def assessment_json(a: Assessment) -> bytes:
    """Return an assessment as the hash of its machine keeps it."""
    return codec.encode(a)


def assessment_from_json(text: bytes) -> Assessment:
    """Return the assessment of the hash of a machine."""
    return _assessment(loads(text))


def encode_metrics(m: Metrics) -> Texts:
    """Return the fields of an entry of `performance_metrics`."""
    shares = {BUSY + family: share for family, share in m.busy.items()}
    return _texts({n: getattr(m, n) for n in _METRICS} | shares)


def decode_metrics(entry_id: bytes, fields: RawFields) -> Metrics:
    """Return the metrics of an entry."""
    text = text_table(fields)
    values = {n: number(text.get(n)) for n in _METRICS}
    shares = {n.removeprefix(BUSY): number(x) for n, x in text.items() if n.startswith(BUSY)}
    return Metrics(
        **values,
        busy={family: share for family, share in shares.items() if share is not None},
        written_t=int(entry_id.partition(b"-")[0]) / 1000,
    )


def _result(table: Mapping[str, Any], detail: Mapping[str, Any]) -> Result:
    def whole(name: str) -> int | None:
        value = number(table.get(name))
        return None if value is None or abs(value) > WHOLE_MAX else int(value)

    state: State = table.get("state", "unknown")
    return Result(
        machine_id=table.get("machine_id", ""),
        fault=table.get("fault", ""),
        family=table.get("family", ""),
        run=table.get("run", ""),
        first_seq=whole("first_seq"),
        last_seq=whole("last_seq"),
        t_start=time_s(table.get("t_start")),
        t_end=time_s(table.get("t_end")),
        state=state,
        severity=number(table.get("severity")),
        confidence=number(table.get("confidence")),
        statistic=number(table.get("statistic")),
        threshold=number(table.get("threshold")),
        code=table.get("code", ""),
        reason=table.get("reason", ""),
        marks=table.get("marks"),
        values=values_from_table(detail.get("values") or {}),
        doubts=reasons_from_table(detail.get("doubts")),
        indicators=detail.get("indicators") or {},
        evidence=tuple(detail.get("evidence") or ()),
        closed=detail.get("closed") or "",
        latency_ms=number(table.get("latency_ms")),
    )


def _assessment(table: Mapping[str, Any]) -> Assessment:
    faults = {
        fault: FaultAssessment(
            state=f["state"],
            severity=f.get("severity"),
            last=f.get("last", ""),
            code=f.get("code", ""),
            reason=f.get("reason", ""),
            values=values_from_table(f.get("values") or {}),
            doubts=reasons_from_table(f.get("doubts")),
            t=number(f.get("t")) or 0.0,
            held=verdict_from_table(f.get("held")),
        )
        for fault, f in (table.get("faults") or {}).items()
    }
    return Assessment(
        t=time_s(table.get("t")) or 0.0,
        health=number(table.get("health")),
        state=table.get("state", "unknown"),
        faults=faults,
    )


_PLAIN = (str, bytes)


def _texts(values: Mapping[str, Any]) -> Texts:
    fields: Texts = []
    for name, value in values.items():
        if value is None:
            value = ""
        elif not isinstance(value, _PLAIN):
            value = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
        fields += (name, value)
    return fields


def text_table(fields: RawFields) -> dict[str, str]:
    """Return the fields of an entry as texts, but for the JSON of a result."""
    return {
        k.decode("utf-8", "replace"): v.decode("utf-8", "replace")[:TEXT_MAX]
        for k, v in fields.items()
        if k != b"detail"
    }


def _json_table(text: bytes | None) -> Mapping[str, Any]:
    try:
        table = loads(text or b"{}") if len(text or b"") <= JSON_MAX else {}
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}


_DETAIL = ("values", "doubts", "indicators", "evidence", "closed")
_HEAD = [n for n in Result.__slots__ if n not in (*_DETAIL, "marks", "latency_ms")]
_METRICS: Sequence[str] = [n for n in Metrics.__slots__ if n not in ("busy", "written_t")]
