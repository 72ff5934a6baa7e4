"""A worker plug-in, `celery worker -I faults.counted`: counts the executions of records.

It appends a line for every batch, before the diagnosis, to the file FAULTS_EXECUTIONS; with
FAULTS_LIGHT=1 the diagnosis is the light load of the throughput benchmark.
"""

import os
from collections.abc import Sequence

import workers.batch
from vtox.diagnosis import DiagnosisInput
from vtox.domain import Diagnosis
from vtox.faults import FAULTS

if os.environ.get("FAULTS_LIGHT") == "1":
    import benchmarks.stub_diagnosis  # noqa: F401

_diagnose = workers.batch.diagnose_batch
_file = os.open(os.environ["FAULTS_EXECUTIONS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def counted_batch(cases: Sequence[DiagnosisInput], faults: Sequence[str]) -> list[list[Diagnosis]]:
    """Count the records of a batch, then diagnose them."""
    if cases:
        os.write(_file, f"{FAULTS[faults[0]].name} {len(cases)}\n".encode())
    return _diagnose(cases, faults)


workers.batch.diagnose_batch = counted_batch
