"""The HTTP service as uvicorn serves it, in a thread on a free port."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from api.factory import create_app
from tests.integration.api.conformance import conformance_hook
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.settings import Settings, load
from vtox.store.client import Client


def serving(settings: Settings) -> AbstractContextManager[httpx.Client]:
    """Serve the application; yield a client that checks responses against the OpenAPI document."""
    app = create_app(settings)
    return serving_app(app, check=conformance_hook(app.openapi()))


@contextmanager
def serving_app(
    app: ASGIApp, *, check: Callable[[httpx.Response], None] = lambda _: None
) -> Iterator[httpx.Client]:
    """Serve an application and yield an HTTP client of it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.005)
        host, port = listener.getsockname()
        try:
            hooks = {"response": [check]}
            base = f"http://{host}:{port}"
            with httpx.Client(base_url=base, timeout=20, event_hooks=hooks) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def served(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """One service for all tests that do not look at its snapshots."""
    with serving(load(redis_url=server.url, data_dir=tmp_path_factory.mktemp("api"))) as opened:
        yield opened


@pytest.fixture
def http(served: httpx.Client, client: Client) -> httpx.Client:
    """An HTTP client of the service over the emptied server."""
    return served


@pytest.fixture
def fresh_http(settings: Settings, client: Client) -> Iterator[httpx.Client]:
    """The same of a service that has seen nothing before this test."""
    with serving(settings) as opened:
        yield opened
