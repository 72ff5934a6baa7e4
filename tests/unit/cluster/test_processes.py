"""The processes of a cluster: their order, their queues, their environment."""

import os
from pathlib import Path

from vtox.cluster import processes
from vtox.settings import load


def test_workers_have_names_of_their_own(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, cluster_workers=7)
    names = [s.name for s in processes.workers(settings)]
    assert len(set(names)) == 7


def test_processes_start_in_the_order_of_the_data_flow_and_the_server_stops_last(
    tmp_path: Path,
) -> None:
    specs = processes.cluster(load(data_dir=tmp_path))
    names = [s.name for s in specs]
    workers = ["turn_short", "bearing", "broken_bar"]
    assert names == ["server", "bridge", *workers, "api", "recorder", "flower"]
    assert max(specs, key=lambda s: s.stop_order).name == "server"


def test_a_notifier_runs_where_there_are_rules_and_nowhere_else(tmp_path: Path) -> None:
    rules = tmp_path / "notify.toml"
    rules.touch()
    settings = load(data_dir=tmp_path, notify_file=rules)
    names = [s.name for s in processes.cluster(settings)]
    assert names[-3:] == ["recorder", "flower", "notifier"]
    assert "notifier" not in {s.name for s in processes.cluster(settings, ["notifier"])}
    assert processes.environment(settings)["VTOX_NOTIFY_FILE"] == str(rules.resolve())


def test_with_a_server_by_url_none_is_started(tmp_path: Path) -> None:
    specs = processes.cluster(load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1"))
    assert "server" not in {s.name for s in specs}


def test_roles_can_be_left_out(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    specs = processes.cluster(settings, ["api", "flower", "workers", "recorder"])
    assert [s.name for s in specs] == ["server", "bridge"]
    assert processes.listen_addresses(settings, specs) == {
        "VTOX_COORDINATOR_PORT": ("127.0.0.1", 8001)
    }


def test_children_get_our_settings_and_start_no_cluster(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, cluster_enabled=True, retention_s=7)
    variables = processes.environment(settings)
    assert variables["VTOX_CLUSTER_ENABLED"] == "false"
    assert variables["VTOX_RETENTION_S"] == "7.0"
    assert variables["VTOX_DATA_DIR"] == str(tmp_path.resolve())
    assert "VTOX_REDIS_URL" not in variables
    assert variables["PATH"] == os.environ["PATH"]
