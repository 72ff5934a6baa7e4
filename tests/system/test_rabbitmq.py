"""RabbitMQ as Celery's broker: killed, stopped, without workers, and with foreign messages.

If it is not installed, every test here is skipped: `apt-get install rabbitmq-server`.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from faults.__main__ import explain
from faults.check import check
from faults.history import read
from faults.proxy import Links
from faults.run import run
from faults.system import Options
from faults.tests import TESTS
from tests.cluster import Cluster, cluster
from tests.integration.helpers import add_window, bridging
from tests.rabbitmq import RabbitMQ, needs_rabbitmq, rabbitmq
from tests.rabbitmq import node as node
from tests.waiting import eventually
from tests.worker import QUEUE, SECRET, send_strange_messages, tasks_done, worker
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.monitoring.readiness import Check, checks
from vtox.pipeline.queues import celery_app
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system.status import snapshot

pytestmark = [needs_rabbitmq, pytest.mark.alone, pytest.mark.timeout(400)]
LONGEST_STOP_S = 8.0
# Two missed heartbeats, and the time to connect.
BACK_S = 40.0


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
def disturbing(node: RabbitMQ, seed: int, span_s: float, history: Path) -> Iterator[list[str]]:
    """Kill, stop and close the node, in turn, at times by chance; yield the actions.

    The times count from the first window that the history calls acknowledged.
    """
    rng, over, done = random.Random(seed), Event(), []

    def run_on() -> None:
        while not (history.exists() and any(e["event"] == "ack" for e in read(history))):
            if over.wait(0.1):
                return
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
        folder = tmp_path / "run"
        with disturbing(node, seed, test.load.span_s, folder / "history.jsonl") as done:
            history = run(test, folder)
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


def test_a_worker_comes_back_after_its_link_was_half_open(
    client: Client, settings: Settings, queues: TaskQueues, node: RabbitMQ, tmp_path: Path
) -> None:
    links = Links(lambda: node.port)
    link = links.add("worker")
    own = {
        "VTOX_REDIS_URL": settings.working_url(),
        "VTOX_BROKER_URL": f"amqp://guest:guest@127.0.0.1:{link.port}//",
    }
    try:
        with worker(client, tmp_path / "worker.log", **own) as process:
            link.half_open()
            queues.send(QUEUE, ["no record of the ledger"])
            time.sleep(5)
            link.thaw()
            eventually(lambda: tasks_done(client) == 1, BACK_S)
            # On its old connection, an answer would keep the worker from its tasks.
            assert answers_ping(node) == 1
            assert process.poll() is None
    finally:
        links.close()


def test_the_whole_system_says_where_its_tasks_wait(tmp_path: Path) -> None:
    with rabbitmq(tmp_path / "rabbitmq") as node:
        with cluster(tmp_path, VTOX_BROKER_URL=node.url, VTOX_CLUSTER_WORKERS="3") as started:
            started.wait_for_workers(len(FAMILIES))
            page = f"http://127.0.0.1:{started.settings.flower_port}"
            eventually(lambda: answer(page), 30)
            eventually(lambda: broker_check(started).status == "pass", 30)
            assert {q.waiting for q in snapshot(started.client()).queues.values()} == {0}
            assert answers_ping(node) == len(FAMILIES)
            node.kill()
            eventually(lambda: broker_check(started).status == "fail", 30)
            assert {q.waiting for q in snapshot(started.client()).queues.values()} == {None}
            node.start()
            eventually(lambda: broker_check(started).status == "pass", 30)
            add_window(started.client(), "M1")
            done = f"windows:{next(iter(FAMILIES))}"
            eventually(lambda: started.client().hget(keys.COUNTERS, done) == b"1", 40)
    assert "guest:guest" not in started.log.read_text()


def answers_ping(node: RabbitMQ) -> int:
    """Return how many workers answer `celery inspect ping`."""
    inspect = [sys.executable, "-m", "celery", "-A", "vtox", "inspect", "-j", "ping"]
    env = os.environ | {"VTOX_BROKER_URL": node.url}
    replies = subprocess.run(inspect, env=env, capture_output=True, check=False).stdout
    return len(json.loads(replies)) if replies.strip() else 0


def answer(url: str) -> bool:
    """Whether Flower serves its pages, with a password or without."""
    try:
        return httpx.get(url).status_code in (200, 401)
    except httpx.TransportError:
        return False


def broker_check(started: Cluster) -> Check:
    """The check of the broker as the API shows it."""
    found = {c.name: c for c in checks(snapshot(started.client()))}
    return found.get("broker", Check(name="broker", status="warn", observed="not there yet"))
