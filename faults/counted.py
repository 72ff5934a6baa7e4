"""A worker plug-in, `celery worker -I faults.counted`: counts the executions of records.

Each record adds its samples to the meter of its machine, as joules: so every window adds the same,
whatever records it lies in. It appends a line for every batch, before the diagnosis, to the file
FAULTS_EXECUTIONS. Each record takes FAULTS_WORK_MS more, without work for the processor: so there
is work in flight that can be interrupted, on a small box too. With `benchmarks.stub_diagnosis`
before it in the list of plug-ins, the diagnosis is the light load of the throughput benchmark.
"""

import os
import time
from collections.abc import Sequence

import workers.batch
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.faults import FAULTS, METERED
from vtox.motor.values.domain import Answer, Diagnosis
from vtox.motor.values.energy import MeterCounts, MeterRow

_work_s = float(os.environ.get("FAULTS_WORK_MS", "0")) / 1000
_diagnose = workers.batch.answer_batch
_file = os.open(os.environ["FAULTS_EXECUTIONS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def counted_batch(
    cases: Sequence[DiagnosisInput], faults: Sequence[str]
) -> list[list[Answer | Diagnosis]]:
    """Count the records of a batch, then diagnose them."""
    if cases:
        os.write(_file, f"{FAULTS[faults[0]].name} {len(cases)}\n".encode())
        time.sleep(len(cases) * _work_s)
    return [
        [_metered(a, case) if a.fault == METERED else a for a in answers]
        for answers, case in zip(_diagnose(cases, faults), cases, strict=True)
    ]


def _metered(found: Answer | Diagnosis, case: DiagnosisInput) -> Answer:
    said = {name: getattr(found, name) for name in Answer._fields if name != "energy"}
    counts = MeterCounts(observed_ms=1, powered_ms=1, energy_j=case.recording.samples)
    return Answer(**said, energy=MeterRow(counts=MeterCounts.pack(counts)))


workers.batch.answer_batch = counted_batch  # type: ignore[attr-defined]
