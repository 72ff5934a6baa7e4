"""Ports: none is configured twice, and a process that chooses one skips the others."""

import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.cluster import free_ports
from vtox.pipeline.cluster import processes
from vtox.pipeline.cluster.ports import base_url, port_is_free, require_distinct_ports, responds
from vtox.pipeline.cluster.probe_server import serve
from vtox.pipeline.cluster.roles import host_roles
from vtox.pipeline.cluster.server_config import choose_address
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.errors import PortTaken, SettingsError

NAMES = ("api_port", "coordinator_port", "flower_port", "worker_port", "redis_port")


@pytest.mark.parametrize("one", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_two_settings_with_one_port_are_both_named(one: str, other: str, tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, **{one: 28_000, other: 28_000})
    ports = processes.configured_ports(settings, processes.cluster(settings))
    if one == other:
        require_distinct_ports(ports)
        return
    with pytest.raises(SettingsError, match="are both 28000") as raised:
        require_distinct_ports(ports)
    assert f"VTOX_{one.upper()} " in str(raised.value)
    assert f"VTOX_{other.upper()} " in str(raised.value)


def test_a_role_left_out_needs_no_port(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, api_port=5555, redis_port=8001, redis_url="redis://h")
    require_distinct_ports(
        processes.configured_ports(
            settings, processes.cluster(settings, host_roles(settings, without=["flower"]))
        )
    )


def test_another_port_serves_where_the_first_is_taken() -> None:
    (port,) = free_ports(1)
    assert [serve("127.0.0.1", port, others=[port + 1]) for _ in range(2)] == [port, port + 1]
    with pytest.raises(PortTaken, match=f"ports {port} to {port + 1} of 127"):
        serve("127.0.0.1", port, others=[port + 1])


def test_a_process_that_outlives_its_parent_holds_no_port() -> None:
    (port,) = free_ports(1)
    script = "import os, sys; from vtox.pipeline.cluster.probe_server import serve; "
    script += f"serve('127.0.0.1', {port}); os.fork() and os._exit(0); print(os.getpid()); "
    script += "sys.stdout.flush(); sys.stdin.read()"
    command = [sys.executable, "-W", "ignore", "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdin
        assert psutil.pid_exists(int(parent.stdout.readline()))
        parent.wait(10)
        assert port_is_free(port)
        parent.stdin.close()


def test_a_foreign_address_is_named_in_the_error() -> None:
    with pytest.raises(PortTaken, match=r"port 28000 of 192\.0\.2\.1: .*assign"):
        serve("192.0.2.1", 28_000)


def test_no_proxy_is_used_for_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    (port,) = free_ports(1)
    serve("127.0.0.1", port)
    assert responds(f"http://127.0.0.1:{port}/health/live")


def test_a_head_request_gets_headers_only() -> None:
    (port,) = free_ports(1)
    serve("127.0.0.1", port)
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as http:
        for path, status in (("/health/live", 200), ("/nothing", 404)):
            http.request("HEAD", path)
            response = http.getresponse()
            assert response.status == status
            assert int(response.headers["Content-Length"]) > 0
            assert response.read() == b""


def test_health_is_served_by_ipv6() -> None:
    (port,) = free_ports(1)
    try:
        serve("::1", port)
    except PortTaken:
        pytest.skip("no IPv6 here")
    assert responds(base_url("::1", port) + "/health/live")


def test_the_embedded_server_skips_the_configured_ports(tmp_path: Path) -> None:
    stored = {"port": 28_000, "password": "pw", "pid": 1}
    (tmp_path / "server.json").write_text(json.dumps(stored))
    assert choose_address(load(data_dir=tmp_path)).port == 28_000
    moved = choose_address(load(data_dir=tmp_path, api_port=28_000))
    assert moved.port != 28_000
    assert moved.password == "pw"
