"""`vtox flower` as a process: who sees its pages."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil

from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.configuration.settings import Settings

PAGES = ("/", "/tasks", "/metrics", "/healthcheck", "/api/workers", "/static/css/flower.css")


@contextmanager
def flower(
    settings: Settings, mode: str, program: str = "", **variables: str
) -> Iterator[httpx.Client]:
    """Run `vtox flower`, or a program in its place."""
    (port,) = free_ports(1)
    env = os.environ | {
        "VTOX_REDIS_URL": settings.working_url(),
        "VTOX_DATA_DIR": str(settings.data_dir),
        "VTOX_FLOWER_PORT": str(port),
        "VTOX_CLUSTER_MODE": mode,
    }
    log = settings.data_dir / "flower.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *(("-c", program) if program else ("-m", "vtox", "flower"))],
            env=env | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: accepts_connections("", port), detail=log.read_text)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            yield http
        assert not [w for w in psutil.Process(process.pid).cmdline() if "password" in w]
    finally:
        process.terminate()
        process.wait(30)


def test_outside_development_every_page_asks_for_the_password(settings: Settings) -> None:
    with flower(settings, "production") as http:
        for page in PAGES:
            answer = http.get(page)
            assert (answer.status_code, "basic" in answer.headers["www-authenticate"].lower()) == (
                401,
                True,
            )
        path = settings.data_dir / "flower-password"
        password = path.read_text().strip()
        assert path.stat().st_mode & 0o777 == 0o600
        for wrong in ("", "x", password[:-1], f"{password} "):
            assert http.get("/", auth=("vtox", wrong)).status_code == 401
        assert http.post("/api/worker/shutdown/x", auth=("vtox", "x")).status_code == 401
        assert http.get("/", headers={"Authorization": "Basic é".encode()}).status_code == 401
        assert http.get("/metrics", auth=("vtox", password)).status_code == 200
        assert http.get("/", auth=("vtox", password)).status_code == 200
        assert http.post("/api/worker/shutdown/x", auth=("vtox", password)).status_code == 403
        assert password not in (settings.data_dir / "flower.log").read_text()


def test_in_development_it_asks_for_none_but_refuses_a_foreign_host(settings: Settings) -> None:
    with flower(settings, "development") as http:
        assert http.get("/").status_code == 200
        assert http.get("/", headers={"Host": "localhost"}).status_code == 200
        for page in PAGES:
            assert http.get(page, headers={"Host": "evil.example"}).status_code == 403
        assert not (settings.data_dir / "flower-password").exists()


def test_a_password_that_is_set_is_asked_for(settings: Settings) -> None:
    with flower(settings, "development", VTOX_FLOWER_PASSWORD="open sesame") as http:
        assert http.get("/").status_code == 401
        assert http.get("/", auth=("vtox", "open sesame")).status_code == 200
