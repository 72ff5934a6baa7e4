"""The HTTP service as uvicorn serves it, in a thread on a free port."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from api.factory import create_app
from api.state import fleet_index, key_reader
from tests.conftest import wipe
from tests.integration.api.conformance import conformance_hook, document
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client


def serving(settings: Settings, **options: Any) -> AbstractContextManager[httpx.Client]:
    """Serve the application; yield a client that checks responses against the OpenAPI document."""
    return serving_app(create_app(settings), check=conformance(), **options)


@cache
def conformance() -> Callable[[httpx.Response], None]:
    """The check of responses, made once."""
    return conformance_hook(document())


@contextmanager
def serving_app(
    app: ASGIApp,
    *,
    check: Callable[[httpx.Response], None] = lambda _: None,
    host: str = "127.0.0.1",
    **options: Any,
) -> Iterator[httpx.Client]:
    """Serve an application as `uvicorn --host ...` does and yield an HTTP client of it."""
    # Named as TCP, so that asyncio sets TCP_NODELAY: each answer would wait 40 ms without it.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind((host, 0))
        config = uvicorn.Config(app, log_config=None, lifespan="on", **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.005)
        try:
            hooks = {"response": [check]}
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=base, timeout=20, event_hooks=hooks) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            # A connection of a browser of another test may still be open at the end of the run.
            server.force_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive()


@pytest.fixture(scope="session", autouse=True)
def changes_count_at_once() -> Iterator[None]:
    """A test need not wait until the service looks again for keys, or for changes of the fleet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fleet_index, "REFRESH_S", -1.0)
        patch.setattr(key_reader, "KEY_CHECK_EVERY_S", -1.0)
        yield


@pytest.fixture(scope="session")
def served(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """One service for all tests that do not look at its snapshots."""
    wipe(server.url)  # of an earlier test's workers, say, which work on other terms
    with serving(load(redis_url=server.url, data_dir=tmp_path_factory.mktemp("api"))) as opened:
        yield opened


@pytest.fixture
def http(served: httpx.Client, client: Client) -> httpx.Client:
    """An HTTP client of the service over the emptied server."""
    return served


@pytest.fixture
def fresh_http(settings: Settings, client: Client) -> Iterator[httpx.Client]:
    """An HTTP client of a service that has seen nothing before this test."""
    with serving(settings) as opened:
        yield opened


@pytest.fixture
def api_of_commands(
    fresh_http: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> httpx.Client:
    """The same client; commands of this process read the same service."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("VTOX_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("VTOX_API_HOST", fresh_http.base_url.host)
    monkeypatch.setenv("VTOX_API_PORT", str(fresh_http.base_url.port))
    return fresh_http
