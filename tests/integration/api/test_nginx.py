"""`deploy/nginx.conf` as a real nginx runs it, in front of two services."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.cluster import free_ports
from tests.integration.helpers import eventually
from tests.paths import ROOT
from tests.tls_server import authority

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
REQUESTS = 10

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="no nginx: on Debian and Ubuntu, apt-get install nginx"
)


class Port(BaseHTTPRequestHandler):
    """Answers with the port of the service."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = str(self.server.server_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def service(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), Port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


@contextmanager
def nginx(folder: Path, first: int, second: int, plain: int = 0) -> Iterator[httpx.Client]:
    """Run the file of `deploy`, at free ports and with a certificate of ours."""
    plain, port = plain or free_ports(1)[0], free_ports(1)[0]
    certificate, key = authority(folder / "ca").sign("server")
    text = (ROOT / "deploy/nginx.conf").read_text()
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8000": f"127.0.0.1:{first}",
        "127.0.0.1:8100": f"127.0.0.1:{second}",
        "/etc/ssl/vtox.example/fullchain.pem": str(certificate),
        "/etc/ssl/vtox.example/privkey.pem": str(key),
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{text}}}\n"
    )
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        with httpx.Client(base_url=f"https://localhost:{port}", verify=False) as client:
            eventually(lambda: _listens(client))
            yield client
    finally:
        process.terminate()
        process.wait(10)


def _listens(client: httpx.Client) -> bool:
    try:
        client.get("/")
    except httpx.TransportError:
        return False
    return True


def test_requests_go_to_both_apis_and_to_the_one_that_is_left(tmp_path: Path) -> None:
    first, second = free_ports(2)
    with service(first), nginx(tmp_path, first, second) as client:
        with service(second):
            both = [client.get("/") for _ in range(REQUESTS)]
        left = [client.get("/") for _ in range(REQUESTS)]
    assert {r.text for r in both} == {str(first), str(second)}
    assert [(r.status_code, r.text) for r in left] == [(200, str(first))] * REQUESTS


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 301),
        ("/machines/M1", 301),
        ("/sign-in", 301),
        ("/api/v1/machines", 403),
        ("/health/live", 403),
        ("/metrics", 403),
    ],
)
def test_only_pages_are_led_to_https(tmp_path: Path, path: str, status: int) -> None:
    first, second, plain = free_ports(3)
    with nginx(tmp_path, first, second, plain):
        answer = httpx.get(f"http://127.0.0.1:{plain}{path}")
    assert answer.status_code == status
    assert answer.headers.get("location", "").startswith("https://") == (status == 301)
