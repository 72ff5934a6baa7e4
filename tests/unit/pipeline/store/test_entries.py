"""The codec of entries: encoded values come back, and those of older versions too."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import naive_entries
from vtox.motor.alarms.health.alert_values import Alert, EventName, FaultHistory, Verdict
from vtox.motor.alarms.health.assessment import Assessment, FaultAssessment, Published
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.faults import FAMILIES, FAULTS
from vtox.motor.values import codec
from vtox.motor.values.domain import STATES, Diagnosis, Reason, Record, reason
from vtox.pipeline.store.alarms.open_alerts import may_have_alert
from vtox.pipeline.store.ledger import ledger_rows
from vtox.pipeline.store.stream import entries
from vtox.pipeline.store.stream.entries import Metrics, Result

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
numbers = st.floats(-codec.NUMBER_MAX, codec.NUMBER_MAX)
events = st.sampled_from(["", *get_args(EventName)])
times = st.floats(0, codec.TIME_MAX_S)
maybe = st.none() | numbers
states = st.sampled_from(STATES)
values = st.dictionaries(
    names, st.one_of(numbers, st.integers(-(2**53), 2**53), names, st.tuples(names, names))
)
reasons = st.builds(Reason, names, values)
SOME_ALERT = Alert(
    id="M1:bearing:1", machine_id="M1", fault="bearing", level="fault", event="raised", t=1.0
)
doubts = st.lists(reasons, max_size=2).map(tuple)
kept_values = values.map(lambda v: Reason("", v).values)
indicators = st.dictionaries(names, st.one_of(st.none(), numbers, names, st.booleans()))
seqs = st.integers(0, 2**53)
results = st.builds(
    Result,
    machine_id=names,
    fault=names,
    family=names,
    run=names,
    first_seq=seqs,
    last_seq=seqs,
    t_start=times,
    t_end=times,
    state=states,
    severity=maybe,
    confidence=maybe,
    statistic=maybe,
    threshold=maybe,
    code=names,
    reason=names,
    values=kept_values,
    doubts=doubts,
    indicators=indicators,
    evidence=st.lists(indicators, max_size=2).map(tuple),
    closed=names,
    marks=st.none() | st.text("nwfhq", max_size=5),
)
verdicts = st.none() | st.builds(
    Verdict,
    state=states,
    code=names,
    reason=names,
    t=numbers,
    values=st.dictionaries(names, numbers, max_size=2),
    doubts=doubts,
)
fault_histories = st.lists(st.tuples(st.sampled_from("nwfhqb"), numbers), max_size=5).flatmap(
    lambda slots: st.builds(
        FaultHistory,
        last_state=states,
        last_code=names,
        last_reason=names,
        last_t=numbers,
        load_a=maybe,
        severities=st.lists(numbers, max_size=5).map(tuple),
        level=st.sampled_from(["", "warning", "fault"]),
        marks=st.just("".join(m for m, _ in slots)),
        starts=st.just(tuple(t for _, t in slots)),
        alert=names,
        last_values=st.dictionaries(names, numbers, max_size=2),
        orders=st.lists(numbers, max_size=2).map(tuple),
        last_doubts=doubts,
        held=verdicts,
        confidences=st.lists(numbers, max_size=5).map(tuple),
        alert_severity=maybe,
        alert_confidence=maybe,
    )
)
faults = st.sampled_from(list(FAULTS))


def stored(texts: entries.Texts) -> dict[bytes, bytes]:
    """The fields of an entry as a client reads them."""
    raw = [x if isinstance(x, bytes) else x.encode() for x in texts]
    return dict(zip(raw[::2], raw[1::2], strict=True))


@given(results)
def test_results_come_back(r: Result) -> None:
    texts, text = naive_entries.encode_result(r)
    assert entries.decode_result(stored(texts)) == r
    assert entries.decode_result(text) == r
    later = stored([*texts, "latency_ms", "83"])
    assert entries.decode_result(later) == replace(r, latency_ms=83.0)


@given(st.builds(Alert, t=times, doubts=doubts, event=events, **dict.fromkeys(
    ("id", "machine_id", "fault", "level", "code", "reason"), names
)))  # fmt: skip
def test_alerts_come_back(a: Alert) -> None:
    assert codec.decode_fields(Alert, stored(entries.entry_of(a))) == a


def test_many_doubts_of_an_alert_come_back_whole() -> None:
    many = tuple(reason("load_too_low", load_a=float(i), needed_a=1.5) for i in range(500))
    texts = entries.entry_of(replace(SOME_ALERT, doubts=many))
    assert codec.decode_fields(Alert, stored(texts)).doubts == many


@pytest.mark.parametrize(
    "text",
    [
        *(b'[{"code":5}]', b'[{"code":["x"]}]', b'[{"code":{}}]', b"[{}]", b"[5]", b"[null]"),
        *(b'{"a":1}', b'"x"', b"3", b"[", b"\xff", b"[" * 5000 + b"]" * 5000),
        *(b'[{"code":"no_baseline","values":3}]', b'[{"code":"\\ud800"}]'),
        b'[{"code":"' + b"x" * (codec.JSON_MAX + 1) + b'"}]',
    ],
    ids=range(15),
)
def test_doubts_of_another_program_are_none_or_have_a_code(text: bytes) -> None:
    found = codec.decode_fields(Alert, {b"id": b"M1:bearing:1", b"doubts": text}).doubts
    assert all(isinstance(d.code, str) for d in found)


assessments = st.builds(
    Assessment,
    t=times,
    health=maybe,
    state=states,
    faults=st.dictionaries(
        faults,
        st.builds(
            FaultAssessment,
            state=states,
            severity=maybe,
            last=states,
            code=names,
            reason=names,
            values=st.dictionaries(names, numbers, max_size=2),
            doubts=doubts,
            t=numbers,
            held=verdicts,
        ),
    ),
)


@given(names, assessments)
def test_assessments_come_back(machine_id: str, a: Assessment) -> None:
    fields = stored(["machine_id", machine_id, *entries.entry_of(a)])
    assert codec.decode_fields(Assessment, fields) == a
    assert codec.decode(Assessment, codec.encode(a)) == a


@given(
    st.builds(
        Metrics,
        **{f.name: maybe for f in fields(Metrics) if f.name != "busy"},
        busy=st.dictionaries(st.sampled_from(list(FAMILIES)), st.floats(0, 1)),
    )
)
def test_metrics_come_back(m: Metrics) -> None:
    assert codec.decode_fields(Metrics, stored(entries.entry_of(m))) == m


@given(
    st.builds(
        MachineHistory,
        st.dictionaries(faults, fault_histories),
        st.none() | st.builds(Published, numbers, maybe, states),
    )
)
def test_histories_come_back(h: MachineHistory) -> None:
    text = codec.encode(h)
    assert codec.decode(MachineHistory, text) == h
    if any(f.alert for f in h.faults.values()):
        assert may_have_alert(text)
    elif not any("alert" in f.last_reason + f.last_code + str(f.held) for f in h.faults.values()):
        assert not may_have_alert(text)


@given(st.builds(Record, closed=st.none() | reasons, **{
    **dict.fromkeys(("machine_id", "run"), names),
    **dict.fromkeys(("first_seq", "last_seq", "bytes"), seqs),
    **{"ids": st.sampled_from(["1-0", "1764000000000-0 1764000000001-7"]), "windows": st.just(2)},
    **dict.fromkeys(("t_start", "t_end"), numbers),
}))  # fmt: skip
def test_records_come_back(r: Record) -> None:
    assert ledger_rows.record_from_json(ledger_rows.record_json(r)) == r


RECORD = Record(
    machine_id="M",
    run="r",
    first_seq=3,
    last_seq=4,
    t_start=3.0,
    t_end=5.0,
    ids="1-0 2-0",
    windows=2,
    bytes=10,
)


def abstention(closed: Reason | None, state: Any = "unknown") -> Result:
    d = Diagnosis(fault="bearing", state=state, code="not_told", values={"x_hz": 1.0})
    return naive_entries.result("bearing", replace(RECORD, closed=closed), d)


def test_an_abstention_of_a_record_that_ended_early_has_that_as_a_doubt() -> None:
    gap = reason("ended_by_gap", gap_s=2.0)
    assert abstention(gap).doubts == (gap,)
    assert "2.00 s" in abstention(gap).closed
    assert abstention(gap).reason == f"not_told; {gap.sentence}"
    assert abstention(None).doubts == abstention(gap, "normal").doubts == ()
    assert (abstention(None).closed, abstention(None).reason) == ("", "not_told")


def test_what_is_not_finite_is_not_known() -> None:
    r = replace(abstention(None), statistic=float("nan"), indicators={"a_hz": float("inf")})
    texts, text = naive_entries.encode_result(r)
    for back in (entries.decode_result(stored(texts)), entries.decode_result(text)):
        assert (back.statistic, back.indicators) == (None, {"a_hz": None})


@pytest.mark.parametrize(
    "fields", [{}, {b"detail": b"{"}, {b"first_seq": b"x", b"\xff": b"\xff", b"detail": b"[]"}]
)
def test_what_other_programs_write_is_read_as_far_as_it_goes(fields: Mapping[bytes, bytes]) -> None:
    assert entries.decode_result(fields).first_seq is None
    assert codec.decode_fields(Alert, fields).t == 0.0
    assert codec.decode_fields(Assessment, fields).state == "unknown"
    assert codec.decode_fields(Metrics, fields) == Metrics()
