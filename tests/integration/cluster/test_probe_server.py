"""The health and metrics port of the coordinator and the workers."""

import shutil
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.cluster import free_ports
from vtox.cluster.probe_server import serve


@pytest.fixture
def probe() -> Iterator[httpx.Client]:
    (port,) = free_ports(1)
    serve("127.0.0.1", port, ready=lambda: (False, "does not own the stream"))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client


def test_health_is_as_the_checks_say(probe: httpx.Client) -> None:
    assert probe.get("/health/live").json() == {"status": "pass", "output": ""}
    ready = probe.get("/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "fail")
    assert ready.headers["content-type"] == "application/health+json"


def test_promtool_has_nothing_to_say_of_the_metrics(probe: httpx.Client) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: on Debian and Ubuntu, apt-get install prometheus")
    answer = probe.get("/metrics").raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain; version=")
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=answer.content, capture_output=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
