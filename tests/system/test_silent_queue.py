"""A queue of RabbitMQ that stores no tasks: it blocks no other queue, and is made again."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rabbitmq import RabbitMQ, needs_rabbitmq, rabbitmq
from tests.rabbitmq import node as node
from tests.waiting import eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.errors import BrokerUnavailable
from vtox.pipeline.queues import broker, task_queues
from vtox.pipeline.queues.task_queues import TaskQueues

pytestmark = [needs_rabbitmq, pytest.mark.alone, pytest.mark.timeout(200)]
SILENT, OTHER = "broken_bar", "bearing"


@pytest.fixture
def queues(node: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskQueues]:
    """The queues of the node, which keep a task each."""
    monkeypatch.setenv("VTOX_BROKER_URL", node.url)
    opened = TaskQueues()
    for family in FAMILIES:
        assert eventually(lambda f=family: sends(opened, f))
    yield opened
    opened.close()


def sends(queues: TaskQueues, family: str) -> bool:
    try:
        queues.send(family, ["1"])
    except BrokerUnavailable:
        return False
    return True


def suspend(node: RabbitMQ, queue: str) -> None:
    """Stop the process of a quorum queue from answering."""
    node.control("eval", f"sys:suspend('%2F_{queue}').")


def test_a_silent_queue_holds_no_other_one(node: RabbitMQ, queues: TaskQueues) -> None:
    suspend(node, SILENT)
    began = time.monotonic()
    assert not sends(queues, SILENT)
    assert time.monotonic() - began < broker.STEP_TIMEOUT_S
    began = time.monotonic()
    for _ in range(20):
        assert sends(queues, OTHER)
        assert not sends(queues, SILENT)
    assert time.monotonic() - began < task_queues.RETRY_QUEUE_AFTER_S / 2
    assert queues.waiting_tasks(OTHER)
    assert queues.waiting_tasks(SILENT) is None
    assert set(queues.lengths) == {OTHER}
    assert f"queue {SILENT}" in queues.problem
    # After the rest one of its tasks is sent again, if none is new.
    eventually(lambda: queues.waiting_tasks(SILENT) == [], task_queues.RETRY_QUEUE_AFTER_S)
    node.control("eval", f"sys:resume('%2F_{SILENT}').")
    eventually(lambda: sends(queues, SILENT), task_queues.RETRY_QUEUE_AFTER_S + 2)
    assert not queues.problem


def test_an_alarm_of_the_broker_is_no_fault_of_a_queue(node: RabbitMQ, queues: TaskQueues) -> None:
    node.control("set_vm_memory_high_watermark", "0")
    try:
        began = time.monotonic()
        assert not any(sends(queues, family) for family in FAMILIES)
        assert time.monotonic() - began < task_queues.RETRY_AFTER_S
        assert "queue" not in queues.problem
    finally:
        node.control("set_vm_memory_high_watermark", "0.6")
    for family in FAMILIES:
        eventually(lambda f=family: sends(queues, f))


def test_a_queue_that_stays_silent_is_made_again(node: RabbitMQ, queues: TaskQueues) -> None:
    suspend(node, SILENT)
    # The last attempt begins up to a rest later, and the queue rests once more while it is deleted.
    rests = 2 * task_queues.RETRY_QUEUE_AFTER_S + task_queues.DELETION_S
    limit_s = task_queues.SILENT_QUEUE_S + rests + 2 * broker.STEP_TIMEOUT_S
    eventually(lambda: sends(queues, SILENT), limit_s)
    assert queues.waiting_tasks(SILENT) == [["1"]]
    assert sends(queues, OTHER)
    assert SILENT in node.control("list_queues", "name", "type", "leader")


def test_a_queue_whose_node_was_killed_when_it_was_new_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # RabbitMQ 4.0.5 has not written down the registration of the last queue yet.
    with rabbitmq(tmp_path / "rabbitmq") as node:
        monkeypatch.setenv("VTOX_BROKER_URL", node.url)
        opened = TaskQueues()
        assert all(sends(opened, family) for family in FAMILIES)
        node.kill()
        node.start()
        for family in FAMILIES:
            eventually(lambda f=family: sends(opened, f), 60)
        opened.close()
