"""A worker plug-in, `celery worker -I faults.alternating`: alarms come and go with the temperature.

It comes after `benchmarks.stub_diagnosis` in the list of plug-ins. Its answer depends on the record
alone, so that a record that is executed twice gets the same answer.
"""

from collections.abc import Sequence
from dataclasses import replace

import workers.batch
from faults.days import SLOW
from faults.sender import COLD_C, HOT_C
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Answer, Diagnosis

# Its slots are the shortest: one record raises an alarm, and one clears it.
FAULT = "turn_short"

_diagnose = workers.batch.answer_batch


def alternating_batch(
    cases: Sequence[DiagnosisInput], faults: Sequence[str]
) -> list[list[Answer | Diagnosis]]:
    """Answer `warning` and `normal` in turn, for one quick fault and all that take days."""
    return [
        [_alternating(a, case) if a.fault in (FAULT, *SLOW) else a for a in answers]
        for answers, case in zip(_diagnose(cases, faults), cases, strict=True)
    ]


def _alternating(found: Answer | Diagnosis, case: DiagnosisInput) -> Answer | Diagnosis:
    celsius = case.recording.temperature_c
    if celsius is None or not isinstance(found, Diagnosis):
        return found
    if celsius < (COLD_C + HOT_C) / 2:
        return replace(found, state="normal", severity=0.0, confidence=0.9)
    return replace(found, state="warning", severity=0.4, confidence=0.9)


workers.batch.answer_batch = alternating_batch  # type: ignore[attr-defined]
