"""A disk without room for the server's log: VTOX is not ready and says why, until there is room."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.waiting import eventually
from vtox import keys
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.monitoring.readiness import Check, checks
from vtox.settings import load
from vtox.store.client import Client, connect
from vtox.store.status import snapshot


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def disk(client: Client) -> Check:
    (check,) = (c for c in checks(snapshot(client)) if c.name == "disk")
    return check


def refused(client: Client) -> bool:
    try:
        client.xadd(keys.RAW, {"ballast": bytes(100_000)})
    except redis.ResponseError as error:
        return "MISCONF" in str(error)
    return False


def test_a_full_disk_is_named_and_forgotten_when_there_is_room(small_disk: Path) -> None:
    with EmbeddedServer(load(data_dir=small_disk)) as server, connect(server.url, "t") as client:
        assert disk(client).status == "pass"
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1000))
        eventually(lambda: refused(client))
        found = disk(client)
        assert found.status == "fail"
        assert "cannot write its append-only log" in found.observed
        assert "VTOX_DATA_DIR" in found.remedy
        ballast.unlink()
        eventually(lambda: disk(client).status == "pass")
        assert not refused(client)
