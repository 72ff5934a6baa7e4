"""This version works on the data folder of each version since 0.2.0 (`tests/data_folder.py`)."""

import tarfile
from collections.abc import Iterator

import httpx
import pytest

from tests.data_folder import ALERTS_AT_ONCE, KEY, MACHINE, OPERATOR
from tests.integration.api.test_spectra import MOTOR
from tests.integration.conftest import serving
from tests.integration.helpers import add_window, bridging, counters, eventually
from tests.paths import ROOT
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.machines.machine_states import load_states
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system import apikeys
from workers import batch
from workers.celery_signals import process

FOLDERS = sorted((ROOT / "tests/data_folders").glob("*.tar.gz"))


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda f: f.name)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, Client]]:
    """Settings and a client of a server on a copy of the folder."""
    folder = tmp_path_factory.mktemp("upgraded")
    with tarfile.open(request.param) as tar:
        tar.extractall(folder, filter="data")
    settings = load(data_dir=folder, batch_wait_ms=1)
    with EmbeddedServer(settings) as server, connect(server.url, "test") as client:
        yield settings, client


@pytest.fixture(scope="module")
def http(upgraded: tuple[Settings, Client]) -> Iterator[httpx.Client]:
    """The API on it, with a key."""
    settings, client = upgraded
    text, _ = apikeys.create(client, ["read"])
    with serving(settings) as opened:
        opened.headers["X-API-Key"] = text
        yield opened


def test_there_is_a_folder_to_upgrade() -> None:
    assert FOLDERS


def test_machine_settings_and_keys_are_kept(upgraded: tuple[Settings, Client]) -> None:
    _, client = upgraded
    (state,) = load_states(client, [MACHINE])
    assert state.motor is not None
    assert state.motor.pole_pairs == MOTOR.pole_pairs
    assert state.sensitivity.by == OPERATOR
    assert state.sensitivity.faults["bearing"] == ALERTS_AT_ONCE
    assert KEY in {key.id for key in apikeys.list_keys(client)}


def test_alarms_results_and_history_are_kept(http: httpx.Client) -> None:
    machine = f"/api/v1/machines/{MACHINE}"
    alarms = http.get("/api/v1/alarms").json()["data"]
    found = [(a["fault"], a["code"], a["acknowledged_by"]) for a in alarms]
    assert ("bearing", "bearing_defect", OPERATOR) in found
    results = http.get(f"{machine}/diagnoses", params={"fault": "bearing"}).json()["data"]
    assert [r["code"] for r in results] == ["bearing_defect"]
    history = http.get(f"{machine}/history", params={"fault": "bearing"}).json()["data"]
    assert history


def test_the_work_goes_on(
    upgraded: tuple[Settings, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, client = upgraded
    monkeypatch.setenv("VTOX_DATA_DIR", str(settings.data_dir))
    process.cache_clear()
    before = counters(client)["windows:turn_short"]
    with bridging(settings, batch.work):
        add_window(client, "M2")
        add_window(client, "M2", 1)
        eventually(lambda: counters(client)["windows:turn_short"] > before)
    process.cache_clear()
