"""Progress of the parts of a system: from the supervisor, by a file, to a page without a server."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.factory import create_app
from tests.cluster import free_ports
from tests.integration.api.browser import chromium, needs_browser
from tests.integration.conftest import serving, serving_app
from tests.integration.pipeline.cluster.test_supervisor import run, spec
from tests.waiting import eventually_async
from vtox.pipeline.cluster.parts import keep_parts, parts, unready_parts
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client


def written(folder: Path, pid: int, **states: str) -> None:
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "parts.json").write_text(json.dumps({"pid": pid, "parts": states}))


def test_parts_are_told_while_they_start_and_until_all_stops(tmp_path: Path) -> None:
    settings, open_now = load(data_dir=tmp_path), tmp_path / "open"
    api = replace(spec("api", is_ready=lambda _: open_now.exists()), needed_by=2)

    async def script(supervisor: Supervisor) -> None:
        supervisor.run_background("supervisor", lambda: keep_parts(settings, supervisor))
        told = {"server": "ready", "api": "starting", "bridge": "ready", "last": "waiting"}
        await eventually_async(lambda: parts(settings) == told)
        assert unready_parts(settings) == told
        open_now.touch()
        await eventually_async(lambda: set(parts(settings).values()) == {"ready"})
        assert unready_parts(settings) == {}

    specs = [spec("server"), api, spec("bridge", start_order=1), spec("last", start_order=2)]
    run(tmp_path, specs, script)
    assert parts(settings) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 0}', '{"pid": "x", "parts": {}}'])
def test_what_a_killed_supervisor_has_left_says_nothing(tmp_path: Path, text: str) -> None:
    settings = load(data_dir=tmp_path)
    assert parts(settings) == {}
    written(tmp_path, 2**22 + 1, server="ready")
    assert parts(settings) == {}
    (tmp_path / "run" / "parts.json").write_text(text)
    assert parts(settings) == {}


@pytest.fixture
def without_server(tmp_path: Path) -> Iterator[httpx.Client]:
    """The service of a supervisor that has begun, before its server answers."""
    written(tmp_path, os.getpid(), server="starting", api="ready", bridge="waiting")
    settings = load(redis_url=f"redis://127.0.0.1:{free_ports(1)[0]}", data_dir=tmp_path)
    with serving(settings) as http:
        yield http


def test_without_a_server_the_api_says_how_far_the_parts_are(without_server: httpx.Client) -> None:
    answer = without_server.get("/api/v1/cluster/status")
    assert (answer.status_code, answer.json()["code"]) == (503, "server_unavailable")
    assert answer.json()["parts"] == {"server": "starting", "api": "ready", "bridge": "waiting"}


@needs_browser
def test_a_page_shows_the_parts_before_the_server_answers(
    without_server: httpx.Client, tmp_path: Path
) -> None:
    with chromium(f"{without_server.base_url}?lang=en") as tab:
        tab.shows("bridge: not started yet")
        written(tmp_path, os.getpid(), server="restarting", api="ready", bridge="ready")
        tab.shows("server: starts again")


@needs_browser
def test_a_system_that_starts_is_not_called_ill(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    own = load(redis_url=settings.redis_url, data_dir=tmp_path)
    written(tmp_path, os.getpid(), server="ready", api="ready", bridge="starting")
    with (
        serving_app(create_app(own)) as http,
        chromium(f"{http.base_url}?lang=en") as tab,
    ):
        tab.shows("2 of 3 parts are ready")
        assert "things are wrong" not in tab.text()
        written(tmp_path, os.getpid(), server="ready", api="ready", bridge="ready")
        tab.shows("things are wrong")
