"""The figures of the alarms as Chromium shows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx

from api.factory import create_app
from tests.integration.api.browser import Tab, chromium, needs_browser
from tests.integration.api.test_figures import add_alarm, close
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.conftest import serving_app
from tests.integration.reporting.history.entries import add_assessment
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import AlarmLimit
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser

DAY_S = 86_400


@contextmanager
def figures_page(settings: Settings, folder: Path, query: str = "") -> Iterator[Tab]:
    with (
        serving_app(create_app(settings)) as http,
        chromium(str(http.base_url.join(f"/figures{query}"))) as tab,
    ):
        yield tab


def press(tab: Tab, key: str) -> None:
    event = f"new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }})"
    tab.act(f"document.querySelector('#bars').dispatchEvent({event})")


def test_figures_are_shown_and_read_by_keys(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    now = server_time(client)
    for hours in range(30):
        add_assessment(client, now - 3600 * hours, 90.0)
    alarm_book.advance(client)
    ids = [add_alarm(client, age_s, "turn_short") for age_s in (3 * DAY_S, 30, 20, 10)]
    add_alarm(client, 5, "bearing", machine_id="PUMP-2")
    close(client, ids[0], "false_alarm")
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    limit = AlarmLimit(people=2, most=0.5)
    with figures_page(settings.model_copy(update={"alarm_load": limit}), tmp_path) as tab:
        tab.shows("5 alarms of machines, 4 a machine-day")
        answer = httpx.get(tab.run("location.origin") + "/api/v1/alarms/figures").json()
        load = answer["data"]["load"]
        assert (load["verdict"], load["per_person_day"]) == ("above", 0.625)
        tab.shows("too many alarms 0.625 alarms a day and person, more than the 0.5 that the site")
        tab.shows(f"more on {load['days_above']} of {load['days']} days. 2 people handle alarms.")
        tab.shows("promise broken")
        tab.shows("It is more than the 1 a machine-year that are promised")
        assert tab.run("document.querySelectorAll('#bars rect').length") == 30
        press(tab, "End")
        assert "machine-days" in tab.run("document.querySelector('#barread').textContent")
        press(tab, "Escape")
        assert "Point at a day" in tab.text()
        assert tab.run("document.querySelector('#frequent tbody td a').textContent") == "M1"
        assert tab.run("document.querySelectorAll('#chatter tbody tr').length") == 1
        assert tab.run("document.querySelectorAll('#standing tbody tr').length") == 2
        tab.act("document.querySelector('[data-days=\"7\"]').click()")
        eventually(lambda: tab.run("document.querySelectorAll('#bars rect').length") == 7)
        assert tab.run("location.search") == "?days=7"
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)


def test_without_a_history_the_page_says_so(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    with figures_page(settings, tmp_path, "?lang=zh") as tab:
        tab.shows("尚无报警事件的记录")
        tab.shows("这些天内没有电机得到评估")
        tab.shows("现场未设定限值")
