"""A server that loads a long log: all processes wait for it, and report its progress."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from tests.integration.conftest import serving
from tests.waiting import eventually
from vtox.pipeline.cluster import embedded_server as module
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerLoading
from vtox.pipeline.monitoring.doctor import inspect
from vtox.pipeline.store.server.client import check, check_when_loaded, connect

pytestmark = pytest.mark.long

KEYS = 2000
VALUE_BYTES = 256
REWRITE_SOON = "auto-aof-rewrite-min-size 1kb\nauto-aof-rewrite-percentage 1\n"
# Every key takes 2.5 ms to load; the server answers others after each kilobyte.
SLOW_LOAD = "key-load-delay 4000\nloading-process-events-interval-bytes 1024\n"


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an embedded server that ran, and has a log that is long to load."""
    monkeypatch.setattr(module, "START_TIMEOUT_S", 0.8)
    monkeypatch.setattr(module, "PROGRESS_EVERY_S", 0.2)
    settings = load(data_dir=tmp_path, redis_url=None)
    with EmbeddedServer(settings, REWRITE_SOON) as server, connect(server.url, "test") as client:
        client.mset({f"k{n}": bytes(VALUE_BYTES) for n in range(KEYS)})
        eventually(lambda: client.info("persistence")["aof_base_size"] > VALUE_BYTES * KEYS)
    return settings


@contextmanager
def loading(settings: Settings) -> Iterator[None]:
    """Start the server, which loads for eight seconds, longer than its limit."""
    server = EmbeddedServer(settings, SLOW_LOAD)
    starter = threading.Thread(target=server.start)
    starter.start()
    try:
        eventually(lambda: is_loading(settings))
        yield
    finally:
        starter.join()
        server.stop()


def is_loading(settings: Settings) -> bool:
    try:
        with connect(settings.working_url(), "test", retries=0) as client:
            client.ping()
    except redis.BusyLoadingError:
        return True
    except redis.RedisError:
        return False
    return False


def test_a_loading_server_is_waited_for_and_doctor_says_how_far_it_is(
    stored: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "vtox.pipeline.cluster.embedded_server")
    with loading(stored), connect(stored.working_url(), "test") as client:
        with pytest.raises(ServerLoading, match=r"loading: \d+ % of 1 MB, about \d+ s left"):
            check(client)
        (server,) = (c for c in inspect(stored) if c.name == "server")
        assert "loading: " in server.observed
        assert server.remedy.startswith("wait")
        check_when_loaded(client)
        assert client.dbsize() == KEYS
    assert "the server is loading: " in caplog.text


def test_while_a_server_loads_the_api_is_live_and_not_ready_and_refuses_windows(
    stored: Settings,
) -> None:
    window: dict[str, Any] = {"seq": 1, "t0": 1.0, "fs_hz": 1000, "channels": {"ia": [0.1] * 1000}}
    with serving(stored) as http, loading(stored):  # which takes seconds on a busy host
        # On a busy host a check may not be made in time, which it says without the cause.
        ready = eventually(lambda: with_cause(http.get("/health/ready")))
        refused = http.post("/api/v1/machines/M1/windows", json=window)
        assert http.get("/health/live").status_code == 200
    assert ready.status_code == refused.status_code == 503
    assert refused.json()["code"] == "server_unavailable"
    assert refused.headers["Retry-After"]


def with_cause(answer: httpx.Response) -> httpx.Response | None:
    (server,) = answer.json().get("checks", {}).get("server", [{}])
    return answer if "loading: " in server.get("observedValue", "") else None
