"""Spectra and waveforms by HTTP: of stored records, and of the latest one in the raw stream."""

import csv
import io
import threading
import time
import wave
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from api.state.backend import Backend
from tests.integration.api.test_diagnoses import add_result
from tests.signals import current_lines, vibration
from vtox.motor.diagnosis.diagnosis import diagnose
from vtox.motor.faults import FAMILIES
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Record, Recording, Window
from vtox.pipeline.bridge.deduplication import mark
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import TooBusy
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import encode_results
from vtox.pipeline.windows.wire import UNLIMITED, decode_header, encode

T0 = 1_764_000_000.0
MOTOR = replace(current_lines.MOTOR, bearing=Bearing(orders=dict(vibration.BEARING.defect_orders)))
BROKEN = replace(current_lines.Machine(), lower_dbc=-38.0, upper_dbc=-41.0)


def broken_bars() -> Recording:
    return current_lines.recording(BROKEN, np.random.default_rng(3), speed=True)


def outer_race() -> Recording:
    machine = replace(vibration.Machine(), impacts=(vibration.defect("BPFO"),))
    return vibration.recording(machine, 2.0)


def windows_of(machine_id: str, x: Recording, seconds: float = 1.0, run: str = "") -> list[Window]:
    size = round(seconds * x.fs_hz)
    return [
        Window(
            channels={n: c[k : k + size] for n, c in x.channels.items()},
            fs_hz=x.fs_hz,
            speed_rpm=x.speed_rpm,
            machine_id=machine_id,
            run=run,
            seq=k // size,
            t0=T0 + k / x.fs_hz,
        )
        for k in range(0, x.samples, size)
    ]


def keep_evidence(
    client: Client, machine_id: str, family: str, x: Recording, first_id: str = "1-0"
) -> str:
    """Store a record as the script that commits does; return its name."""
    record = f"{family}|{machine_id}|{first_id}"
    pipe = client.pipeline(transaction=True)
    for window in windows_of(machine_id, x):
        pipe.xadd(keys.EVIDENCE, {"record": record} | encode(window, "f4"))
    pipe.execute()
    return record


def diagnose_in_stream(client: Client, machine_id: str, family: str, x: Recording) -> str:
    """Leave a record in the raw stream with its latest diagnoses, as bridge and workers do."""
    ids = []
    for window in windows_of(machine_id, x, run=family):
        fields = encode(window, "f4")
        entry = client.xadd(keys.RAW, fields).decode()
        raw = client.xrange(keys.RAW, entry, entry)[0][1]
        name = mark(decode_header(raw, UNLIMITED))
        client.hset(keys.known_windows(machine_id), name, entry)
        ids.append(entry)
    record = Record(
        machine_id=machine_id,
        run=family,
        first_seq=0,
        last_seq=len(ids) - 1,
        t_start=T0,
        t_end=T0 + x.duration_s,
        ids=" ".join(ids),
        windows=len(ids),
        bytes=1,
    )
    for d in diagnose(x, MOTOR, faults=FAMILIES[family].faults):
        ((_, text),) = encode_results(family, [(record, d, "")])
        client.hset(keys.machine(machine_id), f"latest:{d.fault}", text)
    client.zadd(keys.MACHINES, {machine_id: time.time()})
    return record.record_id(family)


def spectrum(http: httpx.Client, path: str, **query: object) -> dict[str, Any]:
    reply = http.get(f"/api/v1/{path}/spectrum", params=query)  # type: ignore[arg-type]
    return reply.raise_for_status().json()["data"]


def problem(http: httpx.Client, path: str, **query: object) -> tuple[int, str, list[str]]:
    reply = http.get(f"/api/v1/{path}", params=query)
    body = reply.json()
    return reply.status_code, body["code"], [e["field"] for e in body["errors"]]


@pytest.fixture
def stored(client: Client) -> str:
    machines.register(client, "M1", MOTOR)
    keep_evidence(client, "M2", "bearing", outer_race(), "9-0")
    keep_evidence(client, "M1", "bearing", outer_race(), "7-0")
    return keep_evidence(client, "M1", "broken_bar", broken_bars())


def test_the_sideband_of_a_stored_record_is_that_of_its_diagnosis(
    http: httpx.Client, stored: str
) -> None:
    s = spectrum(http, f"evidence/{quote(stored)}", kind="demodulated", low_hz=40, high_hz=60)
    lower = next(x for x in s["lines"] if x["name"] == "lower sideband 2sf")
    (d,) = diagnose(broken_bars(), MOTOR, faults={"broken_bar"})
    assert lower["level_db"] == pytest.approx(d.indicators["lower_sideband_dbc"], abs=0.01)
    assert (lower["fault"], lower["formula"], lower["found"]) == ("broken_bar", "f(1-2s)", True)
    at = int(np.argmin(np.abs(np.array(s["hz"]) - lower["found_hz"])))
    assert s["levels_db"][at] == pytest.approx(lower["level_db"], abs=0.01)
    assert (s["record"]["record"], s["record"]["source"]) == (stored, "evidence")
    assert 40 <= s["hz"][0]
    assert s["hz"][-1] <= 60
    assert len(s["hz"]) == len(s["levels_db"]) == len(s["floor_db"]) <= 2000
    assert s["levels_db"].count(None) == 1, "the supply line itself is removed"


def test_a_machine_shows_the_stored_record_that_fits_the_kind(
    http: httpx.Client, stored: str
) -> None:
    currents = spectrum(http, "machines/M1", kind="current", channel="ib")
    envelope = spectrum(http, "machines/M1", kind="envelope")
    assert currents["record"]["record"] == stored
    assert envelope["record"]["record"] == "bearing|M1|7-0"
    assert envelope["reference"] == "mean envelope"
    race = next(x for x in envelope["lines"] if x["name"] == "BPFO")
    assert race["found"]
    assert race["low_hz"] < race["found_hz"] < race["high_hz"]
    assert envelope["shaft_hz"] == pytest.approx(24.3, rel=0.01)


def test_the_latest_record_comes_before_stored_ones(
    http: httpx.Client, client: Client, stored: str
) -> None:
    latest = diagnose_in_stream(client, "M1", "broken_bar", broken_bars())
    s = spectrum(http, "machines/M1", kind="demodulated")
    assert (s["record"]["record"], s["record"]["source"]) == (latest, "stream")
    assert (s["record"]["duration_s"], s["record"]["behind_s"]) == (10.0, 0.0)
    envelope = spectrum(http, "machines/M1", kind="envelope")
    assert envelope["record"]["source"] == "evidence"
    assert envelope["record"]["behind_s"] is None, "no diagnosis of bearings to compare with"
    first = latest.rpartition("|")[2]
    client.xdel(keys.RAW, first)
    s = spectrum(http, "machines/M1", kind="demodulated")
    assert s["record"]["record"] == stored, "a record with a hole is not the one diagnosed"


def test_points_are_bounded_and_no_peak_is_lost(http: httpx.Client, stored: str) -> None:
    path = f"evidence/{quote(stored)}"
    few = spectrum(http, path, kind="current", points=100)
    many = spectrum(http, path, kind="current", points=8000)
    assert len(few["hz"]) <= 100 < few["bins"] == many["bins"]
    assert max(few["levels_db"]) == max(many["levels_db"])


def test_a_waveform_in_part(http: httpx.Client, stored: str) -> None:
    path = f"evidence/{quote(stored)}"
    query = {"channel": "ia", "start_s": 2.0, "end_s": 2.04, "points": 500}
    w = http.get(f"/api/v1/{path}/waveform", params=query).raise_for_status().json()["data"]
    assert (w["channel"], w["unit"], w["samples"]) == ("ia", "A", 100)
    assert (w["t_s"][0], len(w["values"])) == (2.0, 100)
    assert max(w["values"]) == pytest.approx(8 * 2**0.5, rel=0.1)
    whole = http.get("/api/v1/machines/M1/waveform", params={"points": 100}).json()["data"]
    assert (whole["samples"], len(whole["t_s"])) == (25_000, 100)


def test_points_are_a_table_and_a_record_is_heard(http: httpx.Client, stored: str) -> None:
    path = f"/api/v1/evidence/{quote(stored)}"
    many = spectrum(http, path.removeprefix("/api/v1/"), kind="current", points=8000)
    query = {"kind": "current", "points": 8000, "format": "csv"}
    table = http.get(f"{path}/spectrum", params=query).raise_for_status()
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert [float(r["hz"]) for r in rows] == many["hz"]
    query = {"channel": "ia", "start_s": 1.0, "end_s": 3.0, "format": "wav"}
    heard = http.get(f"{path}/waveform", params=query).raise_for_status()
    assert heard.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (2500, 5000)
        x = np.frombuffer(sound.readframes(5000), "<i2")
    assert np.abs(x).max() == round(0.9 * 32767)
    assert np.argmax(np.abs(np.fft.rfft(x))) == 100  # 50 Hz in 2 s


def test_phasors_of_a_stored_and_of_the_latest_record(http: httpx.Client, stored: str) -> None:
    path = f"/api/v1/evidence/{quote(stored)}/phasors"
    own = http.get(path).raise_for_status().json()["data"]
    assert [p["channel"] for p in own["phasors"]] == ["ia", "ib", "ic"]
    assert own["phasors"][0]["rms"] == pytest.approx(8.0, rel=0.01)
    assert own["phasors"][1]["angle_deg"] == pytest.approx(-120, abs=1)
    assert own["negative_sequence_ratio"] < 0.01
    assert (own["voltage_unbalance_ratio"], own["lag_deg"]) == (None, None)
    latest = http.get("/api/v1/machines/M1/phasors").raise_for_status().json()["data"]
    assert latest["record"]["record"] == stored


BAD = [
    ("machines/M1/phasors", {"channel": "ia"}, (422, "invalid", ["channel"])),
    ("machines/M2/phasors", {}, (404, "not_found", [])),
    ("machines/M1/spectrum", {"channel": "current"}, (422, "unknown_channel", ["channel"])),
    ("machines/M1/spectrum", {"kind": "cepstrum"}, (422, "invalid", ["kind"])),
    ("machines/M1/spectrum", {"points": 10**6}, (422, "invalid", ["points"])),
    ("machines/M1/spectrum", {"low_hz": 60, "high_hz": 40}, (422, "invalid", ["high_hz"])),
    ("machines/M1/spectrum", {"low_hz": 1e7}, (422, "invalid", ["high_hz"])),
    ("machines/M1/spectrum", {"resolution": 1}, (422, "invalid", ["resolution"])),
    ("machines/M1/spectrum", {"channel": "vibration_y"}, (404, "no_waveform", [])),
    ("machines/NOBODY/spectrum", {}, (404, "not_found", [])),
    ("evidence/none/spectrum", {}, (404, "no_waveform", [])),
    ("evidence/bearing%7CM1%7C8-0/spectrum", {}, (404, "no_waveform", [])),
    ("evidence/{stored}/spectrum", {"kind": "envelope"}, (422, "channel_not_recorded", ["kind"])),
    (
        "evidence/{stored}/spectrum",
        {"kind": "demodulated", "channel": "ia"},
        (422, "channel_not_recorded", ["channel"]),
    ),
    ("evidence/{stored}/waveform", {"channel": "va"}, (422, "channel_not_recorded", ["channel"])),
    ("evidence/{stored}/waveform", {"start_s": 20}, (422, "invalid", ["end_s"])),
]


@pytest.mark.parametrize(("path", "query", "expected"), BAD)
def test_what_cannot_be_shown_is_a_problem_with_a_code(
    http: httpx.Client,
    stored: str,
    path: str,
    query: dict[str, object],
    expected: tuple[int, str, list[str]],
) -> None:
    assert problem(http, path.format(stored=quote(stored)), **query) == expected


def test_a_machine_of_which_nothing_is_kept(http: httpx.Client, client: Client) -> None:
    add_result(client, "M3", 0, "bearing", "normal")
    assert problem(http, "machines/M3/spectrum") == (404, "no_waveform", [])


def test_samples_without_a_supply_line_say_so(http: httpx.Client, client: Client) -> None:
    machines.register(client, "M1", MOTOR)
    flat = Recording({"ia": np.zeros(10_000)}, 1000.0)
    record = keep_evidence(client, "M1", "turn_short", flat)
    assert problem(http, f"evidence/{quote(record)}/spectrum") == (422, "no_spectrum", [])


def test_few_spectra_are_computed_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.state.backend.COMPUTATION_WAIT_S", 0.01)
    backend = Backend(settings)
    free, held = threading.Event(), threading.Barrier(3)

    def hold() -> None:
        with backend.computing():
            held.wait(5)
            free.wait(5)

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for h in holders:
        h.start()
    held.wait(5)
    with pytest.raises(TooBusy), backend.computing():
        pass
    free.set()
    for h in holders:
        h.join()
    with backend.computing():
        pass
