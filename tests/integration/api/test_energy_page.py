"""The page of energy in Chromium: unmeasured values, pages of machines, axes, the price."""

from threading import Event

import httpx
import pytest

from tests.integration.api.browser import Tab, chromium, needs_browser
from tests.integration.reporting.history.test_energy import add_second
from vtox.motor.values.energy import MeterCounts
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser

CURRENTS_ALONE = MeterCounts(observed_ms=480_000, running_ms=480_000)
MEASURED = CURRENTS_ALONE._replace(powered_ms=480_000, energy_j=7_200_000, harmonic_j=36)
MACHINES, MEASURING = 30, 2


@pytest.fixture
def counted(client: Client, settings: Settings) -> None:
    """Machines of which two measure their power."""
    for k in range(MACHINES):
        counts = MEASURED if k < MEASURING else CURRENTS_ALONE
        add_second(client, server_time(client) - 60, k, counts, f"M{k:02d}")
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()


def rows(tab: Tab) -> list[list[str]]:
    found = "[...document.querySelectorAll('#machines tbody tr')].map(r => r.innerText).join('|')"
    return [row.split("\t") for row in str(tab.run(found)).split("|")]


@pytest.mark.usefixtures("counted")
def test_what_is_not_measured_is_a_dash_and_no_sum_has_it(fresh_http: httpx.Client) -> None:
    with chromium(f"{fresh_http.base_url}/energy") as tab:
        tab.shows(f"{MEASURING} of {MACHINES} machines measured, 16 min in all")
        tab.shows("[energy_price]")
        assert [r[:2] for r in rows(tab)[:3]] == [["M00", "2"], ["M01", "2"], ["M02", "–"]]
        assert "e-" not in tab.text().split("All machines")[1].split("By machine")[0]
        assert tab.run("document.querySelector('.amounts').innerText").split() == [
            *("4", "kWh", "2", "0"),
        ]
        assert tab.run("document.querySelectorAll('.times span').length") > 1


@pytest.mark.usefixtures("counted")
def test_machines_are_shown_in_pages(fresh_http: httpx.Client) -> None:
    with chromium(f"{fresh_http.base_url}/energy") as tab:
        tab.shows("1 to 25 of 30")
        tab.run("document.querySelector('[data-turn=page_after]').click()")
        assert [r[0] for r in rows(tab)] == [f"M{k}" for k in range(25, MACHINES)]
        assert tab.run("document.activeElement.dataset.turn") == "page_before"
