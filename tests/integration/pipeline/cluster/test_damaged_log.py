"""The embedded server's log on a full or read-only disk, torn and damaged: errors, and recovery."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import redis

from tests.integration.conftest import serving
from tests.small_disk import Disk, disk
from tests.waiting import eventually
from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import embedded_server as module
from vtox.pipeline.cluster import log_repair
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import ServerUnavailable, SettingsError
from vtox.pipeline.monitoring.doctor import inspect
from vtox.pipeline.monitoring.readiness import Check
from vtox.pipeline.store.server.client import connect

__all__ = ["disk"]

ENTRIES = 40
PAYLOAD = bytes(1000)
WINDOW = {"seq": 1, "t0": 1.0, "fs_hz": 1000, "channels": {"ia": [0.1] * 1000}}


def add_entries(settings: Settings, n: int = ENTRIES) -> int:
    """Start a server, add entries, and return how many it has."""
    with EmbeddedServer(settings) as server, connect(server.url, "test") as client:
        for _ in range(n):
            client.xadd("s", {"p": PAYLOAD})
        return int(client.xlen("s"))


def newest_log(settings: Settings) -> Path:
    folder = settings.data_dir / "valkey" / "appendonlydir"
    return max(folder.glob("*.incr.aof"), key=lambda f: int(f.name.split(".")[2]))


def doctor(settings: Settings, name: str) -> Check:
    return next(c for c in inspect(settings) if c.name == name)


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return load(data_dir=tmp_path, redis_url=None)


def test_of_a_torn_log_all_but_the_torn_entry_is_kept(own: Settings) -> None:
    add_entries(own)
    file = newest_log(own)
    os.truncate(file, file.stat().st_size - 7)
    assert add_entries(own, 0) == ENTRIES - 1
    assert add_entries(own, 2) == ENTRIES + 1


def test_a_damaged_log_is_refused_until_it_is_repaired_and_its_copy_is_kept(own: Settings) -> None:
    add_entries(own)
    file = newest_log(own)
    whole = file.read_bytes()
    with file.open("r+b") as damaged:
        damaged.seek(len(whole) // 2)
        damaged.write(b"\xff" * 100)
    with pytest.raises(ServerUnavailable, match="Bad file format") as raised:
        EmbeddedServer(own).start()
    assert "vtox server --repair" in raised.value.remedy
    done = repair(own)
    assert done.returncode == 0, done.stderr
    assert "bytes cut from the damage on" in done.stdout
    (copy,) = (own.data_dir / "valkey").glob("damaged-*")
    assert (copy / file.name).stat().st_size == len(whole)
    kept = add_entries(own, 0)
    assert ENTRIES * 0.4 < kept < ENTRIES * 0.6
    assert add_entries(own, 2) == kept + 2


def repair(settings: Settings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vtox", "server", "--repair"],
        env=os.environ | {"VTOX_DATA_DIR": str(settings.data_dir)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_the_log_of_a_running_server_is_not_repaired(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.2)
    with EmbeddedServer(own), pytest.raises(SystemStateError, match="another server runs"):
        log_repair.repair(own)


def failed(http: httpx.Client) -> list[str]:
    """Return the names of the checks that fail."""
    checks = http.get("/health/ready").json()["checks"]
    return [name for name, (check, *_) in checks.items() if check["status"] == "fail"]


def fill(server: EmbeddedServer) -> int:
    """Add entries until the server refuses one; return how many it acknowledged."""
    acknowledged = 0
    with connect(server.url, "test", retries=0) as client:
        while True:
            try:
                client.xadd("s", {"p": PAYLOAD})
            except (redis.ResponseError, redis.ConnectionError):
                return acknowledged
            acknowledged += 1


def test_with_a_full_disk_writes_are_refused_and_go_on_when_there_is_space(disk: Disk) -> None:
    settings = load(data_dir=disk.folder, redis_url=None)
    with EmbeddedServer(settings) as server, serving(settings) as http:
        acknowledged = fill(server)
        ready = http.get("/health/ready")
        assert ready.status_code == 503
        (on_disk,) = ready.json()["checks"]["disk"]
        assert on_disk["status"] == "fail"
        assert "VTOX_DATA_DIR" in on_disk["output"]
        assert http.get("/health/live").status_code == 200
        refused = http.post("/api/v1/machines/M1/windows", json=WINDOW)
        assert (refused.status_code, refused.json()["code"]) == (503, "server_full")
        assert "No space left on device" in doctor(settings, "server").observed
        assert "free space" in doctor(settings, "server").remedy
        assert doctor(settings, "data").status == "fail"
        disk.remount("size=64m")
        eventually(lambda: http.post("/api/v1/machines/M1/windows", json=WINDOW).is_success)
        eventually(lambda: "disk" not in failed(http))
        os.kill(server.pid, signal.SIGKILL)
    assert add_entries(settings, 0) == acknowledged


def test_with_fsync_always_a_full_disk_ends_the_server_and_no_entry_is_lost(disk: Disk) -> None:
    settings = load(data_dir=disk.folder, redis_url=None, redis_fsync="always")
    with EmbeddedServer(settings) as server:
        acknowledged = fill(server)
        eventually(lambda: not server.alive())
    assert doctor(settings, "data").status == "fail"
    disk.remount("size=64m")
    assert add_entries(settings, 1) == acknowledged + 1


def test_a_read_only_data_folder_is_named_and_used_again_when_writable(disk: Disk) -> None:
    settings = load(data_dir=disk.folder, redis_url=None)
    add_entries(settings)
    disk.remount("ro")
    with pytest.raises(SettingsError, match=r"VTOX_DATA_DIR .* \(Read-only file system\)"):
        EmbeddedServer(settings).start()
    assert "Read-only file system" in doctor(settings, "data").observed
    disk.remount("rw")
    assert add_entries(settings, 0) == ENTRIES
