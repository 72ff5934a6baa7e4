"""Messages of HTTP whose bounds are in doubt, and protocols that the API does not speak."""

import socket
from collections.abc import Iterator

import httpx
import pytest
from starlette.routing import WebSocketRoute

from api.factory import create_app
from tests.integration.conftest import serving
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client

POST = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
SECOND = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
UPGRADE |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


@pytest.fixture
def bounded(settings: Settings, client: Client) -> Iterator[httpx.Client]:
    """The service as `vtox up` starts it."""
    with serving(settings, http="api.http_protocol:BoundedHttp") as http:
        yield http


def statuses(http: httpx.Client, sent: bytes) -> list[bytes]:
    """The statuses of all answers to some bytes."""
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0), timeout=5) as s:
        s.sendall(sent)
        s.settimeout(5)
        answer = b""
        while part := s.recv(65536):
            answer += part
    return [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 0\r\nContent-Length: 5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length : 5\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
    ],
)
def test_a_message_of_doubtful_length_is_refused(bounded: httpx.Client, lengths: bytes) -> None:
    assert statuses(bounded, POST + lengths + b"\r\nkey=x" + SECOND) == [b"400"]


def test_chunks_count_before_a_length(bounded: httpx.Client) -> None:
    both = b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    sent = POST + both + form + b"5\r\nkey=x\r\n0\r\n\r\n" + SECOND
    assert statuses(bounded, sent) == [b"401"]


@pytest.mark.parametrize("path", ["/", "/api/v1/machines", "/graphql"])
def test_a_websocket_is_refused(bounded: httpx.Client, path: str) -> None:
    answer = bounded.get(path, headers=UPGRADE)
    assert answer.status_code != 101
    assert "sec-websocket-accept" not in answer.headers


def test_no_route_is_of_a_websocket_or_of_graphql(settings: Settings) -> None:
    routes = [r for part in create_app(settings).routes for r in part.original_router.routes]  # type: ignore[attr-defined]
    assert {"/sign-in", "/api/v1/machines"} <= {r.path for r in routes}
    assert [r.path for r in routes if isinstance(r, WebSocketRoute)] == []
    assert [r.path for r in routes if "graphql" in r.path.lower()] == []
