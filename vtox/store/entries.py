"""How diagnoses, assessments and alerts stand in their streams (docs/ARCHITECTURE.md)."""

from collections.abc import Mapping
from typing import Any

import orjson

from vtox.domain import Diagnosis, Record


def result_fields(family: str, record: Record, d: Diagnosis) -> dict[str, Any]:
    """Return the fields of one entry of `fault_diagnosis_results`, but for `latency_ms`.

    The latency is known to the script that commits: from the arrival of the record's last window
    to its result.
    """
    return {
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
        "reason": _reason(d, record),
        "detail": {
            "values": dict(d.values),
            "doubts": [{"code": r.code, "values": dict(r.values)} for r in d.doubts],
            "indicators": dict(d.indicators),
            "evidence": [dict(e) for e in d.evidence],
            "closed": record.closed or None,
        },
    }


def json_bytes(value: Any) -> bytes:
    """Return compact JSON; numpy scalars are numbers, and what is not finite is null: not known.

    orjson, not the standard library: a tenth of its time, which was a sixth of a worker's.
    """
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def text_fields(values: Mapping[str, Any]) -> list[str | bytes]:
    """Return name, text, name, text ...: absent values are empty, tables are JSON."""
    fields: list[str | bytes] = []
    for name, value in values.items():
        fields += [name, _text(value)]
    return fields


def _text(value: Any) -> str | bytes:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json_bytes(value)


def _reason(d: Diagnosis, record: Record) -> str:
    if d.state == "unknown" and record.closed:
        return f"{d.reason} (record ended early: {record.closed})"
    return d.reason
