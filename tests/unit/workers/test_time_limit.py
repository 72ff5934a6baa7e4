"""What a batch does when Celery's time limit strikes while it is diagnosed."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from vtox import Recording
from vtox.diagnosis import DiagnosisInput
from workers import batch


@pytest.fixture
def soft_limit() -> Iterator[None]:
    """Raise what Celery raises, the way Celery's worker does: out of a signal."""

    def strike(signum: int, frame: Any) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("soft_limit")
def test_the_time_limit_ends_the_task_and_not_only_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def hang(cases: Any, faults: Any) -> Any:
        calls.append(len(cases))
        time.sleep(5)

    monkeypatch.setattr(batch, "diagnose_batch", hang)
    case = DiagnosisInput(Recording({"ia": np.zeros(10)}, 10_000.0))
    with pytest.raises(SoftTimeLimitExceeded):
        batch._diagnose([case, case], ("bearing",))
    assert calls == [2], "no record may be tried alone once the limit has struck"
