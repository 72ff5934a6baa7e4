"""Ports: none asked for twice, one free to choose leaves the others alone."""

import json
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cluster import free_ports
from vtox.cluster import processes
from vtox.cluster.ports import answers, require_distinct, url
from vtox.cluster.probe_server import serve
from vtox.cluster.server_config import choose_address
from vtox.errors import PortTaken, SettingsError
from vtox.settings import load

NAMES = ("api_port", "coordinator_port", "flower_port", "worker_port", "redis_port")


@pytest.mark.parametrize("one", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_two_settings_for_one_port_are_both_named(one: str, other: str, tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, **{one: 28_000, other: 28_000})
    claims = processes.claims(settings, processes.cluster(settings))
    if one == other:
        require_distinct(claims)
        return
    with pytest.raises(SettingsError, match="are both 28000") as told:
        require_distinct(claims)
    assert f"VTOX_{one.upper()} " in str(told.value)
    assert f"VTOX_{other.upper()} " in str(told.value)


def test_a_role_left_out_claims_nothing(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, api_port=5555, redis_port=8001, redis_url="redis://h")
    require_distinct(processes.claims(settings, processes.cluster(settings, ["flower"])))


def test_a_worker_passes_over_the_ports_of_others() -> None:
    (port,) = free_ports(1)
    spare = {port, port + 1}
    taken = [serve("127.0.0.1", port, span=20, spare=spare) for _ in range(2)]
    assert taken[0] == port, "what is told is done"
    assert taken[1] > port + 1


def test_an_address_that_is_not_ours_is_said_to_be_so() -> None:
    with pytest.raises(PortTaken, match=r"port 28000 of 192\.0\.2\.1: .*assign"):
        serve("192.0.2.1", 28_000)


def test_a_proxy_is_not_asked_for_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    (port,) = free_ports(1)
    serve("127.0.0.1", port)
    assert answers(f"http://127.0.0.1:{port}/health/live")


def test_a_monitor_that_asks_for_the_head_alone_gets_it() -> None:
    (port,) = free_ports(1)
    serve("127.0.0.1", port)
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as http:
        for path, status in (("/health/live", 200), ("/nothing", 404)):
            http.request("HEAD", path)
            answer = http.getresponse()
            assert answer.status == status
            assert int(answer.headers["Content-Length"]) > 0
            assert answer.read() == b""


def test_health_is_served_by_ipv6_too() -> None:
    (port,) = free_ports(1)
    try:
        serve("::1", port)
    except PortTaken:
        pytest.skip("no IPv6 here")
    assert answers(url("::1", port) + "/health/live")


def test_the_embedded_server_keeps_away_from_the_ports_that_are_set(tmp_path: Path) -> None:
    known = {"port": 28_000, "password": "pw", "pid": 1}
    (tmp_path / "server.json").write_text(json.dumps(known))
    assert choose_address(load(data_dir=tmp_path)).port == 28_000
    moved = choose_address(load(data_dir=tmp_path, api_port=28_000))
    assert moved.port != 28_000
    assert moved.password == "pw"
