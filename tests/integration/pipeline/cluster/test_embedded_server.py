"""The embedded server: address and data survive, commands are denied, no orphan is left."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from tests.waiting import eventually, is_alive
from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import embedded_server as module
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import PortTaken, ServerKilled, ServerUnavailable
from vtox.pipeline.store.server.client import Client, connect

STARTER = """
import sys, time
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration.settings import load
server = EmbeddedServer(load(data_dir=sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


def test_it_responds_and_persists_by_its_log(client: Client) -> None:
    client.set("a", "1")
    info = client.info("persistence")
    assert client.get("a") == b"1"
    assert info["aof_enabled"] == 1


def test_limits_memory_without_evicting(client: Client, settings: Settings) -> None:
    memory = client.info("memory")
    assert memory["maxmemory"] == settings.redis_maxmemory_mb << 20
    assert memory["maxmemory_policy"] == "noeviction"


@pytest.mark.parametrize(
    "command",
    ["FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET dir", "SHUTDOWN", "MODULE LIST"],
)
def test_denies_dangerous_commands(client: Client, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


@pytest.mark.parametrize(
    "command", ["EVAL return(1) 0", "XLEN motor_raw_data", "CLIENT LIST", "INFO", "TIME", "DBSIZE"]
)
def test_allows_what_clients_need(client: Client, command: str) -> None:
    client.execute_command(*command.split())


def test_refuses_a_client_without_password(server: EmbeddedServer) -> None:
    with connect(f"redis://127.0.0.1:{server.address.port}/0", "stranger") as stranger:
        with pytest.raises(redis.exceptions.AuthenticationError):
            stranger.ping()


def test_password_is_neither_in_the_process_list_nor_readable_by_others(
    server: EmbeddedServer,
) -> None:
    file = server.settings.server_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert server.address.password not in " ".join(psutil.Process(server.pid).cmdline())
    assert server.address.password not in str(psutil.Process(server.pid).environ())


def test_killed_server_comes_back_with_address_and_data(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path)
    with EmbeddedServer(settings) as first:
        with connect(first.url, "test") as client:
            client.xadd("s", {"n": 1})
        os.kill(first.pid, signal.SIGKILL)
        eventually(lambda: not first.alive())
    with EmbeddedServer(settings) as second:
        assert second.url == first.url
        with connect(settings.working_url(), "test") as client:
            assert client.xlen("s") == 1


def test_clients_on_this_host_can_use_the_socket(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path / 'a "b" \\c é')
    with EmbeddedServer(settings) as running:
        url, path = settings.samples_url(), settings.server_socket
        assert path
        assert url.startswith("unix://")
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        with connect(url, "near") as near, connect(running.url, "far") as far:
            near.set("a", "1")
            assert far.get("a") == b"1"
        with connect(url.replace(running.address.password, "guess"), "stranger") as stranger:
            with pytest.raises(redis.exceptions.AuthenticationError):
                stranger.ping()


def test_a_path_too_long_for_a_socket_means_the_port(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path / ("deep" * 30))
    with EmbeddedServer(settings) as running:
        assert settings.samples_url() == running.url


def test_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" \\c é'
    with EmbeddedServer(load(data_dir=folder)) as running, connect(running.url, "test") as client:
        client.set("a", "1")
    assert (folder / "valkey" / "appendonlydir").is_dir()


def test_second_server_on_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKE_OVER_S", 0.2)
    settings = load(data_dir=tmp_path)
    with EmbeddedServer(settings), pytest.raises(SystemStateError) as raised:
        EmbeddedServer(settings).start()
    assert "VTOX_DATA_DIR" in raised.value.remedy


def test_a_port_in_use_is_named(server: EmbeddedServer, tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, redis_port=server.address.port)
    with pytest.raises(PortTaken, match=f"port {server.address.port} ") as raised:
        EmbeddedServer(settings).start()
    assert "VTOX_REDIS_PORT" in raised.value.remedy


def test_a_failed_start_carries_the_last_log_lines(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    (tmp_path / "valkey" / "made-by").write_text("0.2.0\n")
    with pytest.raises(ServerUnavailable, match="manifest"):
        EmbeddedServer(load(data_dir=tmp_path)).start()


def test_data_of_a_build_before_the_first_release_are_refused_and_kept(tmp_path: Path) -> None:
    log = tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.1.incr.aof"
    log.parent.mkdir(parents=True)
    log.write_text("data")
    for _ in range(2):
        with pytest.raises(SystemStateError, match=r"before VTOX 0\.2\.0") as raised:
            EmbeddedServer(load(data_dir=tmp_path)).start()
    assert f"mv {tmp_path} " in raised.value.remedy
    assert log.read_text() == "data"


def test_without_a_program_the_remedy_is_a_server_by_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "mips")
    with pytest.raises(ServerUnavailable) as raised:
        module.program()
    assert "VTOX_REDIS_URL" in raised.value.remedy


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_server_ends_with_the_process_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout
        pid = int(starter.stdout.readline())
        starter.send_signal(how)
        starter.wait()
        eventually(lambda: not is_alive(pid))


def test_killed_guard_is_replaced(tmp_path: Path) -> None:
    with EmbeddedServer(load(data_dir=tmp_path)) as running:
        before = running._guard
        before.kill()
        before.wait()
        assert running.alive()
        assert running._guard.pid != before.pid
        assert before.stdin
        before.stdin.close()


def test_one_that_is_killed_while_it_starts_is_told_from_one_that_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(client: Client) -> None:
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: not is_alive(server.pid))
        raise ServerUnavailable("away")

    server = EmbeddedServer(load(data_dir=tmp_path))
    monkeypatch.setattr(module, "check", kill)
    with pytest.raises(ServerKilled, match="SIGKILL"):
        server.start()
    broken = EmbeddedServer(load(data_dir=tmp_path / "other"), extra="no-such-setting 1\n")
    monkeypatch.undo()
    with pytest.raises(ServerUnavailable) as refused:
        broken.start()
    assert not isinstance(refused.value, ServerKilled)
