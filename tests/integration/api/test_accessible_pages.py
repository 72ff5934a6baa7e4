"""axe-core on every page as Chromium shows it, in both themes; and the navigation."""

import json
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.api.browser import Tab, chromium, needs_browser
from tests.integration.api.test_chinese_pages import base as base
from tests.integration.api.test_chinese_pages import fleet as fleet
from tests.integration.api.test_trends_page import narrow
from tests.waiting import eventually
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

pytestmark = needs_browser

STORED = quote("broken_bar|M1|1-0")
# Page -> a text that it shows once it is loaded.
PAGES = {
    "/": "M2",
    "/machines/M1": "Resolution",
    "/cluster": "Workers",
    "/alarms": "No worker",
    "/figures": "False alarms",
    "/energy": "By machine",
    "/setup": "Your name",
    "/docs": "openapi.json",
    # Two machines over a day, and a waterfall.
    "/machines/M1?range=day&with=M2&kind=demodulated&rows=load": "Load (of rated)",
    f"/machines/M1?kind=demodulated&record={STORED}&over={STORED}": "Compared points",
}
SIGN_IN = "asks for an API key"
# All rules in the light theme; only the rules about colours in the dark one.
RUN = """
axe.run(document, {{ resultTypes: ["violations"], elementRef: false {only} }}).then((found) =>
  found.violations.filter((v) => {matters}).flatMap((v) =>
    v.nodes.map((n) => `${{v.id}}: ${{n.target.join(" ")}}, ${{n.failureSummary}}`)))
"""
# Serious violations, and those of headings and tables, by which people navigate.
MATTERS = """["serious", "critical"].includes(v.impact)
  || ["heading-order", "empty-table-header", "page-has-heading-one"].includes(v.id)"""
COLOURS = ', runOnly: ["color-contrast", "link-in-text-block"]'


def serious(tab: Tab, script: str, only: str) -> list[str]:
    """Return the violations that axe finds on the open page."""
    tab.run(script)
    asked = {
        "expression": RUN.format(only=only, matters=MATTERS),
        "awaitPromise": True,
        "returnByValue": True,
    }
    found: dict[str, Any] = tab.command("Runtime.evaluate", tab._session, **asked)
    return found["result"]["value"]


@pytest.fixture(scope="module")
def axe() -> str:
    return (files("axe_core_python") / "axe.min.js").read_text()


@pytest.mark.long
def test_axe_finds_nothing_serious_in_both_themes(base: str, client: Client, axe: str) -> None:
    found: dict[str, list[str]] = {}
    with chromium(f"{base}/") as tab:
        for path, shown in (PAGES | {"/alarms?sign-in": SIGN_IN}).items():
            if shown == SIGN_IN:
                apikeys.create(client, ["read"], "Ada")
            for theme, only in (("light", ""), ("dark", COLOURS)):
                scheme = {"name": "prefers-color-scheme", "value": theme}
                tab.command("Emulation.setEmulatedMedia", tab._session, features=[scheme])
                if theme == "light":
                    tab.command("Page.navigate", tab._session, url=f"{base}{path}")
                    tab.shows(shown)
                    tab.run(
                        "document.querySelectorAll('details').forEach((d) => { d.open = true })"
                    )
                if wrong := serious(tab, axe, only):
                    found[f"{path} {theme}"] = wrong
    assert json.dumps(found, indent=0) == "{}"


def test_the_first_tab_stop_leads_to_the_content(base: str) -> None:
    with chromium(f"{base}/alarms") as tab:
        tab.shows(PAGES["/alarms"])
        for key in ("Tab", "Enter"):
            code = {"key": key, "code": key, "windowsVirtualKeyCode": 9 if key == "Tab" else 13}
            for kind in ("rawKeyDown", "char", "keyUp") if key == "Enter" else ("keyDown", "keyUp"):
                text = {"text": "\r"} if key == "Enter" else {}
                tab.command("Input.dispatchKeyEvent", tab._session, type=kind, **code, **text)
            if key == "Tab":
                assert tab.run("document.activeElement.className") == "skip"
                assert tab.run("document.activeElement.getBoundingClientRect().top") >= 0
        assert tab.run("document.activeElement.tagName") == "MAIN"


NAVIGATION = "document.querySelector('header nav')"
LINKS = f"[...{NAVIGATION}.querySelectorAll('a')]"
RIGHT_END = f"Math.max(...{LINKS}.map((a) => a.getBoundingClientRect().right))"


@pytest.mark.long
def test_navigation_is_the_same_on_every_page_and_in_sight(base: str) -> None:
    links: dict[str, str] = {}
    with chromium(f"{base}/") as tab:
        for path, shown in PAGES.items():
            narrow(tab, 1280)
            tab.command("Page.navigate", tab._session, url=f"{base}{path}")
            tab.shows(shown)
            hrefs = tab.run(f"{LINKS}.map((a) => a.getAttribute('href')).join()")
            links[hrefs] = path
            current = tab.run(f"{LINKS}.filter((a) => a.ariaCurrent).map((a) => a.pathname).join()")
            assert current == (path if path in hrefs.split(",") else "")
            narrow(tab, 390)
            eventually(lambda: tab.run("innerWidth") == 390 and tab.run(RIGHT_END) <= 390)
    assert len(links) == 1, links
