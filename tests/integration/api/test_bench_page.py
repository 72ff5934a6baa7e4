"""The spectrum bench as Chromium shows it: two records over each other, and many as a waterfall."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from api.factory import create_app
from tests.integration.api import test_spectra
from tests.integration.api.browser import Tab, chromium, needs_browser
from tests.integration.api.test_machines import commit_health
from tests.integration.api.test_spectra import MOTOR, keep_evidence
from tests.integration.api.test_trends_page import press
from tests.integration.conftest import serving_app
from tests.signals import current_lines
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser

# Load of each record, A, the earliest first.
LOADS = (9.0, 4.0, 7.0)
ROWS = "[...document.querySelectorAll('#lines tbody tr')].map((r) => r.cells[1].textContent)"
RANGE = "kind=demodulated&low=44&high=56"


@pytest.fixture
def records(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records of a machine whose sidebands grow, at three loads, and one of another."""
    names = []
    for name in ("M1", "M2", "M3"):
        machines.register(client, name, MOTOR)
        commit_health(client, name, broken_bar="warning")
    for k, (load_a, owner) in enumerate(zip((*LOADS, 8.0), ("M1", "M1", "M1", "M2"), strict=True)):
        m = replace(test_spectra.BROKEN, rms_a=load_a, lower_dbc=-50.0 + 4 * k)
        x = current_lines.recording(m, np.random.default_rng(k), speed=True)
        monkeypatch.setattr(test_spectra, "T0", 1_764_000_000.0 + 3600 * k)
        names.append(keep_evidence(client, owner, "broken_bar", x, f"{k + 1}-0"))
    return names


@pytest.fixture
def tab(settings: Settings, records: list[str]) -> Iterator[tuple[Tab, str]]:
    with serving_app(create_app(settings)) as http, chromium("about:blank") as tab:
        yield tab, str(http.base_url).rstrip("/")


def go(tab: Tab, address: str, shown: str) -> None:
    tab.command("Page.navigate", tab._session, url=address)
    tab.shows(shown)


def test_records_stand_in_the_order_of_time_and_of_load(
    tab: tuple[Tab, str], tmp_path: Path
) -> None:
    page, base = tab
    go(page, f"{base}/machines/M1?{RANGE}&rows=time", "3 records, from 2025-11-24 16:00:00")
    assert page.run(f"{ROWS}.join()") == "7 A (70 %),4 A (40 %),9 A (90 %)"
    assert "4 to 9 A" in page.text()
    page.act("document.querySelector('[data-key=rows-load]').click()")
    eventually(lambda: page.run(f"{ROWS}.join()") == "9 A (90 %),7 A (70 %),4 A (40 %)")
    assert page.run("location.search") == "?kind=demodulated&low=44&high=56&rows=load"
    page.act("document.querySelector('#rowsplot').focus()")
    press(page, "ArrowUp")
    assert page.run("document.querySelector('#read').textContent").startswith("2025-11-24 16:00:00")
    press(page, "ArrowDown")
    read = page.run("document.querySelector('#read').textContent")
    assert read.startswith("2025-11-24 18:00:00 UTC · 7 A (70 %)")
    downloads = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.command("Browser.setDownloadBehavior", **downloads, **page._context)
    page.act("document.querySelector('#exports button').click()")
    file = tmp_path / "vtox-M1-demodulated.png"
    eventually(lambda: file.exists() and file.stat().st_size > 1000)
    width, height = struct.unpack(">II", file.read_bytes()[16:24])
    assert (width > 300, height > 300) == (True, True)
    page.act("document.querySelector('#lines tbody button').click()")
    page.shows("stored, 10 s, 2025-11-24 16:00:00 UTC")
    go(page, f"{base}/machines/M2?{RANGE}&rows=load", "One record is stored")
    go(page, f"{base}/machines/M3?{RANGE}&rows=time", "No record of this kind is stored.")


def test_two_records_are_compared_line_by_line(tab: tuple[Tab, str], records: list[str]) -> None:
    page, base = tab
    query = f"{RANGE}&record={quote(records[0])}&over={quote(records[2])}"
    go(page, f"{base}/machines/M1?{query}", "M1, 2025-11-24 18:00:00 UTC")
    lower = "document.querySelector('#lines tbody tr').cells"
    assert page.run(f"{lower}[5].textContent").startswith("−50")
    assert page.run(f"{lower}[8].textContent").startswith("−42")
    page.shows("Compared points (CSV)")
    nothing = "s.value = ''; s.dispatchEvent(new Event('change'))"
    page.act(f"(s => {{ {nothing} }})(document.querySelector('[data-key=over]'))")
    eventually(lambda: "UTC" not in page.run("document.querySelector('#keys').textContent"))
    go(page, f"{base}/machines/M1?{RANGE}&over=M2&with=M2", "M2, 2025-11-24 19:00:00 UTC")
    go(page, f"{base}/machines/M1?{RANGE}&over={quote('broken_bar|M1|9-9')}", "is not shown")


def test_a_machine_without_a_record_is_not_asked_for_a_spectrum(
    tab: tuple[Tab, str], client: Client
) -> None:
    machines.register(client, "NEW", MOTOR)
    page, base = tab
    go(page, f"{base}/machines/NEW", "No record of this machine is diagnosed yet.")
    asked = page.run("performance.getEntriesByType('resource').map((r) => r.name).join()")
    assert "/machines/NEW" in asked
    assert "spectrum" not in asked
    commit_health(client, "NEW", broken_bar="warning")
    eventually(lambda: "diagnosed yet" not in page.text())
