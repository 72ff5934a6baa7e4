"""The usual operation of a machine, on its page as Chromium shows it."""

from threading import Event

import pytest

from tests.integration.api.browser import console_of, document_of, needs_browser, pages
from tests.integration.reporting.history.test_profiles import END_MIN, EVERY_MIN, LOW_W, USUAL_W
from tests.integration.reporting.history.test_profiles import send as send_results
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser


@pytest.fixture
def fallen(client: Client, settings: Settings) -> None:
    """A machine with a profile, whose load has fallen."""
    register(client, "M1", Motor(supply_hz=50.0))
    base_min = int(server_time(client) // 60) - END_MIN - 30
    send_results(client, base_min, range(0, END_MIN, EVERY_MIN), USUAL_W)
    send_results(client, base_min + END_MIN, range(20), LOW_W)
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.usefixtures("fallen")
def test_a_page_shows_usual_loads_and_the_load_now(settings: Settings, width: int) -> None:
    with pages(settings) as address:
        page = document_of(f"{address}/machines/M1", width)
        assert console_of(f"{address}/machines/M1") == []
    bars = page.split('id="profilebars"')[1].split("</svg>")[0]
    assert bars.count("<rect") == 1 + 48 + 1
    assert "Now 6 kW at 50 Hz" in page
    assert 'data-sideways="0"' in page
