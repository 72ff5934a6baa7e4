"""The trends on the page of a machine as Chromium shows them, and the page on a telephone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import gmtime, strftime

import pytest

from api.factory import create_app
from tests.integration.api.browser import Tab, chromium, needs_browser
from tests.integration.api.test_machine_events import act
from tests.integration.api.test_machine_page import faulty as faulty
from tests.integration.api.test_machines import commit_health
from tests.integration.conftest import serving_app
from tests.integration.reporting.history.entries import add_alert, add_assessment, add_result
from tests.waiting import eventually
from vtox.motor.values.domain import Diagnosis
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import advance
from vtox.pipeline.store.machines.line_levels import EVERY_S
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser

READ = "document.querySelector('[data-trend=bearing]').previousSibling.textContent"
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def record(client: Client, settings: Settings) -> Iterator[Callable[[], object]]:
    """A function that records the streams."""
    recorder = Recorder(client, settings)
    yield lambda: recorder.record(Event())
    recorder.close()


@contextmanager
def page_of(settings: Settings, folder: Path, query: str = "") -> Iterator[Tab]:
    with (
        serving_app(create_app(settings)) as http,
        chromium(str(http.base_url.join(f"/machines/M1{query}"))) as tab,
    ):
        tab.shows("Trends")
        yield tab


def press(tab: Tab, key: str) -> None:
    event = f"new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }})"
    tab.act(f"document.activeElement.dispatchEvent({event})")


def narrow(tab: Tab, width: int) -> None:
    """Make the page as wide as that of a telephone, narrower than a window gets."""
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    tab.command("Emulation.setDeviceMetricsOverride", tab._session, **size)


def test_a_trend_has_its_gap_and_is_read_by_keys(
    settings: Settings, client: Client, record: Callable[[], object], tmp_path: Path
) -> None:
    now = server_time(client)
    commit_health(client, "M1", bearing="warning")
    for age_s in range(2400, 0, -60):
        if not 900 <= age_s < 1500:
            add_result(client, now - age_s, statistic=age_s / 100)
    add_result(client, now - 20, state="warning", code="outer_race", statistic=9.5)
    add_assessment(client, now, 75.0, "warning")
    record()
    with page_of(settings, tmp_path, "?kind=current") as tab:
        tab.act("document.querySelector('[data-range=hour]').click()")
        tab.shows("1 warning · 30 normal · a gap of 10 min")
        assert tab.run("location.search") == "?kind=current&range=hour"
        assert "threshold 4" in tab.run(READ)
        assert "outer_race" in tab.run(READ)
        tab.act("document.querySelector('[data-trend=bearing]').focus()")
        press(tab, "End")
        press(tab, "PageUp")
        assert "no record" in tab.run(READ)
        read = tab.run(READ)
        polls = "performance.getEntriesByType('resource').filter(e => /M1$/.test(e.name)).length"
        before = tab.run(polls)
        eventually(lambda: tab.run(polls) > before)
        assert (tab.run("document.activeElement.dataset.trend"), tab.run(READ)) == ("bearing", read)
        press(tab, "Escape")
        assert "outer_race" in tab.run(READ)
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)


def test_groups_of_buttons_have_no_ground_of_their_own(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    commit_health(client, "M1", bearing="warning")
    grounds = "[...document.querySelectorAll('.tools .group')].map(n => getComputedStyle(n)."
    with page_of(settings, tmp_path) as tab:
        tab.shows("Try on the last 30 days")
        assert tab.run(f"[...new Set({grounds}backgroundColor))].join()") == "rgba(0, 0, 0, 0)"


def test_levels_of_lines_take_the_place_of_statistics(
    settings: Settings, client: Client, record: Callable[[], object], tmp_path: Path
) -> None:
    end = server_time(client) // EVERY_S * EVERY_S
    commit_health(client, "M1", broken_bar="warning")
    for k in range(6):
        levels = {"lower_sideband_dbc": -45.0 + k, "upper_sideband_dbc": None}
        ends = end + 1 - k * EVERY_S
        add_result(client, ends, fault="broken_bar", indicators=levels)
    record()
    with page_of(settings, tmp_path, "?range=day") as tab:
        tab.act("document.querySelector('[data-trend=broken_bar]').focus()")
        tab.act("document.querySelector('[data-of=lines]').click()")
        tab.shows("Lower sideband 2sf, dBc")
        assert tab.run("location.search") == "?range=day&trend=lines"
        read = "document.querySelector('[data-trend=broken_bar_lower_dbc]').previousSibling"
        assert "−45" in tab.run(f"{read}.textContent") or "-45" in tab.run(f"{read}.textContent")
        assert tab.run("document.querySelector('[data-trend=broken_bar]').closest('figure').hidden")
        tab.act("document.querySelector('[data-of=faults]').click()")
        tab.shows("statistic")
        assert tab.run("location.search") == "?range=day"


def test_a_time_a_second_machine_and_marks_stand_in_the_address(
    settings: Settings, client: Client, record: Callable[[], object], tmp_path: Path
) -> None:
    now = server_time(client)
    for name in ("M1", "M2"):
        commit_health(client, name, bearing="warning")
        for age_s in range(7200, 0, -60):
            add_result(client, now - age_s, machine_id=name, statistic=2.0 if name == "M1" else 6.0)
    add_alert(client, now - 5000)
    act(client, now - 4000, "comment", text="Greased.")
    act(client, now - 3000, "close", outcome="confirmed")
    record()
    dates = [strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(now - age_s)) for age_s in (6000, 1000)]
    with page_of(settings, tmp_path, f"?from={dates[0]}&to={dates[1]}&with=M2") as tab:
        tab.shows("Marks: 1 alarm · 1 comment · 1 repair")
        assert tab.run("document.querySelector('[data-range][aria-pressed=true]')") is None
        read = tab.run(READ)
        assert "mean 2" in read.partition("M2")[0]
        assert "mean 6" in read.partition("M2")[2]
        table = "[...document.querySelectorAll('#marktable tbody tr')].map((r) => r.textContent)"
        assert ["Greased." in row for row in tab.run(f"{table}.join('|')").split("|")] == [
            False,
            True,
            False,
        ]
        tab.act("document.querySelector('#marks').open = true")
        tab.act("document.querySelectorAll('#marktable button')[1].click()")
        mark = "document.querySelector('[data-trend=bearing]').nextSibling.textContent"
        assert "Commented (Ada): Greased." in tab.run(mark)
        tab.act("document.querySelector('[data-trend=bearing]').focus()")
        press(tab, "+")
        query = "new URLSearchParams(location.search)"
        seconds = f"(Date.parse({query}.get('to')) - Date.parse({query}.get('from'))) / 1000"
        assert 2500 <= tab.run(seconds) <= 2502
        tab.act("document.querySelector('#earlier').click()")
        assert tab.run(f"Date.parse({query}.get('from')) / 1000") < now - 5000
        late = "f.querySelector('#trendfrom').value = '2030-01-01T00:00:00'; f.requestSubmit()"
        tab.act(f"(f => {{ {late} }})(document.querySelector('#trendtools form'))")
        assert tab.run("document.querySelector('#trendto').validationMessage").startswith("The end")
        tab.act("document.querySelector('[data-range=hour]').click()")
        assert tab.run("location.search") == "?with=M2&range=hour"
        name = "i.value = 'M9'; i.dispatchEvent(new Event('change'))"
        tab.act(f"(i => {{ {name} }})(document.querySelector('#trendwith'))")
        tab.shows("M9: Machine 'M9' is not known")


def test_the_first_screen_of_a_telephone_has_the_finding_and_its_proof(
    settings: Settings,
    client: Client,
    faulty: Diagnosis,
    record: Callable[[], object],
    tmp_path: Path,
) -> None:
    advance(client)
    client.hdel(keys.machine("M1"), "latest:bearing")
    add_alert(client, server_time(client) - 200, fault="broken_bar", id="M1:broken_bar:1")
    for age_s in range(300, 0, -10):
        bar = {"fault": "broken_bar", "family": "broken_bar", "state": "fault"}
        add_result(client, server_time(client) - age_s, statistic=6.0, **bar)
    record()
    edge = "Math.round(document.querySelector('{}').getBoundingClientRect().{})"
    with page_of(settings, tmp_path, "#sensitivity") as tab:
        narrow(tab, 390)
        tab.shows("lower sideband 2sf: 48.")
        tab.shows("Sensitivity")
        tab.act("scrollTo(0, 0)")
        tab.act("document.querySelector('#alarmlist .sum').id = 'alarm'")
        plot = tab.run(edge.format("#plot", "top"))
        assert max(tab.run(edge.format(n, "bottom")) for n in ("#ill", "#alarm")) < plot
        assert tab.run(edge.format("#plot", "bottom")) < 844
        eventually(lambda: 0 < tab.run(edge.format("#leadtrend", "top")) < 844)
        visible = "document.querySelector('{}').checkVisibility()"
        assert tab.run(visible.format("#sensitivityform")), "the address asks for it"
        assert not tab.run(visible.format("#energytotal"))
        tab.act("document.querySelector('[aria-describedby=energyname]').click()")
        assert tab.run(visible.format("#energytotal"))


def test_an_absent_history_is_explained(
    settings: Settings, client: Client, record: Callable[[], object], tmp_path: Path
) -> None:
    commit_health(client, "M1", bearing="normal")
    with page_of(settings, tmp_path) as tab:
        tab.shows("No history yet.")
        add_result(client, server_time(client), machine_id="M2")
        record()
        tab.act("document.querySelector('[data-range=day]').click()")
        tab.shows("No record in the last day.")
        last = [add_result(client, server_time(client)) for _ in range(3)][-1]
        client.xtrim(keys.RESULTS, minid=last, approximate=False)
        record()
        tab.act("document.querySelector('[data-range=week]').click()")
        tab.shows("Not recorded: 2 diagnoses of all machines between")


def test_a_recorder_that_is_away_is_named(
    settings: Settings, client: Client, record: Callable[[], object], tmp_path: Path
) -> None:
    old = server_time(client) - 600
    commit_health(client, "M1", bearing="normal")
    add_result(client, old, entry_id=f"{round(1000 * old)}-0")
    record()
    beat = {"pid": 42, "host": "h", "last_seen_t": time.time() - 500}
    client.hset(keys.RECORDER, mapping=beat)
    with page_of(settings, tmp_path, "?range=hour") as tab:
        tab.shows("Recorded until ")
        tab.shows("has not reported for 50")
