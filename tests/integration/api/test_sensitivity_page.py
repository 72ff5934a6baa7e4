"""The sensitivity on the page of a machine as Chromium shows it: tried, saved, who and when."""

from pathlib import Path
from threading import Event

from tests.integration.api.browser import needs_browser
from tests.integration.api.test_backtest import add_marks
from tests.integration.api.test_machines import commit_health
from tests.integration.api.test_trends_page import SIDEWAYS, narrow, page_of
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.machine_settings import (
    SENSITIVITY,
    present_setting,
    store_setting,
)
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser

RESULT = (
    "[...document.querySelectorAll('#backtest tbody tr:first-child td')].map(n => n.textContent)"
)


def fill(name: str, value: str) -> str:
    """The script that types a value into a field of the form."""
    event = "new Event('input', { bubbles: true })"
    field = f"document.querySelector('#sensitivity_{name}')"
    return f"{field}.value = '{value}'; {field}.dispatchEvent({event})"


def test_a_setting_is_tried_then_saved_with_the_name_of_who_saved_it(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    commit_health(client, "M1", bearing="warning")
    add_marks(client, server_time(client) - 100, "nnwwnnnnnnwnwnnnnnn")
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    with page_of(settings, tmp_path) as tab:
        tab.shows("Nobody has set anything")
        assert tab.run("document.querySelector('#sensitivity_fault').value") == "bearing"
        assert tab.run("document.querySelector('#sensitivity_save').disabled")
        tab.act(fill("k", "2"))
        tab.act(fill("days", "5"))
        assert not tab.run("document.querySelector('#sensitivity_days').validity.valid")
        tab.act(fill("days", "1"))
        tab.act("document.querySelector('#sensitivity_try').click()")
        tab.shows("19 diagnoses of Bearing")
        assert tab.run(f"{RESULT}.join()") == "0,2,0"
        assert "nothing was found: no setting raises an alarm" in tab.text()
        assert "null" not in tab.run("document.querySelector('#backtest').innerText")
        tab.act("document.querySelector('#sensitivity input[name=by]').value = 'Ada'")
        tab.act("document.querySelector('#sensitivity_save').click()")
        tab.shows("Saved as version 1.")
        tab.act("document.querySelector('#sensitivityversions details').open = true")
        tab.shows("Bearing: 2 of 8, on 1 of 4 days, ends after 5")
        assert "Ada" in tab.text()
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)
    stored = present_setting(client, "M1", SENSITIVITY)
    assert (stored.by, stored.rules["bearing"].k) == ("Ada", 2)


def test_what_somebody_else_has_set_meanwhile_is_not_overwritten(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    commit_health(client, "M1", bearing="warning")
    with page_of(settings, tmp_path) as tab:
        tab.shows("Nobody has set anything")
        tab.act("document.querySelector('#sensitivity input[name=by]').value = 'Bob'")
        store_setting(client, "M1", SENSITIVITY, {"faults": {}}, by="Ada")
        tab.act(fill("clear", "9"))
        tab.act("document.querySelector('#sensitivity_save').click()")
        tab.shows("Somebody has changed the setting meanwhile.")
        tab.act(fill("clear", "9"))
        tab.act("document.querySelector('#sensitivity_save').click()")
        tab.shows("Saved as version 2.")
