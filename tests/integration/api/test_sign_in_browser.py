"""A person signs in and out with Chromium; skipped where there is none on the path."""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.factory import create_app
from tests.integration.api.browser import BROWSER
from tests.integration.api.test_machines import commit_health
from tests.integration.conftest import serving_app
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium: on Debian and Ubuntu, apt-get install chromium"
)


class CommandFailedError(Exception):
    """The browser refused a command; one sent while it goes to another page may be."""


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

    def command(self, method: str, session: dict[str, str] | None = None, **params: Any) -> Any:
        self._id += 1
        message = {"id": self._id, "method": method, "params": params, **(session or {})}
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(b"".join(iter(lambda: self._in.read(1), b"\0")))
            if answer.get("id") == self._id:
                if "error" in answer:
                    raise CommandFailedError(answer["error"]["message"])
                return answer["result"]

    def close(self) -> None:
        self._out.close()
        self._in.close()
        self.process.terminate()
        self.process.wait(20)


class Tab:
    """One tab, with cookies and a cache of its own."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.command = browser.command
        context = self.command("Target.createBrowserContext")["browserContextId"]
        self._context = {"browserContextId": context}
        target = self.command("Target.createTarget", url=address, **self._context)["targetId"]
        attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        # As if no other tab were before it.
        self.command("Emulation.setFocusEmulationEnabled", self._session, enabled=True)

    def close(self) -> None:
        self.command("Target.disposeBrowserContext", **self._context)

    def run(self, script: str) -> Any:
        result = self.command("Runtime.evaluate", self._session, expression=script)
        return result["result"].get("value")

    def act(self, script: str) -> None:
        """Run a script, as soon as the page has what it needs."""
        eventually(lambda: self._runs_through(script))

    def _runs_through(self, script: str) -> bool:
        try:
            result = self.command("Runtime.evaluate", self._session, expression=script)
        except CommandFailedError as error:
            return "navigated" in str(error)  # it ran, and led to another page
        return "exceptionDetails" not in result

    def text(self) -> str:
        """What the page shows; nothing while the browser goes from one page to the next."""
        try:
            return self.run("document.body?.innerText") or ""
        except CommandFailedError:
            return ""

    def shows(self, text: str) -> None:
        eventually(lambda: text in self.text())


@cache
def running() -> Browser:
    """One browser for all tests of this process: to start takes it a second of a core."""
    folder = tempfile.mkdtemp(prefix="vtox-chromium-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    browser = Browser(Path(folder))
    atexit.register(browser.close)
    return browser


@contextmanager
def chromium(address: str) -> Iterator[Tab]:
    with closing(Tab(running(), address)) as tab:
        yield tab


def test_a_person_signs_in_reads_and_signs_out(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    commit_health(client, "V028", turn_short="warning")
    key, _ = apikeys.create(client, ["read"], "Ada")
    with (
        serving_app(create_app(settings)) as http,
        chromium(str(http.base_url.join("/machines/V028"))) as tab,
    ):
        tab.shows("asks for an API key")
        for text, expected in (("wrong", "Another one?"), (key, "Turn short")):
            tab.act(f"document.querySelector('#key').value = '{text}'")
            tab.act("document.querySelector('button').click()")
            tab.shows(expected)
        assert tab.run("location.pathname") == "/machines/V028"
        assert tab.run("document.cookie") == "", "no script reads the session"
        tab.act("document.querySelector('nav button').click()")
        tab.shows("asks for an API key")
