"""Which processes there are, with which queues, and what they are told."""

import os
from pathlib import Path

import pytest

from vtox.cluster import processes
from vtox.faults import FAMILIES
from vtox.settings import load


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 6, 9])
def test_every_queue_has_a_worker_and_no_worker_is_idle(workers: int) -> None:
    given = processes.assign(workers)
    assert len(given) == workers
    assert {q for queues in given for q in queues} == set(FAMILIES)
    assert all(given)


def test_three_workers_take_one_queue_each() -> None:
    assert processes.assign(3) == [("turn_short",), ("bearing",), ("broken_bar",)]


def test_more_workers_go_where_the_load_is() -> None:
    heaviest = max(processes.LOAD, key=lambda f: processes.LOAD[f])
    assert processes.assign(4)[3] == (heaviest,)


def test_every_family_has_a_load() -> None:
    assert processes.LOAD.keys() == FAMILIES.keys()


def test_workers_have_names_of_their_own(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, cluster_workers=7)
    names = [r.name for r in processes.workers(settings)]
    assert len(set(names)) == 7


def test_a_cluster_starts_in_the_data_s_order_and_the_server_leaves_last(tmp_path: Path) -> None:
    plan = processes.cluster(load(data_dir=tmp_path))
    names = [r.name for r in plan]
    assert names == ["server", "bridge", "turn_short", "bearing", "broken_bar", "api", "flower"]
    assert max(plan, key=lambda r: r.leave).name == "server"


def test_a_given_server_is_not_started(tmp_path: Path) -> None:
    plan = processes.cluster(load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1"))
    assert "server" not in {r.name for r in plan}


def test_roles_can_be_left_out(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    plan = processes.cluster(settings, ["api", "flower", "workers"])
    assert [r.name for r in plan] == ["server", "bridge"]
    assert processes.ports(settings, plan) == {"VTOX_COORDINATOR_PORT": ("127.0.0.1", 8001)}


def test_children_get_these_settings_and_no_cluster_of_their_own(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, cluster_enabled=True, retention_s=7)
    given = processes.environment(settings)
    assert given["VTOX_CLUSTER_ENABLED"] == "false"
    assert given["VTOX_RETENTION_S"] == "7.0"
    assert given["VTOX_DATA_DIR"] == str(tmp_path.resolve())
    assert "VTOX_REDIS_URL" not in given
    assert given["PATH"] == os.environ["PATH"]
