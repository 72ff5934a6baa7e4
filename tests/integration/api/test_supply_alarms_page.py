"""The row of a supply on the page of alarms, in Chromium."""

from pathlib import Path

from tests.integration.api.browser import needs_browser
from tests.integration.api.test_alarms_page import page
from tests.integration.api.test_supply_alarms import GROUP, raise_on_supply
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import advance
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser

ROW = "document.querySelector('#list tbody[data-row^=group]')"
MEMBERS = "[...document.querySelectorAll('#list .member')]"
TOGGLE = f"{ROW}.querySelector('.toggle button').click()"


def press(name: str) -> str:
    return f"{ROW}.querySelector('[data-{name}]').click()"


def test_a_supply_is_one_row_that_is_acknowledged_at_once_and_ungrouped(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_on_supply(client)
    with page(settings, tmp_path) as tab:
        tab.act("localStorage.setItem('vtox_operator', 'Ada')")
        tab.shows("North: Plant/Line 1")
        tab.shows("4 of 5 machines")
        tab.shows("5 open, in 2 rows")
        assert tab.run("document.querySelector('[data-show=open] span').textContent") == "5"
        assert tab.run("document.title").startswith("(5) ")
        assert "M2" not in tab.text(), "its machines are beneath it on demand"
        tab.act(TOGGLE)
        tab.shows("M2")
        offered = tab.run(
            f"[...{ROW}.querySelectorAll('[data-all]')].map(b => b.textContent).join()"
        )
        assert offered == "Acknowledge 4,Ungroup 4"
        tab.act(f"{MEMBERS}[0].querySelector('[data-do=acknowledge]').click()")
        tab.shows("3 unacknowledged")
        tab.act(press("all=acknowledge"))
        eventually(lambda: "Acknowledge 3" not in tab.text())
        tab.shows("4 acknowledged")
        assert tab.run(f"{MEMBERS}.length") == 4
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)
        tab.act(press("all=ungroup"))
        eventually(lambda: tab.run("document.querySelector('#total').textContent") == "5 open")
        assert tab.run(f"{ROW}") is None
        assert tab.run("document.querySelectorAll('#list tbody').length") == 5
    alarms = advance(client).alarms
    assert [a.ungrouped for a in alarms.values()].count(True) == 4
    assert (alarms[GROUP].state, alarms[GROUP].acknowledged_by) == ("acknowledged", "Ada")


def test_a_refresh_leaves_what_is_open_and_focused(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_on_supply(client)
    with page(settings, tmp_path) as tab:
        tab.shows("North: Plant/Line 1")
        tab.act(TOGGLE)
        tab.shows("M2")
        tab.act(f"{MEMBERS}[0].querySelector('.toggle button').click()")
        tab.act(f"{MEMBERS}[0].querySelector('[data-do=comment]').click()")
        tab.act("document.activeElement.value = 'half a sen'")
        raise_on_supply(client, 5)
        tab.shows("5 of 5 machines")
        assert tab.run("document.activeElement.value") == "half a sen"
