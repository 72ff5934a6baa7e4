"""Workers send events of tasks while somebody looks at Flower, and only then."""

from pathlib import Path

import httpx
import pytest

from tests.integration.cli.test_flower import flower
from tests.waiting import eventually
from tests.worker import QUEUE, worker
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.queues.celery_app import app
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client

pytestmark = pytest.mark.long

SHORT_LOOK = """
from vtox.cli.processes import flower_events, flower_server
from vtox.pipeline.configuration.settings import load
flower_events.FLOWER_IDLE_S = 3.0
flower_server.run(load())
"""
SHOWN = "task_events_shown"


def sends_events() -> bool:
    """Ask the worker, no longer than to its answer."""
    answers = app.control.broadcast(SHOWN, reply=True, limit=1, timeout=30)
    ((answer,),) = (a.values() for a in answers)
    return bool(answer)


def tasks(http: httpx.Client) -> object:
    return http.get("/api/tasks").json()


def test_task_events_are_sent_only_while_somebody_looks(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = settings.working_url()
    monkeypatch.setenv("VTOX_REDIS_URL", url)
    log = tmp_path / "worker.log"
    with (
        worker(client, log, "-I", f"tests.integration.cli.{SHOWN}", VTOX_REDIS_URL=url),
        flower(settings, "development", SHORT_LOOK, FLOWER_UNAUTHENTICATED_API="1") as http,
    ):
        eventually(lambda: not sends_events(), detail=log.read_text)
        assert http.get("/healthcheck").status_code == 200
        assert not sends_events()
        eventually(lambda: (tasks(http), sends_events())[1])  # asking for tasks is a look
        queues = TaskQueues()

        def shows_a_task() -> bool:
            # A task that comes when a look has just ended is not seen: send another.
            queues.send(QUEUE, ["no record of the ledger"])
            return bool(tasks(http))

        eventually(shows_a_task)
        eventually(lambda: not sends_events())
        queues.close()
