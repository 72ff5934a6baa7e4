"""A real browser on the pages, and scripts of the tests that run in them."""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.factory import create_app
from tests.integration.conftest import serving_app
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium: on Debian and Ubuntu, apt-get install chromium"
)

# Events of the console: messages of the page, and those of the browser about it.
TOLD = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
# Measures the loaded page: the width that a person would have to scroll sideways.
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


class CommandFailedError(Exception):
    """The browser refused a command, for example during a change of page."""


class Browser:
    """Chromium, by the DevTools protocol over a pair of pipes: messages of JSON end with a NUL."""

    def __init__(self, folder: Path) -> None:
        theirs, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
        options += ("--disable-background-networking", "--remote-debugging-pipe")
        options += (f"--user-data-dir={folder}",)
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs} 4>&{theirs_out}', str(BROWSER), *options],
            pass_fds=(theirs, theirs_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(theirs_out)
        self._out, self._in = os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb")
        self._id = 0
        self.events: list[dict[str, Any]] = []

    def command(self, method: str, session: dict[str, str] | None = None, **params: Any) -> Any:
        self._id += 1
        message = {"id": self._id, "method": method, "params": params, **(session or {})}
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read_message()
            if answer.get("id") == self._id:
                if "error" in answer:
                    raise CommandFailedError(answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)

    def events_until(self, method: str) -> list[dict[str, Any]]:
        """Return the events since the last call, up to the first of a method."""
        while not any(e["method"] == method for e in self.events):
            self.events.append(self._read_message())
        events, self.events = self.events, []
        return events

    def _read_message(self) -> Any:
        return json.loads(b"".join(iter(lambda: self._in.read(1), b"\0")))

    def close(self) -> None:
        self._out.close()
        self._in.close()
        self.process.terminate()
        self.process.wait(20)


class Tab:
    """One tab, with its own cookies and cache."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self.command = browser, browser.command
        context = self.command("Target.createBrowserContext")["browserContextId"]
        self._context = {"browserContextId": context}
        target = self.command("Target.createTarget", url=address, **self._context)["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        # The tab acts as if it were in front.
        self.command("Emulation.setFocusEmulationEnabled", self._session, enabled=True)

    def close(self) -> None:
        self.command("Target.disposeBrowserContext", **self._context)

    def pass_time(self, address: str, width: int) -> list[dict[str, Any]]:
        """Open a page, let five seconds of its clock pass, and return their events."""
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable", self._session)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", self._session, **size)
        clock = {"policy": "pauseIfNetworkFetchesPending", "budget": 5000}
        clock |= {"maxVirtualTimeTaskStarvationCount": 9999}
        self._browser.events.clear()
        self.command("Page.navigate", self._session, url=address)
        self.command("Emulation.setVirtualTimePolicy", self._session, **clock)
        return self._browser.events_until("Emulation.virtualTimeBudgetExpired")

    def run(self, script: str) -> Any:
        result = self.command("Runtime.evaluate", self._session, expression=script)
        return result["result"].get("value")

    def act(self, script: str) -> None:
        """Run a script, as soon as the page has the elements that it needs."""
        eventually(lambda: self._runs_through(script))

    def _runs_through(self, script: str) -> bool:
        try:
            result = self.command("Runtime.evaluate", self._session, expression=script)
        except CommandFailedError as error:
            return "navigated" in str(error)  # it ran, and led to another page
        return "exceptionDetails" not in result

    def text(self) -> str:
        """The text that the page shows; empty while the browser goes from one page to the next."""
        try:
            return self.run("document.body?.innerText") or ""
        except CommandFailedError:
            return ""

    def shows(self, text: str) -> None:
        eventually(lambda: text in self.text())


@cache
def running() -> Browser:
    """One browser for all tests of this process: its start takes a second of a core."""
    folder = tempfile.mkdtemp(prefix="vtox-chromium-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    browser = Browser(Path(folder))
    atexit.register(browser.close)
    return browser


@contextmanager
def chromium(address: str) -> Iterator[Tab]:
    with closing(Tab(running(), address)) as tab:
        yield tab


def document_of(address: str, width: int = 1400) -> str:
    """The document after five seconds of the page's own clock."""
    with closing(Tab(running(), "about:blank")) as tab:
        tab.pass_time(address, width)
        return unescape(str(tab.run("document.documentElement.outerHTML")))


def console_of(address: str) -> list[str]:
    """Return the console messages of the page, violations of its security policy included."""
    with closing(Tab(running(), "about:blank")) as tab:
        told = tab.pass_time(address, 1400)
    return [str(e["params"]) for e in told if e["method"] in TOLD]
