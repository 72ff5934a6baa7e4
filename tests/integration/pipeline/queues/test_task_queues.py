"""The bridge's end of the queues: which tasks wait, and the effect of a broker that is away."""

import pytest

from tests.cluster import free_ports
from vtox.pipeline.cluster.worker_allocation import ALL_QUEUES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import BrokerUnavailable
from vtox.pipeline.queues import celery_app
from vtox.pipeline.queues.task_queues import TaskQueues
from vtox.pipeline.store.server.client import Client

QUEUE = "bearing"
LIST = keys.CELERY_PREFIX + QUEUE


@pytest.fixture(autouse=True)
def server_url(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())


def test_the_tasks_that_wait_are_the_last_that_were_sent(client: Client) -> None:
    queues = TaskQueues()
    assert queues.waiting_tasks(QUEUE) == []
    for task in (["1", "2"], ["3"], ["4"]):
        queues.send(QUEUE, task)
    assert queues.waiting_tasks(QUEUE) == [["1", "2"], ["3"], ["4"]]
    client.rpop(LIST)
    assert queues.waiting_tasks(QUEUE) == [["3"], ["4"]]
    client.delete(LIST)
    assert queues.waiting_tasks(QUEUE) == []


def test_behind_tasks_of_another_bridge_nothing_is_known(client: Client) -> None:
    before, now = TaskQueues(), TaskQueues()
    before.send(QUEUE, ["1"])
    now.send(QUEUE, ["2"])
    assert now.waiting_tasks(QUEUE) is None
    client.rpop(LIST)
    assert now.waiting_tasks(QUEUE) == [["2"]]
    now.forget()
    assert now.waiting_tasks(QUEUE) is None


def test_a_second_redis_server_can_be_the_broker(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("VTOX_BROKER_URL", settings.working_url())
    queues = TaskQueues()
    queues.send(QUEUE, ["1"])
    assert client.llen(LIST) == 1
    assert queues.waiting_tasks(QUEUE) == [["1"]]


def test_a_broker_that_is_away_costs_one_attempt_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("VTOX_BROKER_URL", f"amqp://u:secret@127.0.0.1:{port}")
    now, attempts = 0.0, []
    queues = TaskQueues(clock=lambda: now)
    connect = queues._connect
    monkeypatch.setattr(queues, "_connect", lambda *args: (attempts.append(now), connect(*args)))
    assert queues.waiting_tasks(QUEUE) is None
    assert queues.problem.startswith(f"amqp://127.0.0.1:{port}: ")
    assert "secret" not in queues.problem
    for t in (0.1, 0.5, 0.9, 1.1, 1.5, 2.0):
        now = t
        with pytest.raises(BrokerUnavailable):
            queues.send(QUEUE, ["1"])
    assert attempts == [0.0, 1.1]


def test_a_worker_of_several_queues_takes_a_task_of_each_in_turn(client: Client) -> None:
    queues = TaskQueues()
    for family in ALL_QUEUES:
        for n in range(100 if family == QUEUE else 3):
            queues.send(family, [str(n)])
    taken: list[str] = []
    with celery_app.app.connection_for_read() as connection, connection.channel() as channel:
        amqp = celery_app.app.amqp
        consumer = amqp.TaskConsumer(channel, queues=[amqp.queues[q] for q in ALL_QUEUES])
        consumer.on_message = lambda m: taken.append(m.delivery_info["routing_key"])
        with consumer:
            while len(taken) < 9:
                connection.drain_events(timeout=5)
    assert all(set(taken[i : i + 3]) == set(ALL_QUEUES) for i in (0, 3, 6)), taken
    queues.close()
