"""A worker counts and drops messages that are no task of the bridge, and they never end it."""

from pathlib import Path

import pytest

from tests.waiting import eventually
from tests.worker import QUEUE, SECRET, send_strange_messages, tasks_done, worker
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.queues import celery_app
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.long

JUNK = (
    b"",
    b"\x80\x04\xff",
    SECRET.encode(),
    b"5",
    b"[]",
    b"{}",
    b'{"properties": 5}',
    b'{"properties": {}}',
    b'{"properties": {"delivery_tag": "1", "body_encoding": "rot13"}, "body": "x"}',
    b'{"properties": {"delivery_tag": "1", "body_encoding": "base64"}, "body": "x"}',
    b'{"properties": {"delivery_tag": "2"}, "headers": 5}',
)


def test_refused_messages_are_counted_and_never_end_a_worker(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = settings.working_url()
    monkeypatch.setenv("VTOX_REDIS_URL", url)
    log = tmp_path / "worker.log"
    with worker(client, log, VTOX_REDIS_URL=url) as process:
        with celery_app.app.connection_for_write() as connection:
            strange = send_strange_messages(connection)
        for member in JUNK:
            client.lpush(keys.CELERY_PREFIX + QUEUE, member)
        queues = TaskQueues()
        queues.send(QUEUE, ["no record of the ledger"])
        eventually(lambda: tasks_done(client) == 1, detail=log.read_text)
        refused = strange + len(JUNK)
        assert client.hget(keys.COUNTERS, "tasks_refused") == str(refused).encode()
        assert client.llen(keys.CELERY_PREFIX + QUEUE) == 0
        assert process.poll() is None
        queues.close()
    text = log.read_text()
    assert "refused what is no task of VTOX" in text
    assert SECRET not in text
    assert "Traceback" not in text
