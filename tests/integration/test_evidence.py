"""The waveform behind a warning can be listed, saved and diagnosed again."""

import json
from pathlib import Path

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.integration.helpers import add_window
from vtox import keys
from vtox.cli.main import application
from vtox.readers import read
from vtox.settings import Settings
from vtox.store.client import Client

RECORD = "turn_short|V001|1-0"


@pytest.fixture
def kept(client: Client) -> None:
    for machine, record, seqs in (("V002", "bearing|V002|9-0", (5,)), ("V001", RECORD, (3, 4))):
        for seq in seqs:
            entry = add_window(client, machine, seq, speed_rpm=1480)
            fields = client.xrange(keys.RAW, entry, entry)[0][1]
            client.xadd(keys.EVIDENCE, {"record": record} | fields)


def test_listed_and_saved(
    kept: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    run = CliRunner().invoke
    listed = json.loads(run(application(), ["evidence", "list", "--json"]).stdout)
    assert [w["record"] for w in listed] == [RECORD, "bearing|V002|9-0"]
    assert listed[0]["duration_s"] == 2.0
    path = tmp_path / "it.npz"
    assert run(application(), ["evidence", "save", RECORD, "--out", str(path)]).exit_code == 0
    saved = read(path)
    assert (saved.samples, saved.fs_hz, saved.speed_rpm) == (2000, 1000.0, 1480.0)
    assert np.abs(saved.channels["ia"]).max() == pytest.approx(10.0)
    again = run(application(), ["evidence", "save", RECORD, "--out", str(path)])
    assert "exists already" in str(again.exception)
    gone = run(application(), ["evidence", "save", "bearing|V009|1-0"])
    assert "vtox evidence list" in str(gone.exception)


def test_by_http(kept: None, http: httpx.Client, tmp_path: Path) -> None:
    (found,) = http.get("/api/v1/machines/V001/evidence").json()["data"]
    assert found["channels"] == ["ia"]
    reply = http.get(found["href"])
    assert reply.status_code == 200
    path = tmp_path / "it.npz"
    path.write_bytes(reply.content)
    assert read(path).samples == 2000
    other = http.get(found["href"].replace("/V001/", "/V002/"))
    assert other.status_code == 404
    assert "not of V002" in other.json()["detail"]
