"""Whether an alarm grows, from recorded results: by HTTP in both languages, and in reports."""

from threading import Event

import httpx
import pytest

from api.schemas.common import rfc3339
from tests.integration.conftest import serving
from tests.integration.reporting.history.entries import add_alert, add_result
from vtox.motor.alarms.health.growth import DAY_S
from vtox.motor.words.rendering import render
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.alarm_book import advance
from vtox.pipeline.store.alarms.open_alerts import OpenAlert
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.database import reading
from vtox.reporting.history.growth import machine_growth
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.retention import oldest_kept
from vtox.reporting.reports.history_parts import growth_reasons

pytestmark = pytest.mark.long


def raise_alarm(client: Client, began_s: float, now_s: float, to_dbc: float) -> str:
    """A broken bar found each half hour, from -44.7 dBc on when its alarm was raised."""
    advance(client)
    steps = int((now_s - began_s) // 1800)
    for k in range(steps):
        # The second digit moves a little, as levels do.
        level = -44.7 + (to_dbc + 44.7) * k / (steps - 1) + 0.02 * (-1) ** k
        found = {"lower_sideband_dbc": level, "upper_sideband_dbc": None}
        t = began_s + 1800 * k + 5
        add_result(client, t, fault="broken_bar", state="fault", indicators=found)
    alarm_id = f"M1:broken_bar:{round(1000 * began_s)}"
    add_alert(client, began_s, id=alarm_id, fault="broken_bar", level="fault")
    return alarm_id


@pytest.mark.parametrize(
    ("to_dbc", "days", "course"),
    [(-38.2, 2.0, "rising"), (-44.7, 2.0, "unchanged"), (-38.2, 0.1, "unknown")],
)
def test_an_alarm_says_whether_it_grows(
    recorder: Recorder,
    client: Client,
    settings: Settings,
    to_dbc: float,
    days: float,
    course: str,
) -> None:
    now_s = server_time(client)
    began_s = now_s - days * DAY_S
    alarm_id = raise_alarm(client, began_s, now_s, to_dbc)
    recorder.record(Event())
    with serving(settings) as http:
        english, chinese = (growths(http, alarm_id, language) for language in ("en", "zh"))
        told = http.get("/api/v1/machines/M1/growth").raise_for_status().json()["data"]["faults"]
        assert http.get("/api/v1/machines/M2/growth").status_code == 404
    of_fault = {f["fault"]: f for f in told}["broken_bar"]
    assert (of_fault["state"], of_fault["held"]["code"]) == ("fault", "alert_held")
    assert of_fault["since"] == rfc3339(began_s)
    assert of_fault["growth"] == english, "what its alarm says"
    assert {f["held"]["code"] for f in told} == {"alert_held", "state_unrecorded"}
    for g, language in ((english, "en"), (chinese, "zh")):
        assert (g["course"], g["code"]) == (course, f"growth_{course}")
        assert g["sentence"] == render(g["code"], g["values"], language)  # type: ignore[arg-type]
    if course == "unknown":
        assert (english["then_db"], english["now_db"], english["slope_db"]) == (None, None, None)
    else:
        assert english["then_db"] == pytest.approx(-44.7, abs=0.5)
        assert english["now_db"] == pytest.approx(to_dbc, abs=0.5)
        assert english["slope_db"] == pytest.approx((to_dbc + 44.7) / days, abs=0.3)
    report = report_lines(settings, now_s, began_s)
    assert report == [f"growth_{course}"]


def growths(http: httpx.Client, alarm_id: str, language: str) -> dict[str, object]:
    """The growth by the alarm itself and by the list of alarms, which agree."""
    headers = {"Accept-Language": language}
    (listed,) = http.get("/api/v1/alarms", headers=headers).raise_for_status().json()["data"]
    one = http.get(f"/api/v1/alarms/{alarm_id}", headers=headers).raise_for_status().json()["data"]
    assert listed["growth"] == one["growth"]
    found: dict[str, object] = one["growth"]
    return found


def report_lines(settings: Settings, now_s: float, began_s: float) -> list[str]:
    alert = OpenAlert(
        id="x", machine_id="M1", fault="broken_bar", level="fault", t=began_s, code="", reason=""
    )
    with reading(settings) as db:
        reasons = growth_reasons(db, alert, now_s, oldest_kept(settings, round(1000 * now_s)))
    return [r["code"] for r in reasons]


def test_what_is_no_fault_of_a_machine_does_not_grow(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    advance(client)
    alarm_id = f"M1:silent:{round(1000 * server_time(client))}"
    add_alert(client, server_time(client), id=alarm_id, fault="silent", level="warning")
    assert machines.last_arrivals(client) == {}
    with serving(settings) as http:
        assert growths(http, alarm_id, "en") is None


@pytest.mark.parametrize(
    ("records", "alerts", "state", "code", "held_h"),
    [
        ({72: "normal", 1: "normal"}, (), "normal", "never_alerted", 72),
        (
            {72: "normal", 1: "normal"},
            (("raised", 48), ("cleared", 30)),
            "normal",
            "no_alert_held",
            30,
        ),
        (
            {72: "normal", 1: "normal"},
            (("raised", 48), ("escalated", 6)),
            "warning",
            "alert_held",
            6,
        ),
        ({72: "normal", 50: "normal", 1: "unknown"}, (), "unknown", "undecided_held", 50),
        ({72: "unknown", 1: "unknown"}, (), "unknown", "never_decided", 72),
    ],
)
def test_how_long_a_state_has_lasted(
    recorder: Recorder,
    client: Client,
    settings: Settings,
    records: dict[int, str],
    alerts: tuple[tuple[str, int], ...],
    state: str,
    code: str,
    held_h: int,
) -> None:
    now_s = server_time(client)
    for ago_h, found in records.items():
        add_result(client, now_s - 3600 * ago_h, state=found)
    for event, ago_h in alerts:
        add_alert(client, now_s - 3600 * ago_h, event)
    recorder.record(Event())
    with reading(settings) as db:
        grown = machine_growth(db, "M1", now_s, oldest_kept(settings, round(1000 * now_s)))
    found_of = {g.fault: g for g in grown}["bearing"]
    assert (found_of.state, found_of.held.code) == (state, code)
    assert found_of.since_t == pytest.approx(now_s - 3600 * held_h, abs=3600)
    assert found_of.growth.course == "unknown"
