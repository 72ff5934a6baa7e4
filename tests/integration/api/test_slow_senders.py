"""Clients that send slowly, or not at all, are cut off, and others are served meanwhile."""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from structlog.testing import capture_logs

from api import http_protocol
from api.factory import create_app
from api.http import body_limit
from api.http import gate as api_gate
from tests.integration.api.test_windows import GOOD
from tests.integration.conftest import serving, serving_app
from tests.paths import ROOT
from tests.waiting import eventually
from vtox.pipeline.cluster import processes
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

# Long on a busy host, short next to the real times of 10 s.
SOON_S = 8.0
HEAD = b"POST /api/v1/machines/M1/windows HTTP/1.1\r\nHost: localhost\r\n"
HEAD += b"Content-Type: application/json\r\n"


@pytest.fixture
def bounded(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """The service as `vtox up` starts it, with a twentieth of the times."""
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.5)
    monkeypatch.setattr(body_limit, "GRACE_S", 0.5)
    monkeypatch.setattr(body_limit, "DRAIN_S", 0.1)
    with serving(settings, http="api.http_protocol:BoundedHttp") as http:
        yield http


def connected(http: httpx.Client) -> socket.socket:
    return socket.create_connection(("127.0.0.1", http.base_url.port or 0), timeout=5)


def seconds_until_closed(s: socket.socket, drip: bytes = b"", start: float | None = None) -> float:
    """How long since `start`, else from now on, the service keeps a connection that drips."""
    start = time.monotonic() if start is None else start
    s.settimeout(0.05)
    while True:
        try:
            if not s.recv(4096):
                break
        except TimeoutError:
            if drip:
                s.sendall(drip)
        except ConnectionError:
            break
        assert time.monotonic() - start < 2 * SOON_S, "the connection is still open"
    return time.monotonic() - start


def assert_answered(s: socket.socket) -> None:
    s.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b'{"status":"pass"}'):
        part = s.recv(4096)
        assert part, answer
        answer += part


@pytest.mark.parametrize(
    ("sent", "drip"),
    [(b"", b""), (b"GET / HTTP/1.1\r\nX: ", b"y"), (b"GET /version HTTP/1.1\r\n", b"X: y\r\n")],
)
def test_the_head_of_a_request_must_come_in_time(
    bounded: httpx.Client, sent: bytes, drip: bytes
) -> None:
    began = time.monotonic()  # not later than the service does
    with connected(bounded) as s:
        s.sendall(sent)
        assert 0.3 < seconds_until_closed(s, drip, began) < SOON_S


def test_the_head_of_the_next_request_must_come_in_time_too(bounded: httpx.Client) -> None:
    with connected(bounded) as s:
        began = time.monotonic()
        s.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
        s.sendall(b"GET /")
        assert 0.3 < seconds_until_closed(s, b"x", began) < SOON_S


@pytest.mark.parametrize("length", [b"Content-Length: 900\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_the_body_must_come_in_time(bounded: httpx.Client, length: bytes) -> None:
    with connected(bounded) as s:
        s.sendall(HEAD + length + b"\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 408")
        assert seconds_until_closed(s) < SOON_S


def test_a_long_body_may_take_longer(
    bounded: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ten pieces take 0.9 s, longer than GRACE_S; each earns a second.
    monkeypatch.setattr(body_limit, "SLOWEST_BYTES_PER_S", 6000)
    body = json.dumps(GOOD).encode() + b" " * 60_000

    def pieces() -> Iterator[bytes]:
        for i in range(0, len(body), 6000):
            yield body[i : i + 6000]
            time.sleep(0.09)

    headers = {"Content-Type": "application/json"}
    assert bounded.post(
        "/api/v1/machines/V001/windows", content=pieces(), headers=headers
    ).is_success


def test_a_refused_sender_cannot_keep_the_connection(bounded: httpx.Client, client: Client) -> None:
    apikeys.create(client, ["read"])
    with connected(bounded) as s:
        s.sendall(HEAD + b"Content-Length: 900\r\n\r\n")
        answer = s.recv(4096).lower()
        assert answer.startswith(b"http/1.1 401")
        assert b"connection: close" in answer
        assert seconds_until_closed(s, b"x") < SOON_S


@pytest.mark.parametrize("refused", [b"Origin: http://evil.example\r\n", b"Host: evil.example\r\n"])
def test_a_foreign_sender_cannot_keep_the_connection(bounded: httpx.Client, refused: bytes) -> None:
    with connected(bounded) as s:
        head = HEAD.replace(b"Host: localhost\r\n", b"") if b"Host" in refused else HEAD
        s.sendall(head + refused + b"Content-Length: 900\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 403")
        assert seconds_until_closed(s, b"x") < SOON_S


def test_a_refused_sender_of_much_reads_why(bounded: httpx.Client, client: Client) -> None:
    apikeys.create(client, ["read"])
    answer = bounded.post("/api/v1/machines/M1/windows", json={"x": "y" * 5_000_000})
    assert answer.status_code == 401
    assert bounded.get("/health/live").is_success


@pytest.mark.parametrize("path", ["/api/v1/machines/M1", "/api/v1/machines/M1/windows"])
def test_nothing_is_parsed_before_the_key_is_checked(
    http: httpx.Client, client: Client, path: str
) -> None:
    apikeys.create(client, ["read"])
    method = "POST" if path.endswith("windows") else "PUT"
    for body in (b"{", b" " * (12 << 20)):
        headers = {"Content-Type": "application/json"}
        assert http.request(method, path, content=body, headers=headers).status_code == 401


def test_others_are_served_while_slow_clients_hold_connections(
    bounded: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 50)
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 60.0)
    with ExitStack() as open_ones:
        logged = open_ones.enter_context(capture_logs())
        slow = [open_ones.enter_context(connected(bounded)) for _ in range(120)]
        for s in slow:
            s.sendall(b"GET / HTTP/1.1\r\n") if s.fileno() % 2 else None
        for _ in range(5):
            start = time.monotonic()
            assert httpx.get(bounded.base_url.join("/version")).status_code == 200
            assert time.monotonic() - start < SOON_S
        assert seconds_until_closed(slow[0]) < SOON_S, "the longest waiting one made room"
        assert len([x for x in logged if "connections" in x["event"]]) == 1


def test_others_send_while_slow_bodies_arrive(
    bounded: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "MAX_ARRIVING", 20)
    monkeypatch.setattr(body_limit, "GRACE_S", 60.0)
    with ExitStack() as open_ones:
        slow = [open_ones.enter_context(connected(bounded)) for _ in range(60)]
        for s in slow:
            s.sendall(HEAD + b"Content-Length: 900\r\n\r\n")
        cut_off: set[socket.socket] = set()

        def made_room() -> bool:
            for s in select.select(slow, [], [], 0)[0]:
                if s not in cut_off and s.recv(4096).startswith(b"HTTP/1.1 408"):
                    cut_off.add(s)
            return len(cut_off) == 40

        eventually(made_room, detail=lambda: f"{len(cut_off)} made room")
        # Requests that still arrive are not counted as in progress.
        monkeypatch.setattr(api_gate, "MAX_REQUESTS", 10)
        for seq in range(5):
            answer = bounded.post("/api/v1/machines/V001/windows", json=GOOD | {"seq": seq})
            assert answer.status_code == 202


def test_more_requests_than_can_be_held_are_told_to_come_again(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_gate, "MAX_REQUESTS", 2)
    entered, gate = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        entered.release()
        gate.wait(10)

    app = create_app(settings)
    app.add_api_route("/wait", wait)
    with serving_app(app) as http, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(httpx.get, http.base_url.join("/wait")) for _ in range(2)]
        assert all(entered.acquire(timeout=5) for _ in waiting)
        answer = http.get("/version")
        assert (answer.status_code, answer.json()["code"]) == (503, "too_busy")
        assert answer.headers["retry-after"] == "1"
        assert http.get("/health/live").is_success
        gate.set()
        assert all(w.result().is_success for w in waiting)
        assert http.get("/version").is_success


def test_a_connection_that_sends_on_is_not_the_longest_waiting(
    bounded: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 60.0)
    with ExitStack() as open_ones:
        sends_on, silent = (open_ones.enter_context(connected(bounded)) for _ in range(2))
        for s in (sends_on, silent, sends_on):
            assert_answered(s)
        open_ones.enter_context(connected(bounded))
        assert seconds_until_closed(silent) < SOON_S
        assert_answered(sends_on)


def test_vtox_up_starts_the_service_with_these_limits() -> None:
    (api,) = (s for s in processes.cluster(load()) if s.name == "api")
    options = dict(zip(api.command, api.command[1:], strict=False))
    assert options["--http"] == "api.http_protocol:BoundedHttp"
    assert int(options["--backlog"]) <= 128


@pytest.mark.parametrize(
    "file",
    [
        "Procfile",
        "deploy/compose.yaml",
        "deploy/kubernetes/api.yaml",
        "deploy/systemd/vtox-api.service",
    ],
)
def test_other_ways_to_start_it_have_the_same_limits(file: str) -> None:
    (api,) = (s for s in processes.cluster(load()) if s.name == "api")
    limits = " ".join(api.command[api.command.index("--http") :])
    assert limits in (ROOT / file).read_text()
