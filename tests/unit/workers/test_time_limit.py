"""What becomes of a batch whose diagnosis takes too long: VTOX's own time limit, and Celery's."""

import signal
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from vtox.diagnosis import DiagnosisInput
from vtox.domain import Diagnosis, Record, Recording
from vtox.health.update import MachineHistory
from vtox.store.machines import MachineState
from workers import batch
from workers.batch import Started
from workers.time_limit import DiagnosisTimeout, limit_s, time_limit

SOUND, HANGS = 0.0, 1.0


def started(marker: float) -> Started:
    record = Record(
        machine_id="M",
        run="",
        first_seq=0,
        last_seq=0,
        t_start=0.0,
        t_end=1.0,
        ids="1-0",
        windows=1,
        bytes=80_000,
    )
    recording = Recording({"ia": np.full(10, marker)}, 10_000.0)
    return Started("M", record, recording, MachineState(None, None, MachineHistory(), "0"))


def hang_on_marked(cases: Sequence[DiagnosisInput], faults: Any) -> list[list[Diagnosis]]:
    if any(c.recording.channels["ia"][0] == HANGS for c in cases):
        time.sleep(5)
    return [[] for _ in cases]


def test_a_record_that_hangs_delays_the_others_of_its_batch_by_its_time_limit_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "diagnose_batch", hang_on_marked)
    monkeypatch.setattr("workers.time_limit.BASE_S", 0.2)
    began = time.perf_counter()
    answers = batch._diagnose([started(SOUND), started(HANGS), started(SOUND)], ("bearing",))
    assert time.perf_counter() - began < 2
    assert answers[0] == answers[2] == []
    assert isinstance(answers[1], DiagnosisTimeout)


def test_the_time_limit_grows_with_the_samples() -> None:
    assert limit_s(64 * 80_000) < 15
    assert limit_s(50_000_000) > 60


def test_nothing_strikes_after_a_diagnosis_in_time() -> None:
    with time_limit(0.05):
        pass
    time.sleep(0.1)


@pytest.fixture
def soft_limit() -> Iterator[None]:
    """Raise what Celery raises, the way Celery's worker does: out of a signal."""

    def strike(signum: int, frame: Any) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGVTALRM, strike)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.2)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("soft_limit")
def test_celerys_time_limit_ends_the_task_and_not_only_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def hang(cases: Any, faults: Any) -> Any:
        calls.append(len(cases))
        end = time.perf_counter() + 5
        while time.perf_counter() < end:
            pass

    monkeypatch.setattr(batch, "diagnose_batch", hang)
    with pytest.raises(SoftTimeLimitExceeded):
        batch._diagnose([started(SOUND), started(SOUND)], ("bearing",))
    assert calls == [2], "no record may be tried alone once the limit has struck"
