"""The HTTP server for health and metrics in the coordinator and in each worker."""

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from vtox.pipeline.cluster.host_names import is_own_name
from vtox.pipeline.errors import PortTaken

log = structlog.get_logger()

Check = Callable[[], tuple[bool, str]]

# Each takes a thread for as long as its client pleases, but the oldest makes room for the next. So
# a client that holds them all open cannot make a supervisor believe that the process hangs.
MAX_CONNECTIONS = 32
# The limit of silence on a connection.
TIMEOUT_S = 5.0


def serve(
    host: str,
    port: int,
    *,
    others: Sequence[int] = (),
    names: Collection[str] = (),
    live: Check | None = None,
    ready: Check | None = None,
    setting: str = "the port",
) -> int:
    """Serve /health/live, /health/ready and /metrics from a thread; return the port.

    If `port` is taken, `others` are tried. Requests must address `host`, one of `names`, localhost
    or an address by number. `setting` is the name of the setting that moves the port, for people.

    Raises `PortTaken`: none of them is free.
    """
    server_type = _Server6 if ":" in host else _Server
    for candidate in (port, *others):
        try:
            server = server_type((host, candidate), _handler({host, *names}, live, ready))
        except OSError as error:
            reason = error.strerror
            continue
        # A process that is forked later, and outlives us for a moment, must not hold the port.
        os.register_at_fork(after_in_child=server.socket.close)
        threading.Thread(target=server.serve_forever, name="probe", daemon=True).start()
        return candidate
    ports = f"ports {port} to {max(others)}" if others else f"port {port}"
    raise PortTaken(
        f"{ports} of {host}: {reason}",
        remedy=f"set {setting} to another one, or stop the program that has it",
    )


class _Server(ThreadingHTTPServer):
    """At most `MAX_CONNECTIONS`; one more ends the oldest."""

    request_queue_size = 128

    def __init__(self, *args: Any) -> None:
        self._lock = threading.Lock()
        self._open: dict[socket.socket, None] = {}
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open[request] = None
            if len(self._open) > MAX_CONNECTIONS:
                # Its thread reads the end of the connection, and closes it.
                oldest = next(iter(self._open))
                del self._open[oldest]
                _shut_down(oldest)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that has gone, or was cut off, is no failure of ours.
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("a probe failed")


class _Server6(_Server):
    address_family = socket.AF_INET6


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # its client has gone


def _handler(
    names: Collection[str], live: Check | None, ready: Check | None
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S

        def do_GET(self) -> None:
            if not is_own_name(self.headers.get("Host", ""), names):
                self._reply(403, "text/plain", b"Host: not a name of this service\n")
            elif self.path == "/metrics":
                self._reply(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
            elif self.path in ("/health/live", "/health/ready", "/health"):
                check = live if self.path == "/health/live" else ready
                healthy, output = check() if check else (True, "")
                body = {"status": "pass" if healthy else "fail", "output": output}
                status = 200 if healthy else 503
                self._reply(status, "application/health+json", json.dumps(body).encode())
            else:
                self._reply(404, "text/plain", b"try /health/live, /health/ready, /metrics\n")

        def _reply(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            log.debug("probe", line=format % args)

    return Handler
