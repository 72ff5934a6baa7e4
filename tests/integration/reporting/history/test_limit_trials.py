"""Limits of scalars tried on the history, and ranges of a week without alarms."""

from threading import Event
from typing import Any

import httpx

from vtox.motor.values.domain import Motor
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.open_alerts import events_after
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.scalars import add_readings
from vtox.reporting.history.recorder import Recorder

DAY_S = 86_400
# The first is crossed three times, once for long; the second never for three readings.
LIMITS = "winding > 120 degC warning; winding > 120 degC fault for 3 min back 110"
VALUES = (100, 125, 100, 125, 100, *[125] * 6, 119, 115, 125, 109)


def record(client: Client, settings: Settings, readings: list[ScalarReading]) -> None:
    add_readings(client, readings)
    recorder = Recorder(client, settings)
    recorder.record(Event())
    recorder.close()


def trials(http: httpx.Client) -> dict[str, list[dict[str, Any]]]:
    found = http.get("/api/v1/machines/M1/scalars/limits").raise_for_status()
    data: dict[str, list[dict[str, Any]]] = found.json()["data"]
    return data


def test_a_limit_is_tried_as_it_alarms(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    register(client, "M1", Motor(scalar_limits=LIMITS))
    first = server_time(client) // 60 * 60 - 60 * len(VALUES)
    for k, value in enumerate(VALUES):
        one = ScalarReading("M1", first + 60 * k, "winding", value, "degC")
        record(client, settings, [one])
    alarms = [a.level for a in events_after(client, "0-0")[0] if a.event == "raised"]
    tried = trials(fresh_http)["limits"]
    assert [(x["scalar_limit"]["level"], x["raised"]) for x in tried] == [
        (level, alarms.count(level)) for level in ("warning", "fault")
    ]
    assert [alarms.count(level) for level in ("warning", "fault")] == [4, 1]
    assert tried[0]["readings"] == len(VALUES)


def test_a_range_is_learnt_from_a_week_without_alarms(
    fresh_http: httpx.Client, client: Client, settings: Settings
) -> None:
    register(client, "M1", Motor(scalar_limits="winding > 120 degC fault"))
    now = server_time(client)
    hours = [
        ScalarReading("M1", now - 3600 * k - 1, "winding", 60.0 + k % 25, "degC")
        for k in range(7 * 24)
    ]
    record(client, settings, hours)
    (found,) = trials(fresh_http)["ranges"]
    assert [found[x] for x in ("minimum", "maximum", "low", "high")] == [60.0, 84.0, 54.0, 90.0]
    assert found["to_t"] - found["from_t"] == 7 * DAY_S
    assert found["readings"] == 7 * 24
    # An alarm now: no week ends without it, and none before has readings on five days.
    record(client, settings, [ScalarReading("M1", now, "winding", 130.0, "degC")])
    assert [r for r in trials(fresh_http)["ranges"] if r["maximum"] > 84] == []
