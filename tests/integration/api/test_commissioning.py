"""Commissioning by HTTP: a miswired machine, the map that is proposed, set and applied."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest

from tests.integration.helpers import bridging, counters, eventually
from tests.unit.motor.diagnosis.commissioning.test_findings import MOTOR, SWAPPED, wrong
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import CURRENTS, Recording, Window
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines import machine_states, machines
from vtox.pipeline.store.machines.baselines import set_baseline
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.machines.machines import overview
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.windows.wire import encode
from workers import batch
from workers.celery_signals import process

URL = "/api/v1/machines/M1/commissioning"
MAP = "/api/v1/machines/M1/channel-map"


@pytest.fixture
def system(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A bridge whose tasks are executed at once, by the code of the workers."""
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    process.cache_clear()
    with bridging(load(redis_url=settings.redis_url, batch_wait_ms=1), batch.work):
        yield settings
    process.cache_clear()


def send(client: Client, recording: Recording, seq: int) -> None:
    """Send one window of 1 s, with its own noise, and wait for its results."""
    n = round(recording.fs_hz)
    before = counters(client).get("records:turn_short", 0)
    noise = np.random.default_rng(before).normal(0, 1e-3, n)
    channels = {name: x[:n] * (1 + noise) for name, x in recording.channels.items()}
    t0 = time.time() - 60 + seq
    window = Window(machine_id="M1", seq=seq, t0=t0, fs_hz=recording.fs_hz, channels=channels)
    client.xadd(keys.RAW, encode(window))
    eventually(lambda: counters(client).get("records:turn_short", 0) == before + 1)


def test_what_is_proposed_is_set_applied_and_stated(
    fresh_http: httpx.Client, client: Client, system: Settings
) -> None:
    machines.register(client, "M1", MOTOR)
    send(client, wrong(SWAPPED), 0)
    data = fresh_http.get(URL).raise_for_status().json()["data"]
    assert (data["verdict"], [f["code"] for f in data["findings"]]) == (
        "findings",
        ["channels_swapped"],
    )
    assert data["findings"][0]["values"] == {"channels": ["ia", "ib"]}
    assert len(data["phasors"]["phasors"]) == 6
    proposed = data["proposed_channels"]
    assert proposed == {
        "ia": {"channel": "ib", "sign": 1, "ratio": 1.0},
        "ib": {"channel": "ia", "sign": 1, "ratio": 1.0},
    }
    sent: dict[str, Any] = {"channels": proposed, "by": "Ada", "version": 0}
    stored = fresh_http.put(MAP, json=sent).raise_for_status().json()["data"]
    assert (stored["version"], stored["by"], stored["channels"]) == (1, "Ada", proposed)
    assert fresh_http.put(MAP, json=sent).status_code == 409
    send(client, wrong(SWAPPED), 1)
    data = fresh_http.get(URL).raise_for_status().json()["data"]
    assert (data["verdict"], data["channel_map"]["version"]) == ("sound", 1)
    assert data["proposed_channels"] == proposed, "what is in force stays"
    (machine,) = overview(client, ["M1"])
    evidence = machine.diagnoses["turn_short"].evidence
    assert {"kind": "channel_map", "version": 1} in evidence
    assert fresh_http.get("/api/v1/machines/M1/phasors").status_code == 200


def test_a_sender_that_counts_from_0_again_is_looked_at_all_the_same(
    fresh_http: httpx.Client, client: Client, system: Settings
) -> None:
    for _ in range(2):
        send(client, wrong(SWAPPED), 0)
    (machine,) = overview(client, ["M1"])
    latest = machine.diagnoses["turn_short"]
    shown = fresh_http.get("/api/v1/machines/M1/waveform?family=turn_short").raise_for_status()
    assert (latest.run, shown.json()["data"]["record"]["t_start"]) == ("#1", latest.t_start)


def test_diagnoses_say_that_the_baseline_is_of_other_channels(
    fresh_http: httpx.Client, client: Client, system: Settings
) -> None:
    machines.register(client, "M1", MOTOR)
    set_baseline(client, "M1", Baseline().to_json())
    channels = {"ia": {"channel": "ib"}, "ib": {"channel": "ia"}}
    fresh_http.put(MAP, json={"channels": channels, "by": "Ada"}).raise_for_status()
    currents = {n: x for n, x in wrong(SWAPPED).channels.items() if n in CURRENTS}
    send(client, replace(wrong(SWAPPED), channels=currents), 0)
    machine = fresh_http.get("/api/v1/machines/M1").raise_for_status().json()["data"]
    assert machine["baseline_state"]["code"] == "baseline_of_other_channels"
    assert machine["diagnoses"]["turn_short"]["code"] == "baseline_of_other_channels"
    assert not machine["baseline"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "channels"),
        ({"channels": {"ia": {"channel": "ib"}}}, "channels"),
        ({"channels": {"ia": {"sign": 2}}}, "ia.sign"),
        ({"channels": {}, "gain": 1}, "gain"),
        ({"channels": {}, "version": -1}, "version"),
    ],
)
def test_an_impossible_map_is_refused_by_field(
    http: httpx.Client, client: Client, body: dict[str, Any], field: str
) -> None:
    machines.register(client, "M1", MOTOR)
    answer = http.put(MAP, json={"by": "Ada", **body})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_channel_map")
    assert answer.json()["errors"][0]["field"] == field
    assert present_setting(client, "M1", CHANNEL_MAP).version == 0


def test_a_machine_without_samples_or_unknown_has_nothing_to_check(
    http: httpx.Client, client: Client
) -> None:
    assert http.get(URL).status_code == 404
    assert http.get(MAP).status_code == 404
    machines.register(client, "M1", MOTOR)
    assert http.get(URL).json()["code"] == "no_waveform"
    assert http.get(MAP).json()["data"]["channels"] == {}


def test_a_damaged_map_is_none(client: Client) -> None:
    machines.register(client, "M1", MOTOR)
    client.hset(keys.machine("M1"), "channel_map", '{"version": 3, "channels": {"ia": 7}}')
    assert machine_states.load_states(client, ["M1"])[0].channel_map.channels == {}
