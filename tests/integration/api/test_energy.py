"""Energy by HTTP: the present power of a machine, its counts, and missing values."""

import threading
from dataclasses import replace

import httpx
import numpy as np

from tests.integration.reporting.history.test_energy import add_second
from tests.unit.motor.diagnosis.energy.test_rated_losses import MOTOR
from vtox.motor.values.domain import Record
from vtox.motor.values.energy import ESTIMATES, KEPT, MeterCounts, MeterRow
from vtox.motor.values.terminal_power import POWERS, SUMS
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.energy import ENERGY, metered
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, server_time
from vtox.reporting.history.recorder import Recorder

RECORD = Record(
    machine_id="M1", run="", first_seq=0, last_seq=0, t_start=0.0, t_end=1.0, ids="1-1",
    windows=1, bytes=1,
)  # fmt: skip
HOUR = MeterCounts(
    observed_ms=3_600_000,
    running_ms=3_600_000,
    powered_ms=3_600_000,
    energy_j=7_200_000,
    class_3_ms=3_600_000,
)


def kept_numbers(active_w: float, loss_w: float = np.nan) -> bytes:
    """Encode a reading with these figures alone, and the powers that follow from the first."""
    row = np.full(KEPT, np.nan, "<f8")
    row[1:][POWERS] = active_w, np.nan, 0.0, 0.0
    row[1 + SUMS + ESTIMATES.index("loss_w")] = loss_w
    return row.tobytes()


def energy_of_an_hour(t: float, active_w: float = 2000.0) -> dict[str, str | bytes]:
    """Return the fields of a machine that ran an hour at 2 kW and now draws this power."""
    row = MeterRow(kept_numbers(active_w), MeterCounts.pack(HOUR))
    own = metered(b"", row, replace(RECORD, t_end=t, arrived_ms=1764000000000))
    return {**own.fields, ENERGY: own.reading}


def test_counts_and_reading_are_told_with_what_is_missing(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    now = server_time(client)
    add_second(client, now - 7200, 0, HOUR)
    recorder = Recorder(client, settings)
    recorder.record(threading.Event())
    recorder.close()
    row = MeterRow(kept_numbers(2000.0), load_code="rated_power_unknown")
    row = row._replace(counts=MeterCounts.pack((3_600_000, 0, 3_600_000, 0, 7_200_000)))
    own = metered(b"", row, replace(RECORD, t_end=1764000001.0, arrived_ms=1764000000000))
    client.hset(keys.machine("M1"), mapping={**own.fields, ENERGY: own.reading})
    http = fresh_http
    found = http.get("/api/v1/machines/M1/energy").raise_for_status().json()["data"]
    assert found["total"]["energy_kwh"] == found["meter"]["energy_kwh"] == 2.0
    assert (found["total"]["measured_h"], found["total"]["mean_kw"]) == (1.0, 2.0)
    assert found["hours"] >= 24
    assert found["total"]["load_class_h"] == [0, 0, 1, 0, 0, 0]
    assert found["now"]["figures"] == {
        **{"active_w": 2000.0, "positive_w": 2000.0},
        **{"negative_w": 0.0, "harmonic_w": 0.0},
    }
    assert found["now"]["power_unknown"] is None
    assert found["now"]["load_unknown"]["unlock"] == "nameplate"
    fleet = http.get("/api/v1/energy").raise_for_status().json()["data"]
    assert [(m["machine_id"], m["now_kw"]) for m in fleet["machines"]] == [("M1", 2.0)]
    assert fleet["total"] == found["total"]
    assert fleet["cost"] is found["cost"] is None
    assert found["saving"] == fleet["machines"][0]["saving"]
    assert found["saving"]["code"] == "rated_power_unknown"


def test_a_change_from_the_time_before_has_its_interval(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    at = int(server_time(client)) // 900 * 900 - 3600
    hour = {"powered_ms": 3_600_000, "estimated_ms": 3_600_000, "reactive_vars": 25_000_000}
    for k, shaft_j in enumerate((30_000_000, 33_600_000)):
        counts = MeterCounts(**hour, shaft_j=shaft_j, lost_j=3_600_000)
        add_second(client, at + 900 * k, k, counts)
    recorder = Recorder(client, settings)
    recorder.record(threading.Event())
    recorder.close()
    register(client, "M1", MOTOR)
    query = {"from_t": at + 900, "to_t": at + 1800}
    found = fresh_http.get("/api/v1/machines/M1/energy", params=query).raise_for_status()
    change = found.json()["data"]["change"]
    assert (change["shaft_w"], change["loss_w"], change["code"]) == (1000.0, 0.0, "")
    assert 0 < change["shaft_half_w"] < 0.01 * (MOTOR.rated_power_w or 0)
    query = {"from_t": at, "to_t": at + 900}
    found = fresh_http.get("/api/v1/machines/M1/energy", params=query).raise_for_status()
    assert found.json()["data"]["change"]["code"] == "no_estimated_hours_before"


def test_energy_that_is_not_measured_is_null_and_not_in_the_sum(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    currents_alone = MeterCounts(observed_ms=3_600_000, running_ms=3_600_000)
    for k, counts in enumerate((HOUR, currents_alone, currents_alone)):
        add_second(client, server_time(client) - 7200, k, counts, f"M{k}")
    recorder = Recorder(client, settings)
    recorder.record(threading.Event())
    recorder.close()
    fleet = fresh_http.get("/api/v1/energy").raise_for_status().json()["data"]
    assert [m["counts"]["energy_kwh"] for m in fleet["machines"]] == [2.0, None, None]
    assert [m["counts"]["running_h"] for m in fleet["machines"]] == [1.0, 1.0, 1.0]
    assert (fleet["measured_machines"], fleet["total"]["energy_kwh"]) == (1, 2.0)
    assert fleet["total"]["lost_kwh"] is None, "no load was estimated"
    one = fresh_http.get("/api/v1/machines/M1/energy").raise_for_status().json()["data"]
    assert {one[x]["energy_kwh"] for x in ("total", "meter")} == {None}
    assert one["steps"][0]["counts"]["reactive_kvarh"] is None


def test_power_of_a_site_is_that_of_its_machines_now(
    fresh_http: httpx.Client, client: Client
) -> None:
    now = server_time(client)
    for k, (site, age_s) in enumerate((("Hall", 1), ("Hall", 5), ("", 5), ("Hall", 3600))):
        row = MeterRow(kept_numbers(1500.0, loss_w=100.0))
        own = metered(b"", row, replace(RECORD, t_end=now - age_s))
        plate = f'{{"site": "{site}"}}' if site else "{}"
        client.hset(keys.machine(f"P{k}"), items=[ENERGY, own.reading, "motor", plate])
        client.zadd(keys.MACHINES, {f"P{k}": now - age_s})
    text = fresh_http.get("/metrics").raise_for_status().text
    assert 'vtox_power_kilowatts{site="Hall"} 3.0' in text
    assert 'vtox_power_machines{site="Hall"} 2.0' in text
    assert 'vtox_loss_kilowatts{site=""} 0.1' in text


def test_starts_are_told_with_what_is_permitted(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    now = int(server_time(client))
    for k in range(3):
        values = {"on_s": 0.2, "duration_s": 0.5, "inrush_a": 60.0, "energy_j": 7200.0}
        add_second(client, now - 3000 + 60 * k, k, HOUR, start=values)
    recorder = Recorder(client, settings)
    recorder.record(threading.Event())
    recorder.close()
    plate = '{"max_starts_per_hour": 2}'
    client.hset(keys.machine("M1"), mapping={"motor": plate, "meter": "0 0 1000"})
    http = fresh_http
    found = http.get("/api/v1/machines/M1/starts").raise_for_status().json()["data"]
    assert (found["most_in_an_hour"], found["max_starts_per_hour"]) == (3, 2.0)
    first = found["starts"][-1]
    assert first["t"] == now - 3000 + 0.2
    assert (first["duration_s"], first["inrush_a"], first["energy_kwh"]) == (0.5, 60.0, 0.002)
    assert http.get("/api/v1/machines/NOBODY/starts").status_code == 404


def test_an_unknown_machine_and_an_impossible_time_are_refused(http: httpx.Client) -> None:
    assert http.get("/api/v1/machines/NOBODY/energy").status_code == 404
    assert http.get("/api/v1/energy?from_t=10&to_t=5").status_code == 422
