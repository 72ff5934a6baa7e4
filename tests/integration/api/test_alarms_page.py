"""The page of alarms in Chromium: the actions of operators, which survive a restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from api.factory import create_app
from tests.integration.api.browser import Tab, chromium, console_of, needs_browser
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.conftest import serving_app
from tests.integration.pipeline.store.test_alarm_book import ALARM, action
from tests.integration.reporting.history.entries import add_alert
from tests.waiting import eventually
from vtox.motor.values.domain import Motor, reason
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms.alarm_book import act, advance
from vtox.pipeline.store.alarms.flags import set_flag
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.system import apikeys
from vtox.reporting.history.recorder import Recorder

pytestmark = needs_browser

LIST = "document.querySelector('#list')"
FORM = "document.querySelector('#list form')"
# Opens the row that contains a button.
UNFOLD = "b.closest('tbody').querySelector('.toggle [aria-expanded=false]')?.click()"


def press(name: str, then: str = "b.click()") -> str:
    return f"(b => {{ {UNFOLD}; {then} }})(document.querySelector('[data-do={name}]'))"


def offered(tab: Tab) -> str:
    return str(tab.run(f"[...{LIST}.querySelectorAll('[data-do]')].map(b => b.dataset.do).join()"))


def type_in(field: str, value: str) -> str:
    return f"{FORM}.querySelector('[name={field}]').value = '{value}'"


SUBMIT = f"{FORM}.requestSubmit()"


@contextmanager
def page(settings: Settings, folder: Path, path: str = "/alarms") -> Iterator[Tab]:
    with (
        serving_app(create_app(settings)) as http,
        chromium(str(http.base_url.join(path))) as tab,
    ):
        yield tab


def raise_alarm(client: Client) -> None:
    advance(client)
    machines.register(client, "M1", Motor())
    add_alert(client, 1_764_000_000.0)


@contextmanager
def whole_system(folder: Path) -> Iterator[tuple[Settings, Client]]:
    """A server with durable data, and a recorder that records all entries at the end."""
    with (
        EmbeddedServer(load(data_dir=folder / "server")) as server,
        connect(server.url, "test") as client,
    ):
        settings = load(redis_url=server.url, data_dir=folder)
        yield settings, client
        recorder = Recorder(client, settings)
        recorder.record(Event())
        recorder.close()


def test_an_alarm_is_handled_and_found_again_after_everything_was_stopped_and_started(
    tmp_path: Path,
) -> None:
    with whole_system(tmp_path) as (settings, client):
        raise_alarm(client)
        with page(settings, tmp_path / "first") as tab:
            tab.shows("Impacts of the outer race")
            tab.act(press("acknowledge", "b.focus()"))
            for kind in ("keyDown", "keyUp"):
                tab.command(
                    "Input.dispatchKeyEvent", tab._session, type=kind, key="Enter", text="\r"
                )
            tab.shows("Your name")
            tab.act("document.querySelector('input[name=by]').value = 'Ada'")
            tab.act(SUBMIT)
            tab.shows("Acknowledged since")
            tab.act(press("comment"))
            tab.act(type_in("comment", "a dull knock at the drive end"))
            tab.act(SUBMIT)
            tab.shows("a dull knock at the drive end")
            tab.act(press("work_order"))
            tab.act(type_in("system", "CMMS"))
            tab.act(type_in("reference", "WO-17"))
            tab.act(type_in("url", "https://cmms.example/17"))
            tab.act(SUBMIT)
            tab.shows("Work orders: CMMS WO-17")
            assert tab.run(f"{LIST}.querySelector('a[rel]').href") == "https://cmms.example/17"
            tab.act(press("close"))
            tab.act(type_in("outcome", "confirmed"))
            tab.act(SUBMIT)
            tab.shows("None of these now.")
            assert "0 open" in tab.text()
    with whole_system(tmp_path) as (settings, client):
        with page(settings, tmp_path / "second", "/alarms?show=all") as tab:
            tab.shows("closed: confirmed")
            tab.act(press("history"))
            tab.shows("by Ada")
            for done in (
                "acknowledged it",
                "commented",
                "added work order CMMS WO-17",
                "closed it as confirmed",
            ):
                tab.shows(done)
        client.delete(keys.ALARM_ACTIONS)
        with serving_app(create_app(settings)) as http:
            found = http.get(f"/api/v1/alarms/{ALARM}").json()["data"]["actions"]
            assert [a["action"] for a in found] == ["acknowledge", "comment", "work_order", "close"]


def test_a_refresh_moves_neither_text_nor_focus(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    with page(settings, tmp_path) as tab:
        tab.act(press("comment"))
        tab.act(type_in("by", "Ada"))
        tab.act(type_in("comment", "half a sen"))
        set_flag(client, "M1", "silent", True, reason("machine_silent"))
        tab.shows("No window arrives")
        add_alert(client, 1_764_000_005.0, "cleared")
        tab.shows("Ended, unacknowledged since")
        assert tab.run(f"{FORM}.comment.value") == "half a sen"
        assert tab.run("document.activeElement.name") == "comment"


def test_who_comes_second_is_told_so(settings: Settings, client: Client, tmp_path: Path) -> None:
    raise_alarm(client)
    with page(settings, tmp_path, "/alarms?show=all") as tab:
        tab.act("localStorage.setItem('vtox_operator', 'Bob')")
        tab.act(press("close"))
        tab.act(type_in("outcome", "false_alarm"))
        act(client, action("close", outcome="confirmed"))
        tab.act(SUBMIT)
        tab.shows("Somebody has closed it already.")
        tab.shows("closed: confirmed")


def test_an_alarm_is_shelved_and_a_machine_taken_out_of_service(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    with page(settings, tmp_path) as tab:
        tab.act("localStorage.setItem('vtox_operator', 'Bob')")
        tab.act(press("shelve"))
        tab.act(type_in("reason", "spare is ordered"))
        tab.act(SUBMIT)
        tab.shows("Not open, and why")
        tab.shows("spare is ordered")
        tab.shows("None of these now.")
        tab.act("document.querySelector('#suspensions a').click()")
        tab.act("document.querySelector('#service button').click()")
        tab.act("document.querySelector('#serviceform textarea').value = 'repair'")
        tab.act("document.querySelector('#serviceform form').requestSubmit()")
        tab.shows("Out of service since")
    book = advance(client)
    assert book.alarms[ALARM].state == "out_of_service"
    assert book.out_of_service["M1"].by == "Bob"


def test_an_alarm_of_a_machine_that_starts_is_not_open_and_says_why(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    why = {"code": "switched_within_record", "reason": "the motor was switched off"}
    add_alert(client, 1.0, "suppressed", **why)
    with page(settings, tmp_path) as tab:
        tab.shows("None of these now.")
        tab.shows("Until its first record that is not of a start, ramp or standstill.")
        tab.shows("The motor was switched off.")
        tab.act("document.querySelector('[data-show=suppressed_by_design]').click()")
        tab.act(press("comment", ""))
        tab.shows("Suppressed by design since")
        assert "acknowledge" not in offered(tab)
        add_alert(client, 2.0, "unsuppressed")
        tab.act("document.querySelector('[data-show=open]').click()")
        eventually(lambda: "acknowledge" in offered(tab))


def test_many_are_acknowledged_after_the_count_was_shown(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    advance(client)
    for i in range(3):
        machines.register(client, f"M{i}", Motor())
        set_flag(client, f"M{i}", "silent", True, reason("machine_silent"))
    with page(settings, tmp_path) as tab:
        tab.act("localStorage.setItem('vtox_operator', 'Bob')")
        tab.shows("3 open")
        assert tab.run("document.querySelector('#bulk').hidden"), "the open ones are no filter"
        tab.act("document.querySelector('[data-show=unacknowledged]').click()")
        tab.act("document.querySelector('#bulk button').click()")
        tab.act("document.querySelector('#bulkform form').requestSubmit()")
        tab.shows("3 of the 3 alarms that match would be changed.")
        assert client.xlen(keys.ALARM_ACTIONS) == 0
        tab.act("document.querySelector('#bulkform .message button').click()")
        tab.shows("None of these now.")
    assert {a.acknowledged_by for a in advance(client).alarms.values()} == {"Bob"}


FLOOD = 6
PICKED = "document.querySelectorAll('#list .pick input:checked').length"


def flood(client: Client) -> None:
    """A site falls silent; one of its machines has a fault, and one elsewhere a warning."""
    raise_alarm(client)
    for i in range(FLOOD):
        machines.register(client, f"S{i}", Motor(site="South"))
        set_flag(client, f"S{i}", "silent", True, reason("machine_silent"))
    fault = {"id": "S0:broken_bar:1", "machine_id": "S0", "fault": "broken_bar"}
    client.zadd(keys.MACHINES, {"S0": server_time(client) - 660})
    add_alert(client, 1.0, level="fault", **fault, reason="bars")


def rows(tab: Tab) -> list[str]:
    found = tab.run(f"[...{LIST}.querySelectorAll('.sum')].map(r => r.innerText).join('|')")
    return [" ".join(row.split()) for row in found.split("|")]


def test_a_fault_stands_above_a_flood_that_is_one_row(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    flood(client)
    with page(settings, tmp_path) as tab:
        tab.shows("Bars")
        first, second, third = (row.removesuffix(" ▸") for row in rows(tab))
        assert first.startswith("36 fault S0 silent for 11 min Broken bar unacknowledged Bars")
        assert "Site South 6 of 6 machines Silent" in second
        assert "No machine of this site sends: all 6 are silent" in second
        assert third.startswith("27 warning M1 Bearing")
        assert "8 open, in 3 rows" in tab.text()


def test_what_can_wait_and_what_is_mine_are_chosen(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    flood(client)
    with page(settings, tmp_path) as tab:
        tab.act("localStorage.setItem('vtox_operator', 'Bob')")
        tab.shows("Site South")
        tab.act("(s => { s.value = 'now'; s.dispatchEvent(new Event('change')); })(action)")
        tab.shows("None of these now.")
        tab.act("(s => { s.value = 'next_stop'; s.dispatchEvent(new Event('change')); })(action)")
        eventually(lambda: len(rows(tab)) == 3)
        assert tab.run("location.search") == "?action=next_stop"
        tab.act(f"{LIST}.querySelector('[data-row^=\"alarm S0\"] .toggle button').click()")
        tab.shows("Can wait for the next stop.")
        tab.shows("criticality 3 of 5, as the nameplate has none, multiplied by severity 4 of 5")
        tab.act("mine.click()")
        eventually(lambda: tab.run("location.search") == "?assignee=Bob&action=next_stop")


def test_what_is_picked_is_assigned_and_closed_at_once(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    flood(client)
    form = "document.querySelector('#bulkform form')"
    with page(settings, tmp_path) as tab:
        tab.act("localStorage.setItem('vtox_operator', 'Bob')")
        tab.shows("Site South")
        for row in ("group", "alarm M1"):
            tab.act(f"{LIST}.querySelector('[data-row^=\"{row}\"] .pick input').click()")
        tab.shows("7 picked:")
        tab.act("document.querySelector('[data-bulk=assign]').click()")
        assert tab.run(f"{form}.assignee.value") == "Bob", "it is who acts unless changed"
        tab.act(f"{form}.assignee.value = 'Eve'")
        tab.act(f"{form}.requestSubmit()")
        eventually(lambda: tab.run(PICKED) == 0)
        tab.shows("Eve (7 open)")
        tab.act("(s => { s.value = 'Eve'; s.dispatchEvent(new Event('change')); })(assignee)")
        eventually(lambda: len(rows(tab)) == 2)
        assert tab.run("location.search") == "?assignee=Eve"
        tab.act(f"{LIST}.querySelector('thead input').click()")
        tab.act("document.querySelector('[data-bulk=close]').click()")
        tab.act(f"{form}.outcome.value = 'other_cause'")
        tab.act(f"{form}.requestSubmit()")
        tab.shows("None of these now.")
    alarms = advance(client).alarms
    assert sum(a.outcome == "other_cause" and a.closed_by == "Bob" for a in alarms.values()) == 7
    assert alarms["S0:broken_bar:1"].assignee == ""


def test_a_key_that_may_only_read_sees_all_and_changes_nothing(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    key, _ = apikeys.create(client, ["read"], "Ada")
    with page(settings, tmp_path) as tab:
        tab.act(f"document.querySelector('#key').value = '{key}'")
        tab.act("document.querySelector('button').click()")
        tab.shows("This key may read alarms, not act on them.")
        tab.shows("Impacts of the outer race")
        assert offered(tab) == "history"
        assert tab.run(f"{LIST}.querySelector('.pick input').offsetParent") is None


def test_a_service_that_does_not_respond_is_named_and_what_was_typed_stays(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    with page(settings, tmp_path) as tab:
        tab.act(press("comment"))
        tab.act(type_in("by", "Ada"))
        tab.act(type_in("comment", "half a sen"))
        tab.act("real = window.fetch; window.fetch = () => Promise.reject(new TypeError())")
        tab.shows("The API does not respond.")
        assert "Impacts of the outer race" in tab.text()
        tab.act(SUBMIT)
        tab.shows("Try again")
        tab.act("window.fetch = real")
        tab.act(f"{FORM}.querySelector('.message button').click()")
        tab.shows("half a sen")
        eventually(lambda: "does not respond" not in tab.text())
    assert client.xlen(keys.ALARM_ACTIONS) == 1


def test_times_are_in_utc_on_demand_and_a_telephone_has_room(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    raise_alarm(client)
    with page(settings, tmp_path) as tab:
        zone = {"timezoneId": "Asia/Shanghai"}
        tab.command("Emulation.setTimezoneOverride", tab._session, **zone)
        tab.act("location.reload()")
        tab.shows("25 Nov 2025, 00:00:00")
        tab.act("[...document.querySelectorAll('#others button')].pop().click()")
        tab.shows("24 Nov 2025, 16:00:00 UTC")
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)


def test_without_alarms_the_page_says_so_and_the_console_nothing(
    settings: Settings, client: Client
) -> None:
    with serving_app(create_app(settings)) as http:
        address = str(http.base_url.join("/alarms"))
        with chromium(address) as tab:
            tab.shows("None so far. An alarm appears here")
        assert console_of(address) == []
