"""The pages as Chromium shows them; skipped where there is none on the path."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.integration.api.browser import document_of, needs_browser, pages
from tests.integration.api.test_machines import commit_health
from tests.integration.api.test_status import bring_up
from vtox.motor.values.domain import Motor, reason
from vtox.motor.words.catalogue import Sentence, catalogue
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.system_alarms import Condition, keep
from vtox.pipeline.store.ledger.absent_processes import report_absent
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser


@pytest.fixture
def base(settings: Settings, client: Client) -> Iterator[str]:
    with pages(settings) as address:
        yield address


def test_conductance_is_in_siemens_and_other_seconds_are_not(base: str, client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    latest = json.loads(client.hget(keys.machine("M1"), "latest:bearing") or b"")
    told = {"conductance_s": 0.25, "conductance_std_s": 0.5, "searched_s": 0.75}
    latest["detail"]["indicators"] = told
    client.hset(keys.machine("M1"), "latest:bearing", json.dumps(latest))
    page = document_of(f"{base}/machines/M1")
    assert [unit for unit in re.findall(r"0\.(?:25|5|75) (\w)\b", page)] == ["S", "S", "s"]


@pytest.mark.parametrize("name", ["NOBODY", "a%20b"])
def test_a_machine_that_nobody_knows(base: str, name: str) -> None:
    page = document_of(f"{base}/machines/{name}")
    assert "<h1>No such machine</h1>" in page
    assert f"<b>{name.replace('%20', ' ')}</b>" in page
    sections = re.findall(r'<(?:section|div) class="(?:panel|two)"[^>]*>', page)
    assert "Nameplate" in page
    assert all("hidden" in s for s in sections if "two" in s or "kept" in s), sections


def test_a_machine_says_where_it_is_and_not_its_name_twice(base: str, client: Client) -> None:
    commit_health(client, "M1", bearing="normal")
    machines.register(client, "M1", Motor(site="Harbour", asset_path="Crusher 3/fan"))
    for vehicle, said in (("M1", ""), ("Truck-7", " · vehicle Truck-7")):
        client.hset(keys.machine("M1"), "vehicle_id", vehicle)
        page = document_of(f"{base}/machines/M1")
        assert f"{said} · Harbour, Crusher 3 / fan</span>" in page
        assert ("vehicle" in page.partition('id="seen"')[2].partition("</span>")[0]) is bool(said)


def test_a_card_shows_reason_doubts_and_what_to_do(
    base: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code in ("rotor_blue", "paint_wet"):
        monkeypatch.setitem(
            catalogue("en").sentences, code, Sentence(f"so: {code}", f"Mind {code}.")
        )
    commit_health(client, "M1", bearing="warning")
    latest = json.loads(client.hget(keys.machine("M1"), "latest:bearing") or b"")
    latest |= {"code": "rotor_blue", "reason": "so: rotor_blue; so: paint_wet"}
    latest["detail"]["doubts"] = [{"code": "paint_wet", "values": {}}]
    client.hset(keys.machine("M1"), "latest:bearing", json.dumps(latest))
    page = document_of(f"{base}/machines/M1")
    assert '<p class="why">So: rotor_blue</p>' in page
    assert "<b>Doubt: </b>so: paint_wet" in page
    assert "<b>What to do</b><p>Mind rotor_blue.</p><p>Mind paint_wet.</p>" in page


def test_rows_tell_what_is_wrong(base: str, client: Client) -> None:
    commit_health(client, "V028", turn_short="warning")
    commit_health(client, "excavator-left-travel-motor-7", broken_bar="fault", bearing="fault")
    page = document_of(base)
    assert ">Warning: Turn short</b>" in page
    assert ">Fault: Bearing, Broken bar</b>" in page
    assert 'title="V028\nWarning: Turn short: Because of turn_short' in page


def test_the_page_begins_with_what_is_wrong_with_the_system(base: str, client: Client) -> None:
    bring_up(client)
    calm = document_of(base)
    assert "nothing is wrong" in calm
    assert '<ul id="alarms" aria-live="polite"></ul>' in calm
    why = reason("queue_without_worker", queue="bearing", windows=7)
    keep(client, Condition(name="workers:bearing", holds=True, why=why, level="fault"), 30)
    client.srem(keys.WORKERS, "bearing@h")
    page = document_of(base)
    assert "one thing is wrong" in page, "the alarm and the check of the same name are one"
    assert "No worker takes the tasks of queue bearing: 7 windows wait for it</b>" in page
    assert "<code>celery -A vtox worker -Q</code>" in page
    assert "<b>System</b>No worker: bearing" in page, "among the alerts, with no machine"


def test_a_process_that_does_not_start_is_named(base: str, client: Client) -> None:
    bring_up(client)
    report_absent(client, "h", {"mqtt": "no mapping"})
    page = document_of(base)
    assert "Mqtt: it does not start on h: no mapping" in page


@pytest.mark.parametrize("path", ["/", "/cluster", "/docs", "/machines/V028", "/machines/NOBODY"])
def test_no_page_is_pushed_sideways(base: str, client: Client, path: str) -> None:
    # As narrow as a window of Chromium gets.
    commit_health(client, "V028", turn_short="warning")
    client.hset(keys.machine("V028"), "vehicle_id", "a" * 64)
    assert 'data-sideways="0"' in document_of(base + path, width=500)
