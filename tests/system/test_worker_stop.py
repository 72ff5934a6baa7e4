"""A worker that is asked to stop while it works finishes its batch."""

import time
from pathlib import Path

import pytest

from tests.integration.helpers import bridging, counters
from tests.system.poison_worker import SLOW, SLOW_S
from tests.system.test_poison import QUEUE, send_record, worker
from tests.waiting import eventually
from vtox.pipeline.cluster.supervisor import STOP_TIMEOUTS_S
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.alone


def test_a_worker_that_gets_sigterm_finishes_its_batch_and_ends_in_time(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    fast = load(redis_url=settings.redis_url, batch_wait_ms=1)
    queues = TaskQueues()

    def send(family: str, record_ids: list[str]) -> None:
        if family == QUEUE:
            queues.send(family, record_ids)

    with worker(settings, tmp_path, "w0", limit_s=2 * SLOW_S):
        eventually(lambda: client.scard(keys.WORKERS) == 1, 60)
        with bridging(fast, send):
            send_record(client, "M", SLOW)
            eventually(lambda: client.exists(keys.attempts(QUEUE)))
            send_record(client, "M", 0, first=2)
            eventually(lambda: client.hlen(keys.ledger(QUEUE)) == 2)
            asked_t = time.monotonic()
    assert time.monotonic() - asked_t < STOP_TIMEOUTS_S[1]
    assert counters(client)["windows:bearing"] >= 2, "the batch at work is finished"
    assert not client.exists(keys.attempts(QUEUE)), "nothing is left that was started"
