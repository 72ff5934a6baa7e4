"""A batch with one failing record: its outcome, and that of the other records."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import ceil, log2
from typing import Any

import pytest
import redis

from tests.integration.helpers import add_window, bridging, eventually
from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.ledger import MAX_ATTEMPTS, Ledger
from vtox.pipeline.store.server.client import Client
from workers import batch, time_limit
from workers.celery_signals import process

FAMILY = "bearing"
MARKED_A = 5.0
HANG_S = 20.0


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

    monkeypatch.setattr(batch, "answer_batch", diagnose)
    return sizes


def compute(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        pass


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


def test_a_machine_that_changes_while_its_records_are_diagnosed_is_computed_once(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_family_commits() -> None:
        client.hset(keys.machine("V001"), "version", "of another worker")

    fail_on_marked(monkeypatch, another_family_commits)
    sizes: list[int] = []
    commit = Ledger.commit

    def counted(ledger: Ledger, family: str, outcomes: Any, work: Any = None) -> list[int]:
        sizes.append(len(outcomes))
        return commit(ledger, family, outcomes, work)

    monkeypatch.setattr(Ledger, "commit", counted)
    assert batch.work(FAMILY, record_ids) == 3
    assert sizes == [3]


def test_a_record_that_a_task_names_twice_counts_once(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = fail_on_marked(monkeypatch, lambda: None)
    assert batch.work(FAMILY, [record_ids[0], record_ids[0]]) == 1
    assert sizes == [1]
    assert client.xlen(keys.RESULTS) == len(FAMILIES[FAMILY].faults)
    assert client.hlen(keys.ledger(FAMILY)) == 2


def test_a_record_that_hangs_delays_the_others_of_its_batch_by_its_time_limit_only(
    client: Client, record_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left_s: list[float] = []

    def hang() -> None:
        left_s.append(signal.getitimer(signal.ITIMER_PROF)[0])
        # Most of the time limit counts as passed.
        signal.setitimer(signal.ITIMER_PROF, 0.05)
        compute(HANG_S)

    fail_on_marked(monkeypatch, hang)
    began = time.process_time()
    assert batch.work(FAMILY, record_ids) == 2
    assert time.process_time() - began < HANG_S / 2
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
    fail_on_marked(monkeypatch, lambda: compute(HANG_S))
    batch.work(FAMILY, record_ids)
    counts = client.hgetall(keys.worker(process().name))
    assert 0.2 < float(counts[b"diagnosis_s"]) <= float(counts[b"busy_s"])
    heartbeats.reset(client, process().name)


@pytest.fixture
def two_machines(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """A record of each of two machines in the ledger, V1 and V2."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    process.cache_clear()
    for seq in range(2):
        for machine_id in ("V1", "V2"):
            add_window(client, machine_id, seq=seq)
    with bridging(settings):
        eventually(lambda: client.hlen(keys.ledger(FAMILY)) == 2)
    yield sorted(i.decode() for i in client.hkeys(keys.ledger(FAMILY)))
    process.cache_clear()


def test_a_machine_whose_state_somebody_else_wrote_holds_up_no_other(
    client: Client, two_machines: list[str]
) -> None:
    client.hset(keys.machine("V1"), "version", b"\xff")
    for tried in [two_machines] + [[i] for i in two_machines] * MAX_ATTEMPTS:
        with suppress(UnicodeError):
            batch.work(FAMILY, tried)
    assert client.hkeys(keys.ledger(FAMILY)) == []
    dead = [e for _, e in client.xrange(keys.DEAD_LETTERS)]
    assert {(e[b"machine_id"], e[b"code"]) for e in dead} == {(b"V1", b"poison")}
    assert client.xlen(keys.RESULTS) == len(FAMILIES[FAMILY].faults)


def test_a_machine_whose_key_somebody_gave_another_type_begins_anew(
    client: Client, two_machines: list[str]
) -> None:
    client.set(keys.machine("V1"), "no hash")
    assert batch.work(FAMILY, two_machines) == 2
    assert client.hget(keys.machine("V1"), "version")
