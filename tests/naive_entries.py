"""Results, histories and assessments field by field, slow and obvious, to compare entries with."""

from collections.abc import Iterable
from typing import Any

from vtox.motor.alarms.health.alert_values import Verdict
from vtox.motor.alarms.health.assessment import Assessment
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.values import codec
from vtox.motor.values.domain import Answer, Diagnosis, Reason, Record
from vtox.motor.words.rendering import render_all
from vtox.pipeline.store.stream.entries import Result, Texts


def counts_text(counts: Iterable[int]) -> bytes:
    """Return the energy counts of a record as the text of its result."""
    return b" ".join(b"%d" % n for n in counts)


def result(family: str, record: Record, d: Diagnosis | Answer, marks: str | None = None) -> Result:
    """Return the result of a diagnosis; an early end of its record is a doubt of an abstention."""
    early = (record.closed,) if record.closed and d.state == "unknown" else ()
    doubts = (*d.doubts, *early)
    said = [*([Reason(d.code, d.values)] if d.code else []), *doubts]
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
        reason=render_all((r.code, r.values) for r in said),
        values=d.values,
        doubts=doubts,
        indicators=d.indicators,
        evidence=d.evidence,
        closed=record.closed.sentence if record.closed else "",
        marks=marks,
    )


def encode_result(r: Result) -> tuple[Texts, bytes]:
    """Return a result as the fields of its entry, and as JSON for the hash of its machine."""
    names = (
        "machine_id fault family run first_seq last_seq t_start t_end state severity confidence "
        "statistic threshold code reason"
    ).split()
    table: dict[str, Any] = {n: getattr(r, n) for n in names}
    if r.marks is not None:
        table["marks"] = r.marks
    detail = {
        "values": dict(r.values),
        "doubts": [reason_table(x) for x in r.doubts],
        "indicators": dict(r.indicators),
        "evidence": [dict(e) for e in r.evidence],
        "closed": r.closed or None,
    }
    texts: Texts = []
    for name, value in (table | {"detail": detail}).items():
        text = value if isinstance(value, str) else codec.encode(value)
        texts += (name, "" if value is None else text)
    return texts, codec.encode(table | {"detail": detail})


def history_json(h: MachineHistory) -> bytes:
    """Return a history as JSON."""
    table: dict[str, Any] = {
        fault: {
            "last_state": f.last_state,
            "last_code": f.last_code,
            "last_reason": f.last_reason,
            "last_t": f.last_t,
            "load_a": f.load_a,
            "severities": f.severities,
            "level": f.level,
            "marks": f.marks,
            "starts": f.starts,
            "alert": f.alert,
            "last_values": dict(f.last_values),
            "orders": f.orders,
            "last_doubts": [reason_table(d) for d in f.last_doubts],
            "held": verdict_table(f.held),
            "confidences": f.confidences,
            "alert_severity": f.alert_severity,
            "alert_confidence": f.alert_confidence,
            "days": f.days,
            "rises": f.rises,
            "sidebands": f.sidebands,
            "asymmetry": f.asymmetry,
        }
        for fault, f in h.faults.items()
    }
    return codec.encode({"faults": table, "last_published": h.last_published, "t": h.t})


def assessment_json(a: Assessment) -> bytes:
    """Return an assessment as JSON."""
    faults = {
        fault: {
            "state": f.state,
            "severity": f.severity,
            "last": f.last,
            "code": f.code,
            "reason": f.reason,
            "values": dict(f.values),
            "doubts": [reason_table(d) for d in f.doubts],
            "t": f.t,
            "held": verdict_table(f.held),
            "alert_severity": f.alert_severity,
            "alert_confidence": f.alert_confidence,
            "seen": f.seen,
        }
        for fault, f in a.faults.items()
    }
    return codec.encode({"t": a.t, "health": a.health, "state": a.state, "faults": faults})


def reason_table(r: Reason) -> dict[str, Any]:
    return {"code": r.code, "values": dict(r.values)}


def verdict_table(v: Verdict | None) -> dict[str, Any] | None:
    if v is None:
        return None
    return {
        "code": v.code,
        "reason": v.reason,
        "values": dict(v.values),
        "doubts": [reason_table(d) for d in v.doubts],
        "state": v.state,
        "t": v.t,
    }
