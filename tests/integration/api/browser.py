"""A real browser on the pages, and scripts of the tests that run in them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.factory import create_app
from tests.integration.conftest import serving_app
from vtox.pipeline.configuration.settings import Settings

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium: on Debian and Ubuntu, apt-get install chromium"
)

# Measures the page once it stands: what a person would have to push sideways.
PROBE = """
setInterval(() => {
  const root = document.documentElement;
  root.setAttribute("data-sideways", root.scrollWidth - root.clientWidth);
}, 200);
"""


class Probed:
    """ASGI: the application, with a script at the end of the one that all pages share."""

    def __init__(self, app: ASGIApp, script: str) -> None:
        self.app = app
        self.script = script.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/static/common.js":
            await self.app(scope, receive, send)
            return

        async def longer(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [h for h in message["headers"] if h[0] != b"content-length"]
                message = {**message, "headers": kept}
            elif not message.get("more_body"):
                message = {**message, "body": message.get("body", b"") + self.script}
            await send(message)

        await self.app(scope, receive, longer)


@contextmanager
def pages(settings: Settings, script: str = PROBE) -> Iterator[str]:
    """Serve the pages with a script in them; yield their address."""
    with serving_app(Probed(create_app(settings), script)) as http:
        yield str(http.base_url).rstrip("/")


def document_of(address: str, folder: Path, width: int = 1400) -> str:
    """The document after five seconds of the page's own clock."""
    return unescape(_chromium(address, folder, width).stdout)


def console_of(address: str, folder: Path, width: int = 1400) -> list[str]:
    """What the page tells the console, violations of its security policy included."""
    told = _chromium(address, folder, width, "--enable-logging=stderr").stderr
    return [line for line in told.splitlines() if "CONSOLE" in line]


def _chromium(
    address: str, folder: Path, width: int, *more: str
) -> subprocess.CompletedProcess[str]:
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom")
    options += ("--disable-background-networking", "--virtual-time-budget=5000")
    options += (f"--user-data-dir={folder}", f"--window-size={width},900", *more)
    return subprocess.run(
        (str(BROWSER), *options, address), capture_output=True, text=True, timeout=100
    )
