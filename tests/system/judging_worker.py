"""A worker that finds faults as severe as the first sample says: `python -m ... -Q ...`.

Its diagnosis waits while the file `hold` of its folder exists, and says so in the file `at_work`.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis, State
from vtox.pipeline.queues.celery_app import app
from workers import batch

HOLD, AT_WORK = "hold", "at_work"


def diagnose(cases: Sequence[DiagnosisInput], faults: Sequence[str]) -> list[list[Diagnosis]]:
    while Path(HOLD).exists():
        Path(AT_WORK).touch()
        time.sleep(0.01)
    severities = [float(c.recording.channels["ia"][0]) / 1000 for c in cases]
    return [[_impacts(f, s) for f in faults] for s in severities]


def _impacts(fault: str, severity: float) -> Diagnosis:
    state: State = "warning" if severity else "normal"
    values = {"order": 3.05}
    return Diagnosis(
        fault=fault, state=state, code="because_impacts", severity=severity, values=values
    )


if __name__ == "__main__":
    vars(batch)["answer_batch"] = diagnose
    app.worker_main(["worker", *sys.argv[1:]])
