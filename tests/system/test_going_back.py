"""The build before this one works on a data folder that this one wrote.

`tests/data_folders/build_before` names its commit: that of the last release, or the first one until
there is a release. It changes with a release only.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cluster import Cluster, cluster
from tests.data_folder import MACHINE, OF_SYSTEM, OPERATOR, fill
from tests.integration.api.test_audit import FALSE_ALARM
from tests.paths import ROOT
from tests.waiting import eventually
from vtox.pipeline.store.machines.dismissals import DISMISSALS
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.system import apikeys
from workers.celery_signals import process

pytestmark = pytest.mark.long

COMMIT = (ROOT / "tests/data_folders/build_before").read_text().strip()
HERE = ("--without", "workers", "--without", "flower")


@pytest.fixture(scope="module")
def build_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build before, which runs with the packages of this one."""
    folder = tmp_path_factory.mktemp("build_before")
    tree = folder / "tree.tar"
    subprocess.run(["git", "-C", str(ROOT), "archive", "-o", str(tree), COMMIT], check=True)
    subprocess.run(["tar", "xf", str(tree), "-C", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def went_back(
    tmp_path_factory: pytest.TempPathFactory, build_before: Path
) -> Iterator[tuple[Cluster, httpx.Client]]:
    """The build before on a data folder of this one, and an HTTP client of it."""
    folder = tmp_path_factory.mktemp("went_back")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VTOX_DATA_DIR", "")  # `fill` sets it
        process.cache_clear()
        fill(folder / "data")
        process.cache_clear()
    with cluster(folder, *HERE, build=build_before) as started:
        url = f"http://127.0.0.1:{started.settings.api_port}"
        eventually(lambda: _answers(url), 120, lambda: started.log.read_text()[-5000:])
        text, _ = apikeys.create(started.client(), ["read"])
        with httpx.Client(base_url=url, headers={"X-API-Key": text}) as http:
            yield started, http


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").is_success
    except httpx.TransportError:
        return False


def test_alarms_of_machines_and_of_the_system_are_kept(
    went_back: tuple[Cluster, httpx.Client],
) -> None:
    reply = went_back[1].get("/api/v1/alarms")
    assert reply.status_code == 200
    found = {(a["machine_id"], a["fault"]): a["acknowledged_by"] for a in reply.json()["data"]}
    assert found[MACHINE, "bearing"] == found["", OF_SYSTEM.name] == OPERATOR


def test_open_alerts_and_slots_of_machines_are_kept(
    went_back: tuple[Cluster, httpx.Client],
) -> None:
    machine = went_back[1].get(f"/api/v1/machines/{MACHINE}").raise_for_status().json()["data"]
    assert machine["assessment"]["faults"]["bearing"]["state"] == "fault"


def test_what_was_closed_as_false_is_there_after_the_next_upgrade(
    went_back: tuple[Cluster, httpx.Client],
) -> None:
    with went_back[0].client() as client:
        dismissed = present_setting(client, MACHINE, DISMISSALS).alarms
    assert [d.alarm_id for d in dismissed] == [FALSE_ALARM.id]


def test_no_process_logs_an_error(went_back: tuple[Cluster, httpx.Client]) -> None:
    log = (
        went_back[0].log.read_text() + (went_back[0].settings.data_dir / "cluster.log").read_text()
    )
    assert '"level": "error"' not in log
    assert "Traceback" not in log
