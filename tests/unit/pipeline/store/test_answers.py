"""Entries of workers, from rows of columns, are byte for byte those from single fields."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests import naive_entries
from tests.unit.motor.test_codes import inputs
from tests.unit.pipeline.store.test_entries import RECORD
from vtox.motor.alarms.health.update import HealthUpdate, MachineHistory, update
from vtox.motor.diagnosis.diagnosis import answer_batch, diagnose_batch
from vtox.motor.faults import FAULTS
from vtox.motor.values import codec
from vtox.motor.values.domain import Answer, Diagnosis, reason
from vtox.pipeline.store.stream import entries

Both = tuple[list[list[Answer]], list[list[Diagnosis]]]


@pytest.fixture(scope="module")
def both() -> Both:
    """Rows and values of the same records."""
    cases = list(inputs())
    return answer_batch(cases, FAULTS), diagnose_batch(cases)


def test_a_row_says_what_its_diagnosis_says(both: Both) -> None:
    names = [n for n in Answer._fields if n not in ("indicators", "energy")]
    for answers, diagnoses in zip(*both, strict=True):
        for a, d in zip(answers, diagnoses, strict=True):
            assert [getattr(a, n) for n in names] == [getattr(d, n) for n in names]
            assert repr(a.indicators) == repr(d.indicators)


@pytest.mark.parametrize("closed", [None, reason("ended_by_gap", gap_s=2.0)])
def test_entries_of_results_are_those_of_values(both: Both, closed: object) -> None:
    record = replace(RECORD, closed=closed)
    for answers, diagnoses in zip(*both, strict=True):
        found = entries.encode_results("f", [(record, a, "nq") for a in answers])
        for (entry, text), d in zip(found, diagnoses, strict=True):
            texts = [_bytes(x) for pair in zip(*entry, strict=True) for x in pair]
            expected = naive_entries.encode_result(naive_entries.result("f", record, d, "nq"))
            assert (texts, text) == ([_bytes(x) for x in expected[0]], expected[1])


def test_health_is_that_of_values(both: Both) -> None:
    rows, values = (_healths(found) for found in both)
    for a, d in zip(rows, values, strict=True):
        assert codec.encode(a.history) == naive_entries.history_json(d.history)
        health = naive_entries.assessment_json(d.history.assessment)
        assert codec.encode(a.history.assessment) == health
        assert (a.marks, a.alerts, a.keep_waveform) == (d.marks, d.alerts, d.keep_waveform)


def _healths(
    found: Sequence[Sequence[Answer]] | Sequence[Sequence[Diagnosis]],
) -> list[HealthUpdate]:
    """Return the health of one machine after each of the records."""
    history, updates = MachineHistory(), []
    for k, answers in enumerate(found):
        record = replace(RECORD, t_start=2.0 * k, t_end=2.0 * k + 2)
        updates.append(update(history, record, answers))
        history = codec.decode(MachineHistory, codec.encode(updates[-1].history))
    return updates


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
