"""A worker whose diagnoses fail on marked windows: `python -m tests.system.poison_worker -Q ...`.

The first sample of `ia`, in A, says how.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence

from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.queues.celery_app import app
from workers import batch, time_limit

RAISES, SEGFAULTS, EXITS, HANGS, EATS_MEMORY = KINDS = (1, 2, 3, 4, 5)
SLOW, SLOW_S = 6, 5.0
WAITS = 7


def diagnose(cases: Sequence[DiagnosisInput], faults: Sequence[str]) -> list[list[Diagnosis]]:
    for case in cases:
        fail(round(float(case.recording.channels["ia"][0])))
    return [[Diagnosis(fault=f, state="normal", severity=0.0) for f in faults] for _ in cases]


def fail(kind: int) -> None:
    if kind == RAISES:
        raise RuntimeError("by the test")
    if kind == SEGFAULTS:
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == EXITS:
        os._exit(1)
    while kind == HANGS:
        pass
    if kind == WAITS:
        time.sleep(1000)
    if kind == SLOW:
        time.sleep(SLOW_S)
    if kind == EATS_MEMORY:
        hoard = []
        while True:
            hoard.append(bytearray(64 << 20))


if __name__ == "__main__":
    batch.answer_batch = diagnose  # type: ignore[assignment]
    time_limit.BASE_S = float(os.environ.get("POISON_LIMIT_S", "1"))
    app.conf.task_time_limit = float(os.environ.get("POISON_WAIT_S", "60"))
    app.worker_main(["worker", *sys.argv[1:]])
