"""A real HTTP server for webhooks that refuses, hangs, redirects or dies, as a test wants."""

import http.server
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.cluster import free_ports

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    t: float

    @property
    def message_id(self) -> str:
        """The id of its message."""
        return self.headers.get("webhook-id", "")


@dataclass(slots=True)
class Receiver:
    """The target of webhooks. `answer` decides: a status with headers, `hang`, `drip` or `die`."""

    port: int
    answer: Callable[[Request], tuple[int, dict[str, str]] | str] = lambda _: (204, {})
    requests: list[Request] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    server: http.server.ThreadingHTTPServer | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Its address."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{LOOPBACK}:{self.port}/hook"

    def start(self) -> None:
        """Take connections."""
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                headers = {n.lower(): v for n, v in self.headers.items()}
                request = Request(self.path, headers, self.rfile.read(length), time.time())
                receiver.requests.append(request)
                done = receiver.answer(request)
                if done == "hang":
                    receiver.stopping.wait(30)
                    return
                if done == "drip":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
                    while not receiver.stopping.wait(0.05):
                        self.wfile.write(b"x")
                    return
                if isinstance(done, str):
                    return
                status, extra = done
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.end_headers()
                if 200 <= status < 300:
                    receiver.taken.append(request.message_id)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                pass

        self.stopping.clear()
        self.server = Quiet((LOOPBACK, self.port), Handler)
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self.server:
            self.stopping.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def receiving(*, started: bool = True) -> Iterator[Receiver]:
    """A receiver until the block ends."""
    receiver = Receiver(free_ports(1)[0])
    if started:
        receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()
