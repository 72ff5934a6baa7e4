"""The HTTP server for health and metrics in the coordinator and in each worker."""

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
    reserved: Collection[int] = (),
    live: Check | None = None,
    ready: Check | None = None,
) -> int:
    """Serve /health/live, /health/ready and /metrics from a thread; return the port.

    `span` ports are tried from `port` on; those after the first that are `reserved` are skipped.

    Raises
    ------
    PortTaken
        None of them is free.
    """
    server_type = _Server6 if ":" in host else ThreadingHTTPServer
    for candidate in range(port, port + span):
        if candidate != port and candidate in reserved:
            continue
        try:
            server = server_type((host, candidate), _handler(live, ready))
        except OSError as error:
            reason = error.strerror
            continue
        threading.Thread(target=server.serve_forever, name="probe", daemon=True).start()
        return candidate
    last = port + span - 1
    ports = f"port {port}" if span == 1 else f"ports {port} to {last}"
    raise PortTaken(
        f"{ports} of {host}: {reason}", remedy="set another, or stop the program that has it"
    )


class _Server6(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def _handler(live: Check | None, ready: Check | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
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
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            log.debug("probe", line=format % args)

    return Handler
