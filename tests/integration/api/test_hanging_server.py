"""A server that hangs: the answers of the API, and the message on a page."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.factory import create_app
from api.routes import health
from tests.integration.api.browser import chromium, needs_browser
from tests.integration.api.conformance import document
from tests.integration.api.test_alarms_page import page, raise_alarm
from tests.integration.conftest import serving, serving_app
from tests.waiting import eventually
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import HURRIED_TIMEOUT_S, Client, connect
from vtox.pipeline.store.system import apikeys

# A page gives up after this (`PATIENCE_MS` of common.js).
PATIENCE_S = 15.0
# The wait of a request, once. With the real time a request is answered within 3 s.
WAIT_S = 1.0
PUBLIC = ("/health/live", "/health/ready")


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def hanging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[httpx.Client, EmbeddedServer]]:
    """The service over a server of this test, which it may stop, and an API key for it.

    Its times are halved, so that a busy host does not decide.
    """
    assert HURRIED_TIMEOUT_S == 2 * WAIT_S
    monkeypatch.setattr("vtox.pipeline.store.server.client.HURRIED_TIMEOUT_S", WAIT_S)
    monkeypatch.setattr(health, "READY_TIMEOUT_S", health.READY_TIMEOUT_S / 2)
    with (
        EmbeddedServer(load(data_dir=tmp_path / "server")) as server,
        connect(server.url, "test") as client,
        serving(load(redis_url=server.url, data_dir=tmp_path)) as http,
    ):
        http.headers["X-API-Key"] = apikeys.create(client, ["admin"])[0]
        assert http.get("/version").is_success
        yield http, server


def timed(http: httpx.Client, method: str, path: str) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    return http.request(method, path), time.monotonic() - began


def test_every_request_is_answered_in_time_while_it_hangs(
    hanging: tuple[httpx.Client, EmbeddedServer],
) -> None:
    http, server = hanging
    asked = [(m.upper(), path) for path, methods in document()["paths"].items() for m in methods]
    filled = {"machine_id": "M1", "alarm_id": "M1:bearing:1", "letter_id": "1-1", "record": "1-1"}
    with stopped(server.pid), ThreadPoolExecutor(len(asked)) as pool:
        waiting = {(m, p): pool.submit(timed, http, m, p.format(**filled)) for m, p in asked}
        answers = {route: w.result() for route, w in waiting.items()}
    # It asks no server: its time is that of the busy host.
    _, host_s = answers["GET", "/health/live"]
    # Public routes wait once, and not a second time.
    limit_s = {r: host_s + (1.8 * WAIT_S if r[1] in PUBLIC else 3.0) for r in answers}
    assert {r: took for r, (_, took) in answers.items() if took > limit_s[r]} == {}
    codes = {
        r: (a.status_code, a.json().get("code"))
        for r, (a, _) in answers.items()
        if r[1] not in PUBLIC
    }
    assert codes == dict.fromkeys(codes, (503, "server_unavailable"))
    assert answers["GET", "/health/ready"][0].json() == {"status": "fail"}


def test_ready_names_the_server_that_hangs(
    tmp_path: Path,
) -> None:
    with (
        EmbeddedServer(load(data_dir=tmp_path / "server")) as server,
        serving(load(redis_url=server.url, data_dir=tmp_path)) as http,
    ):
        assert "checks" in http.get("/health/ready").json()
        with stopped(server.pid):
            (check,) = http.get("/health/ready").json()["checks"]["server"]
    assert check["status"] == "fail"
    assert urlsplit(server.url).netloc.rpartition("@")[2] in check["observedValue"]
    assert str(urlsplit(server.url).password) not in check["observedValue"]


def test_only_the_first_requests_wait_while_it_hangs(
    hanging: tuple[httpx.Client, EmbeddedServer],
) -> None:
    http, server = hanging
    with stopped(server.pid):
        timed(http, "GET", "/version")
        took = sorted(timed(http, "GET", "/version")[1] for _ in range(5))
        assert took[-2] < WAIT_S / 2  # one may test whether the server answers again
    eventually(lambda: http.get("/version").is_success)


@needs_browser
@pytest.mark.long
def test_the_page_says_that_it_is_the_server_which_does_not_answer(tmp_path: Path) -> None:
    with (
        EmbeddedServer(load(data_dir=tmp_path / "server")) as server,
        connect(server.url, "test") as client,
        serving_app(create_app(load(redis_url=server.url, data_dir=tmp_path))) as http,
    ):
        raise_alarm(client)
        with chromium(str(http.base_url.join("/alarms"))) as tab:
            tab.shows("Impacts of the outer race")
            with stopped(server.pid):
                began = time.monotonic()
                answer = http.get("/api/v1/alarms", timeout=60)
                assert (answer.status_code, answer.json()["code"]) == (503, "server_unavailable")
                assert time.monotonic() - began < PATIENCE_S
                tab.shows("The Redis or Valkey server does not answer.")
                assert "API does not respond" not in tab.text()
            eventually(lambda: "does not answer" not in tab.text())


@needs_browser
def test_an_api_that_is_there_and_does_not_answer_is_not_called_away(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    with page(settings, tmp_path) as tab:
        tab.shows("Impacts of the outer race")
        late = "Promise.reject(new DOMException('', 'TimeoutError'))"
        tab.act("real = window.fetch")
        tab.act(f"window.fetch = (p, ...o) => p.startsWith('/health') ? real(p, ...o) : {late}")
        tab.shows("The API does not answer in time, though it is there.")
        assert "does not respond" not in tab.text()
