"""The processes of a cluster: their order, their queues, their environment."""

import os
from pathlib import Path

import pytest

from vtox.motor.errors import InputError, SystemStateError
from vtox.pipeline.cluster import processes
from vtox.pipeline.cluster.file_lock import lock, write_holder
from vtox.pipeline.cluster.ports import Listener
from vtox.pipeline.cluster.roles import host_roles
from vtox.pipeline.configuration.settings import load


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
    assert names == ["server", "api", "bridge", *workers, "recorder", "flower"]
    assert max(specs, key=lambda s: s.stop_order).name == "server"


def test_a_notifier_runs_where_there_are_rules_and_nowhere_else(tmp_path: Path) -> None:
    rules = tmp_path / "notify.toml"
    rules.touch()
    settings = load(data_dir=tmp_path, notify_file=rules)
    names = [s.name for s in processes.cluster(settings)]
    assert names[-3:] == ["recorder", "flower", "notifier"]
    assert "notifier" not in {
        s.name for s in processes.cluster(settings, host_roles(settings, without=["notifier"]))
    }
    assert processes.environment(settings)["VTOX_NOTIFY_FILE"] == str(rules.resolve())


def test_a_gateway_runs_where_broker_and_mapping_are_set(tmp_path: Path) -> None:
    both = {"mqtt_url": "mqtt://127.0.0.1", "mqtt_mapping": tmp_path / "mapping.toml"}
    for given in ({}, {"mqtt_url": both["mqtt_url"]}, {"mqtt_mapping": both["mqtt_mapping"]}):
        settings = load(data_dir=tmp_path, **given)
        assert "mqtt" not in {s.name for s in processes.cluster(settings)}
    settings = load(data_dir=tmp_path, **both)
    (gateway,) = (s for s in processes.cluster(settings) if s.name == "mqtt")
    assert gateway.command == ("vtox", "mqtt")
    assert not gateway.is_ready(os.getpid())
    held = lock(tmp_path / "mqtt-vtox.lock", 1, SystemStateError())
    write_holder(held)
    assert gateway.is_ready(os.getpid())
    os.close(held)


def test_what_passes_health_on_runs_where_its_port_is_set(tmp_path: Path) -> None:
    specs = processes.cluster(load(data_dir=tmp_path, mcp_port=8010, opcua_port=4840))
    mcp, opcua = (s for s in specs if s.name in ("mcp", "opcua"))
    assert opcua.command == ("vtox", "opcua")
    assert mcp.command == ("vtox", "mcp", "--http")
    assert mcp.listener == Listener("VTOX_MCP_PORT", "127.0.0.1", 8010)
    assert mcp.start_order > next(s.start_order for s in specs if s.name == "api")
    assert mcp.optional


def test_with_a_server_by_url_none_is_started(tmp_path: Path) -> None:
    specs = processes.cluster(load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1"))
    assert "server" not in {s.name for s in specs}


def test_roles_can_be_left_out(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    few = host_roles(settings, without=["api", "flower", "workers", "recorder"])
    specs = processes.cluster(settings, few)
    assert [s.name for s in specs] == ["server", "bridge"]
    listeners = [s.listener for s in specs if s.listener]
    assert listeners == [Listener("VTOX_COORDINATOR_PORT", "127.0.0.1", 8001)]


@pytest.mark.parametrize(
    ("roles", "workers", "ports"),
    [
        ("workers", 1, {"shared": 8002}),
        ("workers", 2, {"shared": 8002, "shared-2": 8003}),
        ("workers", 3, {"turn_short": 8002, "bearing": 8003, "broken_bar": 8004}),
        (
            "workers",
            5,
            {
                "turn_short": 8002,
                "bearing": 8003,
                "broken_bar": 8004,
                "shared": 8005,
                "shared-2": 8006,
            },
        ),
        ("worker:bearing", 2, {"bearing": 8003, "bearing-2": 8005}),
        ("worker:bearing,worker:broken_bar", 1, {"shared": 8003}),
    ],
)
def test_each_worker_has_its_port(
    tmp_path: Path, roles: str, workers: int, ports: dict[str, int]
) -> None:
    settings = load(data_dir=tmp_path, cluster_workers=workers)
    specs = processes.cluster(settings, host_roles(settings, [roles]))
    assert {s.name: s.listener.port for s in specs if s.listener} == ports
    assert {s.name: int(s.variables["VTOX_WORKER_PORT"]) for s in specs} == ports


def test_a_worker_leaves_out_the_port_of_another_process(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, flower_port=8003)
    ports = {s.name: s.listener.port for s in processes.workers(settings) if s.listener}
    assert ports == {"turn_short": 8002, "bearing": 8005, "broken_bar": 8004}


def test_children_get_our_settings_and_start_no_cluster(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, cluster_enabled=True, keep={"windows": "7s"})
    variables = processes.environment(settings)
    assert variables["VTOX_CLUSTER_ENABLED"] == "false"
    assert variables["VTOX_KEEP__WINDOWS"] == "7s"
    assert variables["VTOX_DATA_DIR"] == str(tmp_path.resolve())
    assert "VTOX_REDIS_URL" not in variables
    assert variables["PATH"] == os.environ["PATH"]


def test_the_workers_of_a_host_share_the_queues_that_were_chosen(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1", cluster_workers=3)
    roles = host_roles(settings, ["worker:bearing,worker:broken_bar"])
    names = [s.name for s in processes.cluster(settings, roles)]
    assert names == ["bearing", "broken_bar", "shared"]
    one = load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1", cluster_workers=1)
    (shared,) = processes.cluster(one, roles)
    assert shared.command[-1] == "bearing,broken_bar"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("bridge, api", {"bridge", "api"}),
        ("workers", {"turn_short", "bearing", "broken_bar"}),
        ("bridge,workers,worker:bearing", {"bridge", "turn_short", "bearing", "broken_bar"}),
    ],
)
def test_a_host_runs_the_roles_that_were_chosen(
    tmp_path: Path, chosen: str, expected: set[str]
) -> None:
    settings = load(data_dir=tmp_path)
    assert {s.name for s in processes.cluster(settings, host_roles(settings, [chosen]))} == expected


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ("worker", "--roles worker: expected one of server, bridge"),
        ("worker:gear", "worker:bearing"),
        ("server", "VTOX_REDIS_URL names the server, so there is none to start"),
        ("notifier", "VTOX_NOTIFY_FILE is not set, so there is none to start"),
        ("mqtt", "VTOX_MQTT_URL is not set, so there is none to start"),
        ("mcp", "VTOX_MCP_PORT is not set, so there is none to start"),
    ],
)
def test_a_role_that_cannot_be_is_refused_in_words(
    tmp_path: Path, chosen: str, problem: str
) -> None:
    settings = load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1")
    with pytest.raises(InputError, match=problem):
        host_roles(settings, [chosen])
