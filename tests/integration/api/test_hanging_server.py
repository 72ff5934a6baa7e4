"""A server that hangs: what the API answers, and what a page says of it."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.factory import create_app
from tests.integration.api.browser import needs_browser
from tests.integration.api.test_alarms_page import page, raise_alarm
from tests.integration.api.test_sign_in_browser import chromium
from tests.integration.conftest import serving_app
from tests.waiting import eventually
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.settings import Settings, load
from vtox.store.client import Client, connect

# A page gives up after this (`PATIENCE_MS` of common.js).
PATIENCE_S = 15.0


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@needs_browser
@pytest.mark.slow
def test_the_page_says_that_it_is_the_server_which_does_not_answer(tmp_path: Path) -> None:
    with (
        EmbeddedServer(load(data_dir=tmp_path / "server")) as server,
        connect(server.url, "test") as client,
        serving_app(create_app(load(redis_url=server.url, data_dir=tmp_path))) as http,
    ):
        raise_alarm(client)
        with chromium(str(http.base_url.join("/alarms")), tmp_path) as tab:
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
