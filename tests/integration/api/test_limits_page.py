"""The page of a machine in Chromium: limits tried on the history, a learnt range, a change."""

import threading
from dataclasses import replace

import httpx
import pytest

from tests.integration.api.browser import chromium, needs_browser
from tests.integration.reporting.history.test_energy import add_second
from tests.integration.reporting.history.test_limit_trials import LIMITS, record
from tests.unit.motor.diagnosis.energy.test_rated_losses import MOTOR
from vtox.motor.values.energy import MeterCounts
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser


@pytest.fixture
def week(client: Client, settings: Settings) -> None:
    """A machine with a week of a temperature, and two days of energy."""
    register(client, "M1", MOTOR)
    now = server_time(client)
    hours = [
        ScalarReading("M1", now - 3600 * k - 1, "winding", 60.0 + k % 25, "degC")
        for k in range(7 * 24)
    ]
    record(client, settings, hours)
    day = {"powered_ms": 86_400_000, "estimated_ms": 86_400_000, "reactive_vars": 600_000_000}
    for k, shaft_j in enumerate((720_000_000, 810_000_000)):
        counts = MeterCounts(**day, energy_j=900_000_000, shaft_j=shaft_j, lost_j=90_000_000)
        add_second(client, now - 86_400 * (2 - k) + 9000, k, counts)
    recorder = Recorder(client, settings)
    recorder.record(threading.Event())
    recorder.close()


@pytest.mark.usefixtures("week")
def test_the_page_tries_limits_and_shows_a_change(fresh_http: httpx.Client, client: Client) -> None:
    register(client, "M1", replace(MOTOR, scalar_limits=LIMITS))
    with chromium(f"{fresh_http.base_url}/machines/M1") as tab:
        tab.shows("Try limits on the history")
        tab.run("document.getElementById('trylimits').click()")
        tab.shows("winding > 120 fault, for 3 min, ends at 110: 0 alarms in 7 d")
        tab.shows("60 to 84 degC in the week to")
        tab.shows("Suggestions change nothing")
        tab.shows("+1.04 ± 0.0")
