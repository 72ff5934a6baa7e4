"""The waveform behind a warning can be listed, saved and diagnosed again."""

from pathlib import Path

import httpx
import pytest

from tests.integration.helpers import add_window
from vtox.motor.files.recordings import read
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

RECORD = "turn_short|V001|1-0"


@pytest.fixture
def waveforms(client: Client) -> None:
    for machine, record, seqs in (("V002", "bearing|V002|9-0", (5,)), ("V001", RECORD, (3, 4))):
        for seq in seqs:
            entry = add_window(client, machine, seq, speed_rpm=1480)
            fields = client.xrange(keys.RAW, entry, entry)[0][1]
            client.xadd(keys.EVIDENCE, {"record": record} | fields)


def registered_machines(client: Client) -> None:
    for machine in ("V001", "V002"):
        machines.register(client, machine, Motor())


def test_by_http(waveforms: None, client: Client, http: httpx.Client, tmp_path: Path) -> None:
    registered_machines(client)
    (found,) = http.get("/api/v1/machines/V001/evidence").json()["data"]
    assert found["channels"] == ["ia"]
    reply = http.get(found["href"])
    assert reply.status_code == 200
    path = tmp_path / "it.npz"
    path.write_bytes(reply.content)
    assert read(path)[0].samples == 2000
    other = http.get(found["href"].replace("/V001/", "/V002/"))
    assert other.status_code == 404
    assert "not of V002" in other.json()["detail"]


def test_the_evidence_of_nobody(waveforms: None, http: httpx.Client) -> None:
    answer = http.get("/api/v1/machines/V001/evidence")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_list_leads_on(client: Client, http: httpx.Client) -> None:
    registered_machines(client)
    for n in range(5):
        for seq in (2 * n, 2 * n + 1):
            for machine in ("V001", "V002"):
                entry = add_window(client, machine, seq)
                fields = client.xrange(keys.RAW, entry, entry)[0][1]
                client.xadd(keys.EVIDENCE, {"record": f"bearing|{machine}|{n}-0"} | fields)
    parts, path = [], "/api/v1/machines/V001/evidence?limit=2"
    while path:
        part = http.get(path).raise_for_status().json()
        parts.append([(w["record"][-3:], w["duration_s"]) for w in part["data"]])
        path = part["next"]
    assert parts == [[("4-0", 2), ("3-0", 2)], [("2-0", 2), ("1-0", 2)], [("0-0", 2)]]
    whole = http.get("/api/v1/machines/V001/evidence?limit=5").json()
    assert (len(whole["data"]), whole["next"]) == (5, None)
    assert http.get("/api/v1/machines/V001/evidence?cursor=x").status_code == 422
