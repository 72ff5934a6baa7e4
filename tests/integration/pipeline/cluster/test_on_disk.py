"""A window that counts as acknowledged is on disk: with fsync at every write, and by WAITAOF."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from faults.slow_fsync import compiler, slow_fsync
from tests.integration.conftest import serving
from tests.integration.pipeline.cluster.server_kills import trials
from tests.waiting import eventually
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.values import Acknowledgement
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.server.client import connect

FSYNC_S = 0.2
WINDOW = {"seq": 1, "t0": 1.0, "fs_hz": 1000, "channels": {"ia": [0.1] * 1000}}

needs_compiler = pytest.mark.skipif(
    compiler() is None, reason="needs a C compiler and LD_PRELOAD to slow down fdatasync"
)


def post(http: httpx.Client) -> tuple[httpx.Response, float]:
    """Send the window; return the answer and how long it took."""
    began = time.monotonic()
    answer = http.post("/api/v1/machines/M1/windows", json=WINDOW)
    return answer, time.monotonic() - began


@needs_compiler
def test_with_fsync_always_no_acknowledged_window_is_lost_by_kills(tmp_path: Path) -> None:
    with slow_fsync(tmp_path, FSYNC_S):
        done = trials(8, per_s=50.0, kill_after_s=(0.5, 1.5))
    assert sum(t.acknowledged for t in done) > 8
    assert [t.lost for t in done] == [0] * 8


@needs_compiler
def test_by_http_a_window_is_accepted_once_the_embedded_server_has_it_on_disk(
    tmp_path: Path,
) -> None:
    settings = load(data_dir=tmp_path, redis_url=None, redis_fsync="always", ack="disk")
    with slow_fsync(tmp_path, FSYNC_S), EmbeddedServer(settings), serving(settings) as http:
        for _ in range(3):
            answer, took_s = post(http)
            assert answer.status_code == 202
            assert took_s > FSYNC_S


def test_acknowledged_on_disk_needs_an_embedded_server_that_syncs_always() -> None:
    with pytest.raises(SettingsError, match="VTOX_REDIS_FSYNC=always"):
        load(redis_url=None, ack="disk")


def test_a_server_that_confirms_what_is_not_on_disk_is_refused(settings: Settings) -> None:
    with serving(settings.model_copy(update={"ack": Acknowledgement(disk=True)})) as http:
        answer, _ = post(http)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_on_disk")
    assert "appendfsync always" in answer.json()["detail"]


@pytest.fixture
def redis_8(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis 8 that syncs every second, slowly."""
    program = shutil.which("redis-server")
    version = subprocess.run([program, "--version"], capture_output=True) if program else None
    if version is None or b" v=8." not in version.stdout or compiler() is None:
        pytest.skip("needs redis-server 8 and a C compiler")
    socket = tmp_path / "redis.sock"
    options = ["--port", "0", "--unixsocket", socket, "--dir", tmp_path]
    options += ["--appendonly", "yes", "--save", ""]
    with (
        slow_fsync(tmp_path, FSYNC_S),
        subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as process,
    ):
        eventually(socket.exists)
        yield f"unix://{socket}"
        process.kill()


def test_by_http_a_window_is_accepted_once_redis_has_it_on_disk(
    redis_8: str, tmp_path: Path
) -> None:
    with serving(load(redis_url=redis_8, ack="disk", data_dir=tmp_path)) as http:
        post(http)
        for _ in range(3):
            answer, took_s = post(http)
            assert answer.status_code == 202
            assert took_s > FSYNC_S


def test_a_window_that_is_not_on_disk_in_time_is_stored_and_may_be_sent_again(
    redis_8: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vtox.pipeline.store.stream.durability.ON_DISK_TIMEOUT_MS", 1)
    settings = load(redis_url=redis_8, ack="disk", data_dir=tmp_path)
    with serving(settings) as http, connect(redis_8, "test") as client:
        answers = [post(http)[0] for _ in range(2)]
        assert {a.status_code for a in answers} == {503}
        assert "it counts once" in answers[-1].json()["detail"]
        assert answers[-1].headers["Retry-After"]
        assert client.xlen(keys.RAW) == 2
