"""The codec of the streams that VTOX writes: results, assessments, alerts, metrics.

Stream entries are flat: name, text, name, text ...; an absent value is empty, a table is JSON. The
hash of a machine keeps the same values as JSON. Names are a contract
(docs/reference/stream-fields.md). Entries of other versions have fewer or more of them, and other
programs may write anything: fields with a wrong value count as absent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Annotated, Any

import msgspec
import orjson

from vtox.motor.values import codec
from vtox.motor.values.codec import (
    NUMBER_MAX,
    TIME_MAX_S,
    Number,
    Prefix,
    RawFields,
    Time,
    loads,
)
from vtox.motor.values.domain import Answer, Conclusion, Diagnosis, Record
from vtox.motor.words.rendering import join

Texts = list[str | bytes]
# Names and values of the fields of an entry, or of a hash.
Entry = tuple[tuple[str | bytes, ...], Sequence[str | bytes]]
# Fields of `performance_metrics`: this and the name of a family.
BUSY = "busy_"
# Fields of the JSON in `detail`; each other one of a conclusion is a field of the entry.
_DETAIL = ("values", "doubts", "indicators", "evidence", "closed")
_CONCLUDED = [f.name for f in fields(Conclusion) if f.name not in ("fault", *_DETAIL)]
_concluded = attrgetter(*_CONCLUDED)
_OF_RECORD = ("run", "first_seq", "last_seq", "t_start", "t_end")
_of_record = attrgetter(*_OF_RECORD)
_RESULT = (
    *("machine_id", "fault", "family", *_OF_RECORD, *_CONCLUDED),
    *("reason", "marks", "detail"),
)
# Whole numbers of JSON that every reader keeps.
Whole = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Conclusion):
    """One diagnosis of one record: an entry of `fault_diagnosis_results`.

    `closed` says in words why the record ended early. `marks` is the note of the fault's alarm on
    it (`vtox.motor.alarms.health.alerts.Slots`): empty if the alarm took nothing, None from a
    version without such notes. `latency_ms` runs from the arrival of the record's last window to
    the result; only the server knows it.
    """

    machine_id: str = ""
    family: str = ""
    run: str = ""
    first_seq: Whole | None = None
    last_seq: Whole | None = None
    t_start: Time | None = None
    t_end: Time | None = None
    severity: Number | None = None
    confidence: Number | None = None
    statistic: Number | None = None
    threshold: Number | None = None
    reason: str = ""
    closed: str = ""
    marks: str | None = None
    latency_ms: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """One entry of `performance_metrics`; figures that the monitor did not measure are None.

    `busy` is family -> share of the time of its workers that tasks took, and `server`, `bridge` ->
    share of a core that their thread used; `cpu` the share of the `cores` that the monitor
    may use which all programs there used, `machines` how many machines sent in the last minute.
    """

    t: Number | None = None
    interval_s: Number | None = None
    windows_in: Number | None = None
    windows_done: Number | None = None
    ingest_rate: Number | None = None
    throughput: Number | None = None
    latency_p50_ms: Number | None = None
    latency_p95_ms: Number | None = None
    backlog: Number | None = None
    in_flight: Number | None = None
    cpu: Number | None = None
    cores: Number | None = None
    machines: Number | None = None
    busy: Annotated[Mapping[str, Number], Prefix(BUSY)] = field(default_factory=dict)


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


def encode_results(
    family: str, results: Sequence[tuple[Record, Diagnosis | Answer, str]]
) -> list[tuple[Entry, bytes]]:
    """Return results as entries, and as JSON for the hashes of their machines.

    Each is a record, its diagnosis and the marks. `latency_ms` is missing: the script that commits
    adds it to the entry. The early end of a record is a doubt of an abstention.
    """
    rows: list[tuple[Any, ...]] = []
    details: list[bytes] = []
    for r, d, marks in results:
        doubts, sentence, closed = d.doubts, d.reason, r.closed
        if closed and d.state == "unknown":
            doubts = (*doubts, closed)
            sentence = join([sentence, closed.sentence] if sentence else [closed.sentence])
        named = (r.machine_id, d.fault, family)
        rows.append((*named, *_of_record(r), *_concluded(d), sentence, marks))
        detail = {
            "values": d.values,
            "doubts": doubts,
            "indicators": d.indicators,
            "evidence": d.evidence,
            "closed": closed.sentence if closed else None,
        }
        details.append(codec.encode(detail))
    texts = zip(*map(_texts, zip(*rows, strict=True)), details, strict=True)
    tables = (codec.encode(dict(zip(_RESULT, row, strict=False))) for row in rows)
    return [
        ((_RESULT, values), b'%b,"detail":%b}' % (table[:-1], detail))
        for values, table, detail in zip(texts, tables, details, strict=True)
    ]


def decode_result(stored: RawFields | bytes) -> Result:
    """Return the result of an entry, or of the JSON in the hash of its machine.

    Raises
    ------
    ValueError
        It is not JSON.
    """
    if isinstance(stored, bytes):
        table = loads(stored)
        detail = table.get("detail")
    else:
        table = codec.table_of_fields(Result, stored)
        detail = codec.json_of_field(stored.get(b"detail"))
    # Empty fields are absent there.
    known = detail if isinstance(detail, dict) else {}
    return codec.from_plain(Result, table | {n: x for n in _DETAIL if (x := known.get(n))})


def entry_of(value: Any) -> Texts:
    """Return the fields of a dataclass as an entry of a stream has them."""
    fields = codec.encode_fields(value)
    return [x for pair in zip(fields, _texts([*fields.values()]), strict=True) for x in pair]


def _texts(column: Sequence[Any]) -> Sequence[str | bytes]:
    """Return values as an entry has them; numbers alone by one call for all."""
    kinds = set(map(type, column))
    if kinds <= _PLAIN:
        return column
    if kinds <= _NUMBERS:
        texts = orjson.dumps(column)[1:-1].split(b",")
        return ["" if v is None else x for v, x in zip(column, texts, strict=True)]
    return [x if type(x) in _PLAIN else "" if x is None else _json(x) for x in column]


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


_PLAIN = {str, bytes}
_NUMBERS = {int, float, type(None)}
