"""The page of the fleet as Chromium shows it: the rows in sight, and all that a refresh keeps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.factory import create_app
from tests.integration.api.browser import Tab, chromium, console_of, needs_browser, pages
from tests.integration.api.test_machines import SEEN, change_memory, commit_health
from tests.integration.api.test_status import bring_up
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.conftest import serving_app
from tests.integration.reporting.history.entries import add_alert
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time

pytestmark = needs_browser

ROWS = "document.querySelectorAll('#rows [role=row]').length"
NAMES = "[...document.querySelectorAll('#rows .machine a')].map((a) => a.textContent).join(' ')"
STATE = """JSON.stringify([
  document.activeElement.id || document.activeElement.textContent,
  document.activeElement.selectionStart ?? null,
  Math.round(document.querySelector('#list').scrollTop), Math.round(scrollY)])"""
COUNTED = "document.querySelector('#counts .fault b').textContent"


def fill(client: Client, n: int) -> None:
    """Normal machines of two sites, and one that is faulty."""
    for i in range(n):
        commit_health(client, f"M{i:03d}", bearing="normal")
        motor = Motor(site="North" if i % 2 else "East", asset_path=f"Plant/Line {i % 3}")
        machines.register(client, f"M{i:03d}", motor)
    commit_health(client, "M007", bearing="fault")


@contextmanager
def page_of(settings: Settings, folder: Path, path: str = "/") -> Iterator[Tab]:
    with (
        serving_app(create_app(settings)) as http,
        chromium(str(http.base_url.join(path))) as tab,
    ):
        yield tab


def test_only_what_is_in_sight_is_in_the_document(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    fill(client, 300)
    with page_of(settings, tmp_path) as tab:
        tab.shows("M007")
        assert tab.run(ROWS) < 60
        assert tab.run("document.querySelector('#list').getAttribute('aria-rowcount')") == "301"
        tab.act("document.querySelector('#list').scrollTop = 1e6")
        tab.shows("M299")
        assert "M007" not in tab.run(NAMES)
        assert tab.run(ROWS) < 60
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)


def test_what_is_wanted_stands_in_the_address(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    fill(client, 12)
    choose = "(() => {{ const s = document.querySelector('#choose_{0}'); s.value = '{1}'; "
    choose += "s.dispatchEvent(new Event('change')); }})()"
    with page_of(settings, tmp_path, "/?search=m00&sort=-name") as tab:
        eventually(lambda: tab.run(NAMES).startswith("M009 M008 M007"))
        tab.act("document.querySelector('[data-sort=name]').click()")
        eventually(lambda: tab.run(NAMES).startswith("M000 M001"))
        assert tab.run("document.querySelector('[aria-sort=ascending]').textContent") == "Machine"
        tab.act(choose.format("site", "North"))
        eventually(lambda: tab.run(NAMES) == "M001 M003 M005 M007 M009")
        tab.act(choose.format("group", "asset_2"))
        eventually(lambda: tab.run(NAMES) == "M003 M009 M001 M007 M005")
        assert tab.run("document.querySelectorAll('#rows .group').length") == 3
        expected = "?search=m00&site=North&sort=name&group=asset_2"
        assert tab.run("location.search") == expected
        tab.act("document.querySelector('#counts .warning').click()")
        tab.shows("No machine matches.")
        tab.act("document.querySelector('#unfilter').click()")
        tab.shows("M011")
        assert tab.run("location.search") == "?sort=name&group=asset_2"


def test_what_is_seen_is_marked_counted_and_filtered(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    fill(client, 12)
    change_memory(client, "M005", "broken_bar", days=SEEN)
    row = "[...document.querySelectorAll('#rows .machine')].find((r) => r.innerText.includes('{}'))"
    with page_of(settings, tmp_path, "/?seen=broken_bar") as tab:
        eventually(lambda: tab.run(NAMES) == "M005")
        shown = tab.run(f"{row.format('M005')}.innerText")
        assert "Normal" in shown
        assert "Seen: Broken bar" in shown
        link = tab.run(f"{row.format('M005')}.querySelector('a').getAttribute('href')")
        assert link == "/machines/M005#broken_bar"
        assert tab.run("document.querySelector('#counts .seen b').textContent") == "1"
        tab.act("document.querySelector('#unfilter').click()")
        eventually(lambda: "M000" in tab.run(NAMES))
        assert "Seen" not in tab.run(f"{row.format('M000')}.innerText")
        tab.act("document.querySelector('#counts .seen').click()")
        eventually(lambda: tab.run(NAMES) == "M005")
        assert tab.run("location.search") == "?seen=any"
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)


def test_a_refresh_moves_neither_caret_nor_focus_nor_scroll(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    fill(client, 80)
    with page_of(settings, tmp_path, "/?sort=severity") as tab:
        tab.shows("M007")
        begin = "const s = document.querySelector('#search'); s.focus(); s.value = 'm0';"
        tab.act(f"(() => {{ {begin} s.setSelectionRange(1, 1); }})()")
        tab.act("document.querySelector('#list').scrollTop = 200; scrollTo(0, 40)")
        for at, take_focus in (
            ("search", ""),
            (
                "M010",
                "[...document.querySelectorAll('.machine a')].find(a => "
                "a.textContent == 'M010').focus({ preventScroll: true })",
            ),
        ):
            if take_focus:
                tab.act(take_focus)
            before = tab.run(STATE)
            assert json.loads(before)[0] == at
            assert json.loads(before)[2] == 200
            counted = tab.run(COUNTED)
            for i in (41, 42, 10) if take_focus else (40, 43):
                commit_health(client, f"M{i:03d}", bearing="fault")
            eventually(lambda counted=counted: tab.run(COUNTED) != counted)
            assert tab.run(STATE) == before


def test_an_alert_keeps_the_focus_while_its_age_goes_on(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    fill(client, 8)
    add_alert(client, server_time(client) - 5)
    ages = "document.querySelector('#alerts time').textContent"
    with page_of(settings, tmp_path) as tab:
        tab.shows("Impacts of the outer race")
        tab.act("document.querySelector('#alerts a').focus()")
        before = tab.run(ages)
        eventually(lambda: tab.run(ages) != before)
        assert tab.run("document.activeElement.closest('#alerts')?.id") == "alerts"


def test_keys_lead_through_the_machines(settings: Settings, client: Client, tmp_path: Path) -> None:
    fill(client, 80)
    press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', "
    press += "{ key: 'ArrowDown', bubbles: true }))"
    with page_of(settings, tmp_path, "/?sort=name") as tab:
        tab.shows("M007")
        tab.act("document.querySelector('#rows .machine a').focus()")
        for _ in range(6):
            tab.act(press)
        assert tab.run("document.activeElement.textContent") == "M006"


def test_a_silent_machine_and_one_without_diagnosis(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    commit_health(client, "M1", bearing="normal")
    commit_health(client, "M3", bearing="fault")
    client.zadd(keys.MACHINES, {"M1": server_time(client) - 3600, "M2": server_time(client)})
    client.zadd(keys.MACHINES, {"M3": server_time(client) - 660})
    with page_of(settings, tmp_path) as tab:
        tab.shows("Silent for 60 min")
        tab.shows("silent for 11 min")
        row = tab.run("[...document.querySelectorAll('#rows .say')][0].innerText")
        assert " ".join(row.split()) == ("Fault: Bearing · silent for 11 min Because of bearing")
        assert tab.run("document.querySelector('#counts .fault').innerText").endswith("1 silent")
        tab.shows("No diagnosis yet")
        tab.shows("0 of 5")


def test_what_is_cut_in_a_row_is_read_on_it(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    names = [f"North-Pit.Primary-Crushing-Station.Conveyor-{i}" for i in (1, 2)]
    path = "Upper bench of the open pit/Primary crushing station/Conveyor 4/Main motor"
    for name in names:
        commit_health(client, name, bearing="fault")
        machines.register(client, name, Motor(site="North", asset_path=path))
    hover = "(n => { n.scrollIntoView(); const box = n.getBoundingClientRect(); return document."
    hover += "elementFromPoint(box.x + 5, box.y + 5).closest('[title]').title; })"
    cut = "[...document.querySelectorAll('#rows {}')].filter(n => n.scrollWidth > n.clientWidth)"
    with page_of(settings, tmp_path) as tab:
        tab.shows("Conveyor-2")
        shown = tab.run(f"{hover}(document.querySelector('#rows .say .sub'))")
        assert f"{names[0]}\nFault: Bearing: Because of bearing\nNorth, {path}" in shown
        assert tab.run(f"{cut.format('.id > :last-child')}.length") == 0, "names are told apart"
        assert tab.run(f"{cut.format('.place .sub')}.length") == 0, "each part ends in dots"


def test_a_server_that_goes_is_named_and_the_list_stays(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    fill(client, 3)
    with page_of(settings, tmp_path) as tab:
        tab.shows("M007")
        tab.act("window.fetch = () => Promise.reject(new TypeError('away'))")
        tab.shows("The API does not respond.")
        assert tab.run("document.querySelector('.two').className") == "two stale"
        assert "M007" in tab.run(NAMES)


def test_pages_tell_the_console_nothing(settings: Settings, client: Client) -> None:
    bring_up(client)
    fill(client, 5)
    client.xadd(keys.DEAD_LETTERS, {"machine_id": "M1", "seq": "9", "code": "bad_length", "t": 1})
    with pages(settings) as base:
        for path in ("/?group=site", "/cluster"):
            assert console_of(base + path) == []
