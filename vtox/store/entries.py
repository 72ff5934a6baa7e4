"""The one codec of what VTOX writes: results, assessments, alerts, metrics, and machine state.

Stream entries are flat: name, text, name, text ...; an absent value is empty, a table is JSON. The
hash of a machine keeps the same values as JSON. Names are a contract (docs/ARCHITECTURE.md);
entries of older versions have fewer of them, and other programs may write anything.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import Any

import orjson

from vtox.domain import Diagnosis, Reason, ReasonValue, Record, State, Value, reason
from vtox.health.alerts import Alert, FaultHistory, SlotHistory
from vtox.health.assessment import Assessment, FaultAssessment, Published
from vtox.health.update import MachineHistory
from vtox.sentences.rendering import render

Texts = list[str | bytes]
RawFields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One diagnosis of one record: an entry of `fault_diagnosis_results`.

    `closed` says in words why the record ended early. `latency_ms` runs from the arrival of the
    record's last window to the result; only the server knows it.
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
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """One entry of `performance_metrics`; what the monitor did not measure is None.

    `written_t` is the server's time of the entry.
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
    written_t: float | None = None


def json_bytes(value: Any) -> bytes:
    """Return compact JSON; numpy scalars are numbers, and what is not finite is null: not known.

    orjson, not the standard library: a tenth of its time, which was a sixth of a worker's.
    """
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def loads(text: bytes) -> Any:
    """Return the value of JSON; that of older versions may hold NaN, which orjson refuses.

    Raises
    ------
    ValueError
        It is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def number(value: Any) -> float | None:
    """Return a finite number, None for anything else."""
    if value is None:
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if isfinite(found) else None


def result(family: str, record: Record, d: Diagnosis) -> Result:
    """Return the result of a diagnosis; that its record ended early is a doubt of an abstention."""
    if d.state == "unknown" and record.closed:
        d = replace(d, doubts=(*d.doubts, record.closed))
    return Result(
        machine_id=record.machine_id,
        fault=d.fault,
        family=family,
        run=record.run,
        first_seq=record.first_seq,
        last_seq=record.last_seq,
        t_start=record.t_start,
        t_end=record.t_end,
        state=d.state,
        severity=d.severity,
        confidence=d.confidence,
        statistic=d.statistic,
        threshold=d.threshold,
        code=d.code,
        reason=d.reason,
        values=d.values,
        doubts=d.doubts,
        indicators=d.indicators,
        evidence=d.evidence,
        closed=render(record.closed.code, record.closed.values) if record.closed else "",
    )


def encode_result(r: Result) -> tuple[Texts, bytes]:
    """Return a result as the fields of its entry, and as JSON for the hash of its machine.

    Without `latency_ms`, which the script that commits adds to the entry.
    """
    table = _head(r)
    table["detail"] = json_bytes(_detail(r))
    texts = _texts(table)
    table["detail"] = orjson.Fragment(table["detail"])
    return texts, json_bytes(table)


def result_table(r: Result) -> dict[str, Any]:
    """Return a result as plain data, in the shape in which the hash of its machine keeps it."""
    return {**_head(r), "detail": _detail(r)}


def decode_result(fields: RawFields) -> Result:
    """Return the result of an entry."""
    return _result(_text_table(fields), _json_table(fields.get(b"detail")))


def result_from_json(text: bytes) -> Result:
    """Return a result of the hash of a machine."""
    table = loads(text)
    return _result(table, table.get("detail") or {})


def encode_alert(a: Alert) -> Texts:
    """Return the fields of an entry of `system_alerts`."""
    return _texts(asdict(a))


def decode_alert(fields: RawFields) -> Alert:
    """Return the alert of an entry; what is missing is empty, its time 0."""
    text = _text_table(fields)
    names = ("id", "machine_id", "fault", "level", "event", "code", "reason")
    known: dict[str, Any] = {n: text.get(n, "") for n in names}
    return Alert(**known, t=number(text.get("t")) or 0.0)


def encode_assessment(machine_id: str, a: Assessment) -> Texts:
    """Return the fields of an entry of `vehicle_health_assessments`."""
    return _texts(assessment_table(a) | {"machine_id": machine_id})


def assessment_table(a: Assessment) -> dict[str, Any]:
    """Return an assessment as plain data."""
    faults = {
        fault: {
            "state": f.state,
            "severity": f.severity,
            "last": f.last,
            "code": f.code,
            "reason": f.reason,
        }
        for fault, f in a.faults.items()
    }
    return {"t": a.t, "health": a.health, "state": a.state, "faults": faults}


def decode_assessment(fields: RawFields) -> tuple[str, Assessment]:
    """Return the machine and the assessment of an entry."""
    text = _text_table(fields)
    table = text | {"faults": _json_table(fields.get(b"faults"))}
    return text.get("machine_id", ""), _assessment(table)


def assessment_json(a: Assessment) -> bytes:
    """Return an assessment as the hash of its machine keeps it."""
    return json_bytes(assessment_table(a))


def assessment_from_json(text: bytes) -> Assessment:
    """Return the assessment of the hash of a machine."""
    return _assessment(loads(text))


def encode_metrics(m: Metrics) -> Texts:
    """Return the fields of an entry of `performance_metrics`."""
    return _texts({k: v for k, v in asdict(m).items() if k != "written_t"})


def decode_metrics(entry_id: bytes, fields: RawFields) -> Metrics:
    """Return the metrics of an entry."""
    text = _text_table(fields)
    values = {n: number(text.get(n)) for n in _METRICS}
    return Metrics(**values, written_t=int(entry_id.partition(b"-")[0]) / 1000)


def history_json(h: MachineHistory) -> bytes:
    """Return a history as the field `memory` of its machine keeps it.

    `retire.lua` reads `alert` and `level` of each fault.
    """
    table: dict[str, Any] = {
        fault: {
            "last_state": f.last_state,
            "last_code": f.last_code,
            "last_reason": f.last_reason,
            "last_t": f.last_t,
            "load_a": f.load_a,
            "severities": f.severities,
            "level": f.slots.level,
            "marks": f.slots.marks,
            "starts": f.slots.starts,
            "alert": f.alert_id,
        }
        for fault, f in h.faults.items()
    }
    if h.last_published:
        table["last_published"] = h.last_published
    return json_bytes(table)


def history_from_json(text: bytes) -> MachineHistory:
    """Return the history that `memory` keeps, of this version or an older one."""
    table = loads(text)
    published = table.pop("last_published", None) or table.pop("told", None)
    return MachineHistory(
        {fault: _fault_history(entry) for fault, entry in table.items()},
        Published(published["t"], published["health"], published["state"]) if published else None,
    )


def record_json(r: Record) -> bytes:
    """Return a record as the ledger and the notes of the learning keep it."""
    return orjson.dumps(r)


def record_from_table(table: Mapping[str, Any]) -> Record:
    """Return a record that was kept; in one of an older version `closed` is a sentence."""
    closed = table["closed"]
    if closed:
        old = isinstance(closed, str)
        closed = reason("ended_early", why=closed) if old else _reason(closed)
    return Record(**{**table, "closed": closed or None})


def record_from_json(text: bytes) -> Record:
    """Return a record that the ledger keeps."""
    return record_from_table(orjson.loads(text))


def _head(r: Result) -> dict[str, Any]:
    return {
        "machine_id": r.machine_id,
        "fault": r.fault,
        "family": r.family,
        "run": r.run,
        "first_seq": r.first_seq,
        "last_seq": r.last_seq,
        "t_start": r.t_start,
        "t_end": r.t_end,
        "state": r.state,
        "severity": r.severity,
        "confidence": r.confidence,
        "statistic": r.statistic,
        "threshold": r.threshold,
        "code": r.code,
        "reason": r.reason,
    }


def _detail(r: Result) -> dict[str, Any]:
    return {
        "values": dict(r.values),
        "doubts": [{"code": d.code, "values": dict(d.values)} for d in r.doubts],
        "indicators": dict(r.indicators),
        "evidence": [dict(e) for e in r.evidence],
        "closed": r.closed or None,
    }


def _result(table: Mapping[str, Any], detail: Mapping[str, Any]) -> Result:
    def whole(name: str) -> int | None:
        value = number(table.get(name))
        return None if value is None else int(value)

    state: State = table.get("state", "unknown")
    return Result(
        machine_id=table.get("machine_id", ""),
        fault=table.get("fault", ""),
        family=table.get("family", ""),
        run=table.get("run", ""),
        first_seq=whole("first_seq"),
        last_seq=whole("last_seq"),
        t_start=number(table.get("t_start")),
        t_end=number(table.get("t_end")),
        state=state,
        severity=number(table.get("severity")),
        confidence=number(table.get("confidence")),
        statistic=number(table.get("statistic")),
        threshold=number(table.get("threshold")),
        code=table.get("code", ""),
        reason=table.get("reason", ""),
        values=_values(detail.get("values") or {}),
        doubts=tuple(map(_reason, detail.get("doubts") or ())),
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
        )
        for fault, f in (table.get("faults") or {}).items()
    }
    return Assessment(
        t=number(table.get("t")) or 0.0,
        health=number(table.get("health")),
        state=table.get("state", "unknown"),
        faults=faults,
    )


def _fault_history(entry: Mapping[str, Any]) -> FaultHistory:
    if "marks" not in entry:
        return _old_fault_history(entry)
    return FaultHistory(
        entry["last_state"],
        entry["last_code"],
        entry["last_reason"],
        entry["last_t"],
        entry["load_a"],
        tuple(entry["severities"]),
        SlotHistory(entry["level"], entry["marks"], tuple(entry["starts"])),
        entry["alert"],
    )


def _old_fault_history(entry: Mapping[str, Any]) -> FaultHistory:
    """Return the history of a fault as the first version kept it, with a list of slots."""
    recent = entry.get("recent", ())
    marks, starts = "".join(mark for mark, _ in recent), tuple(t for _, t in recent)
    return FaultHistory(
        entry.get("last", ""),
        "",
        entry.get("reason", ""),
        entry.get("t", 0.0),
        entry.get("load_a"),
        tuple(entry.get("severity", ())),
        SlotHistory(entry.get("level", ""), marks, starts),
        entry.get("alert", ""),
    )


def _reason(table: Mapping[str, Any]) -> Reason:
    return Reason(table["code"], _values(table.get("values") or {}))


def _values(table: Mapping[str, Any]) -> dict[str, ReasonValue]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in table.items()}


def _texts(values: Mapping[str, Any]) -> Texts:
    fields: Texts = []
    for name, value in values.items():
        fields.append(name)
        if value is None:
            fields.append("")
        elif isinstance(value, str | bytes):
            fields.append(value)
        else:
            fields.append(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY))
    return fields


def _text_table(fields: RawFields) -> dict[str, str]:
    return {
        k.decode("utf-8", "replace"): v.decode("utf-8", "replace")
        for k, v in fields.items()
        if k != b"detail"
    }


def _json_table(text: bytes | None) -> Mapping[str, Any]:
    try:
        table = loads(text or b"{}")
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}


_METRICS: Sequence[str] = [n for n in Metrics.__slots__ if n != "written_t"]
