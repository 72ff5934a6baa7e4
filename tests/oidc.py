"""Providers of OpenID Connect: a real one, and one with the answers of a test."""

import json
import os
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cluster import free_ports
from tests.waiting import eventually

needs_provider = pytest.mark.skipif(
    find_spec("oidc_provider_mock") is None,
    reason="no provider: .venv/bin/python -m pip install oidc-provider-mock",
)
CLIENT = "vtox"


@contextmanager
def provider() -> Iterator[str]:
    """Run the real one, by a name that no page of `127.0.0.1` shares; yield its address."""
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", f"--port={port}"],
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://localhost:{port}"
        eventually(lambda: _answers(address))
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/jwks").is_success
    except httpx.TransportError:
        return False


def known_person(address: str, sub: str, **claims: Any) -> None:
    """Make the real provider know a person."""
    httpx.put(f"{address}/users/{sub}", json=claims).raise_for_status()


class Scripted:
    """Answers over HTTP as a provider does; a test changes its answers, and sees its requests."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = "first"
        self.header: dict[str, Any] = {}
        self.claims: dict[str, Any] = {"name": "Ada Byron", "groups": ["vtox-operator"]}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.status: dict[str, int] = {}
        self.form: dict[str, str] = {}
        self.authorization = ""
        self.asked: list[str] = []
        self.pause_s = 0.0
        self.exchanges = threading.Event()
        self.exchanges.set()
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.issuer = ""

    def signed(self, claims: dict[str, Any]) -> str:
        """The token as it should be."""
        return jwt.encode(claims, self.key, "ES256", {"kid": self.kid} | self.header)

    def public(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        x, y = (
            urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode()
            for n in (numbers.x, numbers.y)
        )
        return {"kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid, "x": x, "y": y}

    def answer(self, path: str) -> dict[str, Any]:
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo",
        }
        match path:
            case "/.well-known/openid-configuration":
                urls = {name: f"{self.issuer}/{at}" for name, at in names.items()}
                return {"issuer": self.issuer, **urls} | self.metadata
            case "/jwks":
                return {"keys": [self.public()]}
            case "/userinfo":
                return self.userinfo
        now = time.time()
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "7", "iat": now, "exp": now + 60}
        given = {k: v for k, v in (usual | self.claims).items() if v is not None}
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(given)}


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """A provider with the answers of the test."""
    said = Scripted()

    class Port(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.asked.append(self.path)
            body = json.dumps(said.answer(self.path)).encode()
            self.send_response(said.status.get(self.path, 200))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # who asks may have gone
                self._write(body)

        def _write(self, body: bytes) -> None:
            """Send a byte at a time where the test wants pauses."""
            step = 1 if said.pause_s else len(body)
            for i in range(0, len(body), step):
                self.wfile.write(body[i : i + step])
                time.sleep(said.pause_s)

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said.form = {k: v[0] for k, v in parse_qs(text).items()}
            said.authorization = self.headers.get("Authorization", "")
            said.asked.append("exchange")
            said.exchanges.wait(60)
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Port) as server:
        said.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield said
        server.shutdown()
        thread.join()
