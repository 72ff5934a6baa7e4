"""RabbitMQ as Celery's broker: killed, stopped, without workers, and with foreign messages.

Where it is not installed every test here is skipped: `apt-get install rabbitmq-server`.
"""

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from faults.__main__ import explain
from faults.check import check
from faults.history import read
from faults.run import run
from faults.system import Options
from faults.tests import TESTS
from tests.integration.helpers import add_window, bridging
from tests.rabbitmq import RabbitMQ, needs_rabbitmq, rabbitmq
from tests.waiting import eventually
from tests.worker import QUEUE, SECRET, send_strange_messages, tasks_done, worker
from vtox import keys
from vtox.queues import celery_app
from vtox.queues.task_queues import TaskQueues
from vtox.settings import Settings, load
from vtox.store.client import Client

pytestmark = [needs_rabbitmq, pytest.mark.timeout(400)]
LONGEST_STOP_S = 8.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


@pytest.fixture
def queues(node: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskQueues]:
    """The queues of the node, empty."""
    monkeypatch.setenv("VTOX_BROKER_URL", node.url)
    with celery_app.app.connection_for_write() as connection:
        channel = connection.channel()
        for queue in celery_app.app.amqp.queues.values():
            queue(channel).declare()
            queue(channel).purge()
    opened = TaskQueues()
    yield opened
    opened.close()


@contextmanager
def disturbing(node: RabbitMQ, seed: int, span_s: float) -> Iterator[list[str]]:
    """Kill, stop and close the node, in turn, at times by chance; yield what was done."""
    rng, over, done = random.Random(seed), Event(), []

    def run_on() -> None:
        began = time.monotonic()
        for n, kind in enumerate(("kill", "stop", "close")):
            over.wait(began + (n + rng.uniform(0.2, 0.8)) * span_s / 3 - time.monotonic())
            if over.is_set():
                return
            done.append(kind)
            if kind == "kill":
                node.kill()
                node.start()
            elif kind == "stop":
                node.signal(signal.SIGSTOP)
                time.sleep(rng.uniform(1.0, LONGEST_STOP_S))
                node.signal(signal.SIGCONT)
            else:
                node.control("stop_app")
                node.control("start_app")

    thread = Thread(target=run_on)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("seed", [1])
def test_every_acknowledged_window_has_one_answer(tmp_path: Path, seed: int) -> None:
    with rabbitmq(tmp_path / "rabbitmq") as node:
        test = replace(TESTS["crashes-short"](seed), options=Options(broker_url=node.url))
        with disturbing(node, seed, test.load.span_s) as done:
            history = run(test, tmp_path / "run")
    verdict = check(read(history))
    assert done == ["kill", "stop", "close"]
    assert not verdict.violations, explain(test, verdict, history)


def test_the_tasks_of_a_family_without_workers_stay_bounded(
    client: Client, settings: Settings, queues: TaskQueues
) -> None:
    hasty = load(redis_url=settings.redis_url, redispatch_after_s=0.2)
    for k in range(8):
        add_window(client, seq=k)
    with bridging(hasty, queues.send, queues.waiting_tasks):
        eventually(lambda: client.hlen(keys.ledger(QUEUE)) == 4)
        before = eventually(lambda: queues.lengths.get(QUEUE))
        time.sleep(2.5)
        assert queues.lengths[QUEUE] == before
        with celery_app.app.connection_for_write() as connection:
            connection.channel().queue_purge(QUEUE)
        eventually(lambda: queues.lengths[QUEUE] == 0)
        eventually(lambda: queues.lengths[QUEUE], timeout_s=10)


def test_refused_messages_are_counted_and_never_end_a_worker(
    client: Client, settings: Settings, queues: TaskQueues, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    with worker(client, log, VTOX_REDIS_URL=settings.working_url()) as process:
        with celery_app.app.connection_for_write() as connection:
            refused = send_strange_messages(connection)
        queues.send(QUEUE, ["no record of the ledger"])
        eventually(lambda: tasks_done(client) == 1, detail=log.read_text)
        assert client.hget(keys.COUNTERS, "tasks_refused") == str(refused).encode()
        assert process.poll() is None
    assert SECRET not in log.read_text()
    assert "Traceback" not in log.read_text()
