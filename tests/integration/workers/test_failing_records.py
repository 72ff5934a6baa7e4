"""What becomes of a batch of which one record fails, and of the others in it."""

import signal
import time
from collections.abc import Iterator, Sequence
from math import ceil, log2
from typing import Any

import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded

from tests.integration.helpers import add_window, bridging, eventually
from vtox import keys
from vtox.diagnosis import DiagnosisInput
from vtox.domain import Diagnosis
from vtox.settings import Settings
from vtox.store import heartbeats
from vtox.store.client import Client
from workers import batch, time_limit
from workers.celery_signals import process

FAMILY = "bearing"
MARKED_A = 5.0


@pytest.fixture
def record_ids(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Three records in the ledger, the second of which holds a marked window."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    process.cache_clear()
    for seq in range(6):
        marked = {"ia": b"\1\0" * 1000, "scale_ia": MARKED_A} if seq == 2 else {}
        add_window(client, seq=seq, **marked)
    with bridging(settings):
        eventually(lambda: client.hlen(keys.ledger(FAMILY)) == 3)
    yield sorted(i.decode() for i in client.hkeys(keys.ledger(FAMILY)))
    process.cache_clear()


def fail_on_marked(monkeypatch: pytest.MonkeyPatch, fail: Any) -> list[int]:
    """Let a batch with a marked record fail; return the sizes of the batches that were tried."""
    sizes: list[int] = []

    def diagnose(cases: Sequence[DiagnosisInput], faults: Any) -> list[list[Diagnosis]]:
        sizes.append(len(cases))
        if any(c.recording.channels["ia"][0] == MARKED_A for c in cases):
            fail()
        return [[Diagnosis(fault=f, state="normal", severity=0.0) for f in faults] for _ in cases]

    monkeypatch.setattr(batch, "diagnose_batch", diagnose)
    return sizes


def attempts(client: Client) -> dict[str, int]:
    found = client.hgetall(keys.attempts(FAMILY)).items()
    return {k.decode(): int(n) for k, n in found if not k.endswith(keys.AT_WORK.encode())}


def at_work(client: Client, record_id: str) -> bool:
    return bool(client.hexists(keys.attempts(FAMILY), record_id + keys.AT_WORK))


def test_the_others_of_a_batch_are_finished_when_one_raises(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("by the test")

    fail_on_marked(monkeypatch, fail)
    assert batch.work(FAMILY, record_ids) == 2
    assert attempts(client) == {record_ids[1]: 1}
    assert not at_work(client, record_ids[1]), "reported: it may be started again at once"
    assert client.zscore(keys.due(FAMILY), record_ids[1]) == 0


def test_most_of_a_batch_in_which_one_raises_is_diagnosed_together(
    client: Client, settings: Settings, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("by the test")

    sizes = fail_on_marked(monkeypatch, fail)
    for seq in range(6, 100):
        add_window(client, seq=seq)
    with bridging(settings):
        eventually(lambda: client.hlen(keys.ledger(FAMILY)) >= 40)
    ids = sorted(i.decode() for i in client.hkeys(keys.ledger(FAMILY)))
    assert batch.work(FAMILY, ids) == len(ids) - 1
    assert len(sizes) <= 1 + 2 * ceil(log2(len(ids)))
    assert attempts(client) == {record_ids[1]: 1}


def test_a_record_that_hangs_delays_the_others_of_its_batch_by_its_time_limit_only(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left_s: list[float] = []
    hang_s = 20.0

    def hang() -> None:
        left_s.append(signal.getitimer(signal.ITIMER_REAL)[0])
        # As if the rest of it had passed: a short limit would strike the others on a busy box.
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        time.sleep(hang_s)

    fail_on_marked(monkeypatch, hang)
    began = time.perf_counter()
    assert batch.work(FAMILY, record_ids) == 2
    assert time.perf_counter() - began < hang_s / 2
    assert len(left_s) == 2, "with the others, and alone"
    assert all(0 < s <= time_limit.limit_s(1_000_000, 3) for s in left_s)
    assert attempts(client) == {record_ids[1]: 1}
    assert at_work(client, record_ids[1]), "the others of its queue go first"


def test_a_batch_that_the_server_interrupts_is_no_attempt(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*args: Any) -> Any:
        raise redis.ConnectionError("cut")

    fail_on_marked(monkeypatch, lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr(process().ledger(0), "commit", cut)
        with pytest.raises(redis.ConnectionError):
            batch.work(FAMILY, record_ids)
    assert attempts(client) == dict.fromkeys(record_ids, 1)
    assert batch.work(FAMILY, []) == 0
    assert attempts(client) == dict.fromkeys(record_ids, 0)
    assert batch.work(FAMILY, record_ids) == 3


def test_the_time_of_diagnoses_is_counted(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limit, "BASE_S", 0.1)
    fail_on_marked(monkeypatch, lambda: time.sleep(20))
    batch.work(FAMILY, record_ids)
    counts = client.hgetall(keys.worker(process().name))
    assert 0.2 < float(counts[b"diagnosis_s"]) <= float(counts[b"busy_s"])
    heartbeats.reset(client, process().name)


@pytest.fixture
def soft_limit() -> Iterator[None]:
    """Raise what Celery raises, the way Celery's worker does: out of a signal."""

    def strike(signum: int, frame: Any) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGVTALRM, strike)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("soft_limit")
def test_celerys_time_limit_ends_the_task_and_not_only_the_batch(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def hang() -> None:
        calls.append(1)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.1)
        end = time.perf_counter() + 5
        while time.perf_counter() < end:
            pass

    fail_on_marked(monkeypatch, hang)
    with pytest.raises(SoftTimeLimitExceeded):
        batch.work(FAMILY, record_ids)
    assert calls == [1], "no record may be tried alone once the limit has struck"
