"""Scalars from their senders into the history, each once, and the alarms of their limits."""

from threading import Event
from typing import Any

import httpx
import numpy as np
import pytest

from api.routes.history import SCALARS_PER_PAGE
from tests.integration.conftest import serving
from tests.integration.pipeline.bridge.test_limits import admit, intake
from vtox.motor.values.domain import Motor, Reason, Recording, Window
from vtox.motor.values.scalars import MOST_OF_MACHINE, ScalarReading
from vtox.motor.values.vibration_zones import VELOCITIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import TooManyScalars
from vtox.pipeline.store.alarms.open_alerts import events_after, open_alerts
from vtox.pipeline.store.machines.machines import forget_silent, last_arrivals, register, retire
from vtox.pipeline.store.machines.scalar_room import admit_readings
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.scalars import add_readings, note_no_velocity
from vtox.pipeline.store.stream.window_log import add_window
from vtox.pipeline.windows.wire import encode
from vtox.reporting.history.database import engine_to_write, reading
from vtox.reporting.history.recorder import Recorder
from vtox.reporting.history.retention import delete_older, oldest_kept
from vtox.reporting.history.scalars import latest, quantities
from workers.velocity import velocity_readings

RAW = {"resolution": "raw", "points": 10}
LIMITS = "oil_pressure < 1.2 bar fault; winding > 120 degC warning; winding > 130 degC fault"


def send(client: Client, t: float, name: str, value: float, unit: str) -> None:
    add_readings(client, [ScalarReading("M1", t, name, value, unit)])


def events(client: Client) -> list[tuple[str, str, str, str]]:
    return [(a.fault, a.level, a.event, a.code) for a in events_after(client, "0-0")[0]]


def test_a_reading_that_is_sent_again_counts_once(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = round(server_time(client), 3) - 60
    body = {"t": now, "scalars": {"oil_pressure": [2.1, "bar"], "winding": [80, "degC"]}}
    with serving(settings) as http:
        post = "/api/v1/machines/M1/scalars"
        for sent in (body, body):
            assert http.post(post, json=sent).status_code == 202
        assert client.xlen(keys.SCALARS) == 4
        recorder.record(Event())
        assert client.xlen(keys.SCALARS) == 0, "acknowledged when stored"
        assert http.post(post, json=body).status_code == 202
        recorder.record(Event())
        (oil, winding) = http.get(post).raise_for_status().json()["data"]["scalars"]
        query: dict[str, Any] = {
            "of": "scalars",
            "from_t": now - 60,
            "to_t": now + 60,
            "resolution": "minute",
        }
        found = http.get("/api/v1/machines/M1/history", params=query).raise_for_status().json()
        refused = [
            http.post(post, json=body | what)
            for what in ({"scalars": {"Oil": [2.1, "bar"]}}, {"t": now + 7200}, {"t": now - 7e7})
        ]
    assert (oil["value"], oil["unit"], oil["state"]) == (2.1, "bar", None)
    assert winding["value"] == 80
    series = found["data"]["series"]
    assert {name: sum(s["n"]) for name, s in series.items()} == {
        "scalar:oil_pressure:bar": 1,
        "scalar:winding:degC": 1,
    }
    codes = ["bad_json", "bad_number", "bad_number"]
    assert [(r.status_code, r.json()["code"]) for r in refused] == [(422, c) for c in codes]


def test_a_late_reading_goes_where_it_belongs(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    register(client, "M1", Motor(scalar_limits=LIMITS))
    now = round(server_time(client), 3)
    spooled, ended = now - 3 * 86_400, now - 800 * 86_400
    engine = engine_to_write(settings)
    for _ in range(2):  # sent twice, across a deletion of what is old
        for t in (spooled, spooled + 1, ended):
            send(client, t, "winding", 140.0, "degC")
        recorder.record(Event())
        delete_older(engine, oldest_kept(settings, round(1000 * now)))
    engine.dispose()
    assert int(client.hget(keys.UNREADABLE, "recorder") or 0) == 2, "counted: nothing keeps it"
    assert events(client) == [], "three days ago is not now"
    query: dict[str, Any] = {
        "of": "scalars",
        "from_t": spooled - 60,
        "to_t": spooled + 60,
        "resolution": "minute",
    }
    with serving(settings) as http:
        found = http.get("/api/v1/machines/M1/history", params=query).raise_for_status().json()
    (winding,) = found["data"]["series"].values()
    assert sum(winding["n"]) == 2


def test_limits_raise_and_end_alarms(recorder: Recorder, client: Client) -> None:
    register(client, "M1", Motor(scalar_limits=LIMITS))
    now = server_time(client) - 600
    for k, winding in enumerate((119.0, 125.0, 131.0, 119.0, 117.0)):
        send(client, now + k, "winding", winding, "degC")
        recorder.record(Event())
    # Values that a line delayed say nothing of now, nor do those of another unit.
    send(client, now - 60, "winding", 140.0, "degC")
    send(client, now + 9, "winding", 250.0, "degF")
    recorder.record(Event())
    assert events(client) == [
        ("limit:winding:warning", "warning", "raised", "limit_above"),
        ("limit:winding:fault", "fault", "raised", "limit_above"),
        ("limit:winding:fault", "fault", "cleared", "limit_kept"),
        ("limit:winding:warning", "warning", "cleared", "limit_kept"),
    ]
    send(client, now + 10, "oil_pressure", 1.0, "bar")
    recorder.record(Event())
    (alert,) = open_alerts(client)
    assert (alert.fault, alert.level, alert.code) == (
        "limit:oil_pressure:fault",
        "fault",
        "limit_crossed",
    )
    retire(client, "M1")
    assert [e for _, _, e, _ in events(client)[4:]] == ["raised", "cleared"]


@pytest.mark.parametrize("asked", ["for 60 s", "for 4 readings"])
@pytest.mark.parametrize("at_once", [False, True])
def test_a_crossing_that_lasts_is_one_alarm(
    recorder: Recorder, client: Client, asked: str, *, at_once: bool
) -> None:
    register(client, "M1", Motor(scalar_limits=f"winding > 120 degC warning {asked} back 110"))
    now = server_time(client) - 1200
    # Short crossings; then one that lasts, with values on the limit; then one that ends it.
    values = [125, 125, 119, 125, 125, 125, 119, *[125] * 5, *[119, 121, 112] * 5, 109, 125]
    for k, value in enumerate(values):
        send(client, now + 20 * k, "winding", value, "degC")
        if not at_once or k in (2, 11, 26, 27):
            recorder.record(Event())
    recorder.record(Event())
    assert [(event, code) for _, _, event, code in events(client)] == [
        ("raised", "limit_above"),
        ("cleared", "limit_kept"),
    ]


def test_a_reading_that_comes_again_is_not_counted_twice(
    recorder: Recorder, client: Client
) -> None:
    register(client, "M1", Motor(scalar_limits="winding > 120 degC fault for 2 readings"))
    now = server_time(client) - 600
    for t in (now, now, now):
        send(client, t, "winding", 125, "degC")
        recorder.record(Event())
    assert events(client) == []
    send(client, now + 1, "winding", 125, "degC")
    recorder.record(Event())
    assert [e for _, _, e, _ in events(client)] == ["raised"]


@pytest.mark.parametrize("asked", ["for 60 s", "for 4 readings"])
def test_a_delay_goes_on_after_a_restart(client: Client, settings: Settings, asked: str) -> None:
    register(client, "M1", Motor(scalar_limits=f"winding > 120 degC warning {asked}"))
    now = server_time(client) - 600
    for k, value in enumerate((125, 119, 125, 125, 125)):
        send(client, now + 20 * k, "winding", value, "degC")
    for k, raised in ((5, []), (6, ["raised"])):
        started = Recorder(client, settings)
        started.record(Event())
        started.close()
        assert [e for _, _, e, _ in events(client)] == raised
        send(client, now + 20 * k, "winding", 125, "degC")
        # One that comes again counts once, also after a start.
        send(client, now + 80, "winding", 125, "degC")


def test_scalars_of_a_window_are_those_of_its_start(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    t0 = round(server_time(client), 3) - 5
    scalars: dict[str, tuple[float, str]] = {"oil_pressure": (2.1, "bar")}
    window = Window(
        machine_id="M1", seq=1, t0=t0, fs_hz=1e3, channels={"ia": np.ones(500)}, scalars=scalars
    )
    bad = encode(window) | {"seq": "2", "scalars": "no"}
    with intake(client, settings) as reads:
        for fields in (encode(window), encode(window), bad):
            add_window(client, {k.encode(): _bytes(v) for k, v in fields.items()})
        assert admit(reads) == ["M1"]
    recorder.record(Event())
    with reading(settings) as db:
        assert db is not None
        assert list(latest(db, "M1")) == [(ScalarReading("M1", t0, "oil_pressure", 2.1, "bar"), "")]


@pytest.mark.long
def test_a_machine_has_so_many_names_of_scalars_and_no_more(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = round(server_time(client), 3) - 60
    names = [f"n{k:03}" for k in range(MOST_OF_MACHINE + 3)]
    for name in names:
        send(client, now, name, 1.0, "bar")
    send(client, now, VELOCITIES[0], 1.0, "mm/s")
    recorder.record(Event())
    assert int(client.hget(keys.UNREADABLE, "recorder") or 0) == 3
    post, known = "/api/v1/machines/M1/scalars", {names[0]: [2.0, "bar"]}
    with serving(settings) as http:
        for scalars, status in (
            (known, 202),
            (known | {"new": [1, "bar"]}, 429),
            ({names[0]: [1, "Pa"]}, 429),
            ({VELOCITIES[1]: [1, "mm/s"]}, 202),
        ):
            answer = http.post(post, json={"t": now + 1, "scalars": scalars})
            assert answer.status_code == status, scalars
            assert status == 202 or answer.json()["code"] == "too_many_scalars"
        recorder.record(Event())
        shown = _pages(http, post, limit=100)
        span = {"from_t": now - 60, "to_t": now + 60, "resolution": "minute"}
        of = _pages(http, "/api/v1/machines/M1/history", of="scalars", **span)
        raw = _pages(http, "/api/v1/machines/M1/history", of="scalars", **span | RAW)
        retire(client, "M1")
        recorder.record(Event())
        assert http.post(post, json={"scalars": {"new": [1, "bar"]}}).status_code == 202
    kept = sorted([*names[:MOST_OF_MACHINE], *VELOCITIES[:2]])
    assert [s["name"] for page in shown for s in page["scalars"]] == kept
    assert max(len(page["scalars"]) for page in shown) == 100
    assert next(s for s in shown[0]["scalars"] if s["name"] == names[0])["value"] == 2.0
    for pages in (of, raw):
        assert max(len(page["series"]) for page in pages) == SCALARS_PER_PAGE
        found = {q.split(":")[1] for page in pages for q, s in page["series"].items() if s["t"]}
        assert sorted(found) == kept


def _pages(http: httpx.Client, path: str, **query: Any) -> list[Any]:
    pages, link = [], http.build_request("GET", path, params=query).url.raw_path.decode()
    while link:
        answer = http.get(link).raise_for_status().json()
        pages.append(answer["data"])
        link = answer["next"]
    return pages


def test_a_name_that_ages_out_makes_room_for_another(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    for k in range(MOST_OF_MACHINE):
        send(client, now - 3600, f"n{k}", 1.0, "bar")
    recorder.record(Event())
    engine = engine_to_write(settings)
    two_years_ms = round(1000 * settings.keep.history_hours.s)
    delete_older(engine, oldest_kept(settings, round(1000 * now) + two_years_ms))
    engine.dispose()
    send(client, now, "new", 1.0, "bar")
    recorder.record(Event())
    with reading(settings) as db:
        assert db is not None
        assert quantities(db, "M1") == ["scalar:new:bar"]


@pytest.mark.parametrize("way", ["http", "stream"])
def test_machines_that_send_scalars_alone_count(
    recorder: Recorder, client: Client, settings: Settings, way: str
) -> None:
    few = load(redis_url=settings.redis_url, data_dir=settings.data_dir, max_machines=2)
    recorder.settings = few
    now = server_time(client)
    codes = []
    with serving(few) as http:
        for m in ("M1", "M2", "M3", "M1"):
            if way == "http":
                body = {"t": now, "scalars": {"oil": [2, "bar"]}}
                answer = http.post(f"/api/v1/machines/{m}/scalars", json=body)
                codes.append((answer.status_code, answer.json().get("code")))
            else:
                add_readings(client, [ScalarReading(m, now, "oil", 2.0, "bar")])
    recorder.record(Event())
    assert sorted(last_arrivals(client)) == ["M1", "M2"]
    refused = int(client.hget(keys.UNREADABLE, "recorder") or 0)
    assert (codes[2], refused) == ((429, "too_many_machines"), 0) if codes else refused == 1
    # They have sent no window, and are known as long as they send.
    assert forget_silent(client, now - 60) == 0
    assert forget_silent(client, now + 60) == 2


def test_a_machine_that_is_filled_gets_no_name_more_at_intake(
    recorder: Recorder, client: Client, settings: Settings
) -> None:
    now = server_time(client)

    def admit(first: int, behind: int) -> None:
        readings = [ScalarReading("M1", now, f"n{k}", 1.0, "bar") for k in range(first, behind)]
        admit_readings(client, readings, settings.max_machines)

    admit(0, MOST_OF_MACHINE - 1)
    recorder.record(Event())
    admit(MOST_OF_MACHINE - 1, MOST_OF_MACHINE)
    recorder.record(Event())
    with pytest.raises(TooManyScalars, match="M1 has 256"):
        admit(MOST_OF_MACHINE, MOST_OF_MACHINE + 1)
    admit(0, MOST_OF_MACHINE)


def test_an_import_beyond_the_names_of_a_machine_stores_nothing(
    client: Client, settings: Settings
) -> None:
    readings = [ScalarReading("M1", 1.7e9, f"n{k}", 1.0, "bar") for k in range(MOST_OF_MACHINE + 1)]
    with pytest.raises(TooManyScalars, match="M1 has 256"):
        admit_readings(client, readings, settings.max_machines)
    assert client.xlen(keys.SCALARS) == 0


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


@pytest.mark.parametrize(
    ("support", "zone", "code"), [("rigid", "C", "limit_above"), (None, None, "")]
)
def test_a_velocity_has_a_zone_where_the_machine_has_a_class(
    recorder: Recorder, client: Client, settings: Settings, support: Any, zone: Any, code: str
) -> None:
    motor = Motor(rated_power_w=30e3, support=support)
    register(client, "M1", motor)
    t = np.arange(24_000) / 12e3
    # 3 mm/s rms at 50 Hz.
    x = 3e-3 * np.sqrt(2) * 2 * np.pi * 50 * np.sin(2 * np.pi * 50 * t)
    recording = Recording(channels={"vibration": x}, fs_hz=12e3)
    found_of = velocity_readings("M1", server_time(client), recording, motor)
    add_readings(client, [v for v in found_of if isinstance(v, ScalarReading)])
    recorder.record(Event())
    with serving(settings) as http:
        found = http.get("/api/v1/machines/M1/scalars").raise_for_status().json()["data"]
    assert [s["zone"] for s in found["scalars"]] == [zone] * (zone is not None)
    assert [e[3] for e in events(client)] == [code] * bool(code)
    why = found["why_no_velocity"]
    assert (why and why["code"]) == (None if zone else "velocity_no_class")


def test_a_band_that_is_not_reached_is_said(client: Client, settings: Settings) -> None:
    motor = Motor(rated_power_w=30e3, support="rigid")
    register(client, "M1", motor)
    short = Recording(channels={"vibration": np.ones(2000)}, fs_hz=12e3)
    (why,) = velocity_readings("M1", 1.0, short, motor)
    assert isinstance(why, Reason)
    note_no_velocity(client, {"M1": why})
    with serving(settings) as http:
        found = http.get("/api/v1/machines/M1/scalars").raise_for_status().json()["data"]
    assert found["why_no_velocity"]["code"] == "velocity_record_too_short"
    assert found["vibration_class"]["ends_mm_s"] == [1.4, 2.8, 4.5]
