"""The queues of each worker, and the worker that may go."""

import pytest

from vtox.pipeline.cluster.worker_allocation import ALL_QUEUES, allocate_queues, removable_worker


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 6, 9])
def test_every_queue_has_a_worker_and_no_worker_is_without(workers: int) -> None:
    allocated = allocate_queues(workers)
    assert len(allocated) == workers
    assert {queue for queues in allocated for queue in queues} == set(ALL_QUEUES)
    assert all(allocated)


def test_fewer_workers_than_queues_share_all_of_them() -> None:
    assert allocate_queues(2) == [ALL_QUEUES, ALL_QUEUES]


def test_each_queue_gets_a_worker_of_its_own_before_any_is_shared() -> None:
    own = [(queue,) for queue in ALL_QUEUES]
    assert allocate_queues(3) == own
    assert allocate_queues(5) == [*own, ALL_QUEUES, ALL_QUEUES]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
def test_a_worker_more_changes_none_of_those_that_run(workers: int) -> None:
    if workers != len(ALL_QUEUES) - 1:
        assert allocate_queues(workers + 1)[:-1] == allocate_queues(workers)


def test_workers_stop_until_each_queue_has_its_last_one() -> None:
    allocated = allocate_queues(5)
    while (place := removable_worker(allocated)) is not None:
        del allocated[place]
    assert allocated == [(queue,) for queue in ALL_QUEUES]
    assert removable_worker(allocate_queues(2)) == 1
    assert removable_worker(allocate_queues(1)) is None
