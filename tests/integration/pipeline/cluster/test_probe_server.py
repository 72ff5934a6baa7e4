"""The health and metrics port of the coordinator and the workers."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.cluster import probe_server
from vtox.pipeline.cluster.probe_server import MAX_CONNECTIONS, serve


@pytest.fixture
def probe() -> Iterator[httpx.Client]:
    (port,) = free_ports(1)
    serve("127.0.0.1", port, names=["bridge.lan"], ready=lambda: (False, "does not own the stream"))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client


def test_health_is_as_the_checks_say(probe: httpx.Client) -> None:
    assert probe.get("/health/live").json() == {"status": "pass", "output": ""}
    ready = probe.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "fail")
    assert ready.headers["content-type"] == "application/health+json"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("", 403),
        ("localhost:1", 200),
        ("10.0.0.1", 200),
        ("Bridge.lan", 200),
    ],
)
def test_a_foreign_name_of_this_host_is_refused(
    probe: httpx.Client, host: str, status: int
) -> None:
    for path in ("/health/live", "/metrics"):
        assert probe.get(path, headers={"Host": host}).status_code == status


def test_a_silent_client_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_server, "TIMEOUT_S", 0.2)
    (port,) = free_ports(1)
    serve("127.0.0.1", port)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(b"GET /")
        assert s.recv(1) == b""


def test_slow_clients_make_room_for_a_probe(probe: httpx.Client) -> None:
    address = ("127.0.0.1", probe.base_url.port or 0)
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(3 * MAX_CONNECTIONS):
            slow = stack.enter_context(socket.create_connection(address, timeout=5))
            slow.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(5):
            assert httpx.get(probe.base_url.join("/health/live")).status_code == 200
        eventually(lambda: threading.active_count() <= before + MAX_CONNECTIONS)


def test_promtool_has_nothing_to_say_of_the_metrics(probe: httpx.Client) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: on Debian and Ubuntu, apt-get install prometheus")
    answer = probe.get("/metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain; version=")
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=answer.content, capture_output=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
