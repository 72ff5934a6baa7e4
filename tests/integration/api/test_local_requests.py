"""Without an API key only this host is answered, for all settings and proxies."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from structlog.testing import capture_logs

from tests.cluster import free_ports
from tests.integration.conftest import serving
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.wrong_keys import is_loopback

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def assert_asks_for_the_first_key(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "vtox keys create" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/version", "/openapi.json", "/api/v1/machines"])
def test_a_service_that_other_hosts_reach_needs_a_key(
    settings: Settings, client: Client, path: str
) -> None:
    # The setting says loopback; the socket decides, for a client on this host too.
    with serving(settings, host="0.0.0.0") as http:
        assert_asks_for_the_first_key(http.get(path))
        key, _ = apikeys.create(client, ["read"], "Ada")
        assert http.get(path, headers={"X-API-Key": key}).status_code == 200


def test_the_terminal_says_how_to_get_in(settings: Settings, client: Client) -> None:
    with capture_logs() as entries, serving(settings, host="0.0.0.0"):
        (said,) = eventually(lambda: [e for e in entries if "without an API key" in e["event"]])
    assert "vtox keys create" in said["what_to_do"]
    assert "0.0.0.0" in said["address"]


def test_a_client_at_another_address_of_this_host_needs_a_key(settings: Settings) -> None:
    with serving(settings, host="0.0.0.0") as http:
        addresses = [a.address for i in psutil.net_if_addrs().values() for a in i]
        other = next((a for a in addresses if "." in a and not is_loopback(a)), None)
        if other is None:
            pytest.skip("this host has no address but loopback")
        assert_asks_for_the_first_key(httpx.get(f"http://{other}:{http.base_url.port}/version"))


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"],
)
def test_a_request_through_a_proxy_is_not_local(http: httpx.Client, header: str) -> None:
    assert http.get("/version").status_code == 200
    assert_asks_for_the_first_key(http.get("/version", headers={header: "127.0.0.1"}))


def test_http_1_0_is_not_local(http: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0)) as s:
        s.sendall(b"GET /version HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert b" 401 " in s.makefile("rb").readline()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost", False),
        ("/run/vtox.sock", False),
    ],
)
def test_loopback_is_an_address_by_number(address: str, expected: bool) -> None:
    assert is_loopback(address) == expected


@contextmanager
def nginx(folder: Path, upstream: int, options: str) -> Iterator[str]:
    """A real nginx in front of the service."""
    (port,) = free_ports(1)
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n server {{ listen 127.0.0.1:{port};\n"
        f" location / {{ proxy_pass http://127.0.0.1:{upstream}; {options} }} }} }}\n"
    )
    process = subprocess.Popen(
        [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")],
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as probe:
            eventually(lambda: _answers(probe))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _answers(probe: httpx.Client) -> bool:
    try:
        return probe.get("/health/live").is_success
    except httpx.TransportError:
        return False


@pytest.mark.skipif(NGINX is None, reason="no nginx: on Debian and Ubuntu, apt-get install nginx")
@pytest.mark.parametrize(
    "options",
    [
        "",
        "proxy_http_version 1.1; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_http_version 1.1; proxy_set_header Forwarded for=$remote_addr;",
    ],
)
def test_behind_nginx_a_key_is_needed(
    http: httpx.Client, client: Client, tmp_path: Path, options: str
) -> None:
    with nginx(tmp_path, http.base_url.port or 0, options) as address:
        assert_asks_for_the_first_key(httpx.get(f"{address}/api/v1/machines"))
        assert http.get("/api/v1/machines").status_code == 200, "without the proxy none is"
        key, _ = apikeys.create(client, ["read"], "Ada")
        answer = httpx.get(f"{address}/api/v1/machines", headers={"X-API-Key": key})
        assert answer.status_code == 200
