"""The page of the cluster as Chromium shows it, and dead letters that are sent again from it."""

from pathlib import Path
from threading import Event

import httpx

from tests.integration.api.browser import needs_browser
from tests.integration.api.test_fleet_page import page_of
from tests.integration.api.test_status import bring_up
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.helpers import count_work, eventually
from tests.integration.reporting.history.entries import add_metrics
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.system import apikeys, audit
from vtox.pipeline.store.system.audit import Actor
from vtox.reporting.history.recorder import Recorder

LETTER = {
    "stream_id": "5-0",
    "machine_id": "M1",
    "seq": "9",
    "family": "bearing",
    "t": "1764000000",
}
LETTER |= {"t": "1764000000", "code": "bad_length", "reason": "ia: 3 bytes", "attempts": "5"}


def add_letter(client: Client, **fields: str) -> str:
    return str(client.xadd(keys.DEAD_LETTERS, LETTER | fields).decode())


def test_a_dead_letter_is_sent_again_once(http: httpx.Client, client: Client) -> None:
    letter_id = add_letter(client, **{"entry.machine_id": "M1", "entry.seq": "9"})
    url = f"/api/v1/dead-letters/{letter_id}/replay"
    sent = http.post(url).raise_for_status().json()["data"]
    ((entry_id, fields),) = client.xrange(keys.RAW)
    assert (sent["id"], sent["stream_id"]) == (letter_id, entry_id.decode())
    assert (fields[b"seq"], fields[b"replay_family"]) == (b"9", b"bearing")
    assert client.xlen(keys.DEAD_LETTERS) == 0
    assert http.post(url).status_code == 404


def test_a_dead_letter_without_its_window_stays(http: httpx.Client, client: Client) -> None:
    answer = http.post(f"/api/v1/dead-letters/{add_letter(client)}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_replayable")
    assert client.xlen(keys.DEAD_LETTERS) == 1
    assert http.post("/api/v1/dead-letters/x/replay").status_code == 422


def test_sending_again_needs_the_scope_of_operators(http: httpx.Client, client: Client) -> None:
    url = f"/api/v1/dead-letters/{add_letter(client, **{'entry.seq': '9'})}/replay"
    for scope, status in (("read", 403), ("operate", 200)):
        key, _ = apikeys.create(client, [scope], "Ada")
        assert http.post(url, headers={"X-API-Key": key}).status_code == status


def test_a_worker_says_which_task_it_took_last(fresh_http: httpx.Client, client: Client) -> None:
    bring_up(client)
    count_work(client, "bearing@h", "bearing", windows=2, diagnosis_s=0.1, busy_s=3.0)
    workers = fresh_http.get("/api/v1/cluster/status").json()["data"]["workers"]
    ages = {w["name"]: (w["last_family"], w["last_task_age_s"]) for w in workers}
    assert ages["turn_short@h"] == ("", None)
    family, age_s = ages["bearing@h"]
    assert family == "bearing"
    assert 3 <= age_s < 10


@needs_browser
def test_the_cluster_over_time_and_its_dead_letters(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    bring_up(client)
    now = server_time(client)
    for age_s in range(600, 0, -10):
        load = {"machines": 50, "busy": {"bearing": 0.2}, "cpu": 0.5}
        latencies = load | {"latency_p50_ms": 420.0, "latency_p95_ms": 41_237.0}
        add_metrics(client, now - age_s, throughput=49.5, ingest_rate=50.0, **latencies)
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()
    add_letter(client, **{"entry.machine_id": "M1", "entry.seq": "9"})
    add_letter(client, machine_id="M2", reason="no samples")
    with page_of(settings, tmp_path, "/cluster") as tab:
        tab.shows("diagnosed: 49.5\u00a0windows/s")
        tab.shows("median: 420\u00a0ms · ┄ 95 % within: 41\u00a0s")
        tab.shows("95 % within 41\u00a0s")
        tab.shows("the CPU is 50\u00a0% in use")
        assert tab.run("document.querySelectorAll('#plots canvas').length") == 3
        assert tab.run("document.querySelector('#flower').href").endswith(":5555/")
        tab.act("document.querySelector('[data-range=day]').click()")
        assert tab.run("location.search") == "?range=day"
        tab.shows("no samples")
        assert tab.run("document.querySelectorAll('#letters button.go:disabled').length") == 1
        tab.act("document.querySelectorAll('#letters details')[1].open = true")
        tab.act("document.querySelector('#letters button.go:enabled').focus()")
        add_letter(client, machine_id="M3", reason="later")
        tab.shows("later")
        assert tab.run("document.activeElement.className") == "go", "a refresh takes no focus"
        assert tab.run("document.querySelectorAll('#letters details[open]').length") == 1
        tab.act("document.querySelector('#letters button.go:enabled').click()")
        tab.shows("M1, seq 9: sent again as entry")
        assert "ia: 3 bytes" not in tab.text()
    assert client.xlen(keys.RAW) == 1


@needs_browser
def test_a_long_change_widens_neither_a_screen_nor_a_telephone(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    long = tuple(f"bearing.contact_angle_deg_{i}: none -> {i}" for i in range(30))
    actor = Actor(by="Ada", address="vm")
    audit.write(client, actor.deed("nameplate_changed", "M1", changes=long))
    with page_of(settings, tmp_path, "/cluster") as tab:
        tab.shows("bearing.contact_angle_deg_29: none -> 29")
        assert tab.run(SIDEWAYS) <= 0
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)
        cell = "document.querySelector('#changes td:last-child').getBoundingClientRect().width"
        assert tab.run(cell) > 250, "the text has the whole width"
