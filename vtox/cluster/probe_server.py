"""The small health and metrics port of the coordinator and of each worker."""

import json
import socket
import threading
from collections.abc import Callable, Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from vtox.errors import PortTaken

log = structlog.get_logger()

Check = Callable[[], tuple[bool, str]]


def serve(
    host: str,
    port: int,
    *,
    span: int = 1,
    spare: Collection[int] = (),
    live: Check | None = None,
    ready: Check | None = None,
) -> int:
    """Serve /health/live, /health/ready and /metrics from a thread; return the port taken.

    Ports are tried from `port` on, `span` of them; those after it that are `spare` are left to
    others.

    Raises
    ------
    PortTaken
        None of them is free.
    """
    server_type = _Server6 if ":" in host else ThreadingHTTPServer
    for candidate in range(port, port + span):
        if candidate != port and candidate in spare:
            continue
        try:
            server = server_type((host, candidate), _handler(live, ready))
        except OSError as error:
            why = error.strerror
            continue
        threading.Thread(target=server.serve_forever, name="probe", daemon=True).start()
        return candidate
    last = port + span - 1
    ports = f"port {port}" if span == 1 else f"ports {port} to {last}"
    raise PortTaken(f"{ports} of {host}: {why}; set another, or stop what has it")


class _Server6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def _handler(live: Check | None, ready: Check | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
            elif self.path in ("/health/live", "/health/ready", "/health"):
                check = live if self.path == "/health/live" else ready
                fine, why = check() if check else (True, "")
                body = {"status": "pass" if fine else "fail", "output": why}
                code = 200 if fine else 503
                self._answer(code, "application/health+json", json.dumps(body).encode())
            else:
                self._answer(404, "text/plain", b"try /health/live, /health/ready, /metrics\n")

        def _answer(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            log.debug("probe", line=format % args)

    return Handler
