"""`vtox status`, `doctor` and `dead-letters` against a real server."""

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner, Result

from tests.cluster import free_ports
from tests.integration.helpers import add_window, bridging, eventually
from vtox.cli.main import application, main
from vtox.motor.values.domain import reason
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.store.alarms.system_alarms import Condition, keep
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.heartbeats import HostScaling
from vtox.pipeline.store.server.client import Client, server_time
from vtox.pipeline.store.stream.window_log import create_group
from vtox.pipeline.store.system.status import snapshot


@pytest.fixture(autouse=True)
def on_the_test_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("VTOX_DATA_DIR", str(settings.data_dir))


def run(*arguments: str, width: int = 100) -> Result:
    result = CliRunner().invoke(application(), arguments, env={"COLUMNS": str(width)})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def as_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def letter_id(client: Client, settings: Settings) -> str:
    """Id of the dead letter of a malformed window."""
    with bridging(settings):
        add_window(client, seq=7, fs_hz=-1)
        eventually(lambda: client.xlen(keys.DEAD_LETTERS))
    return str(client.xrange(keys.DEAD_LETTERS)[0][0].decode())


def test_status_of_an_empty_system() -> None:
    assert "degraded" in run("status").stdout
    found = as_json("status")
    assert found["throughput"] is None
    assert found["workers"] == []


def test_status_shows_the_group_as_xinfo_does(client: Client) -> None:
    create_group(client, keys.RAW)
    for seq in range(3):
        add_window(client, seq=seq)
    ((_, read),) = client.xreadgroup(keys.GROUP, "c", {keys.RAW: ">"}, count=2)
    assert "3 entries, group vtox: lag 1, pending 2, entries-read 2" in run("status").stdout
    assert as_json("status")["group"] == {
        "stream": keys.RAW,
        "name": keys.GROUP,
        "lag": 1,
        "pending": 2,
        "entries_read": 2,
        "last_delivered": read[-1][0].decode(),
    }


def test_status_fits_a_narrow_terminal() -> None:
    assert max(map(len, run("status", width=60).stdout.splitlines())) <= 60


def test_doctor_has_a_remedy_for_each_failure() -> None:
    found = as_json("doctor")
    by_name = {c["name"]: c for c in found["checks"]}
    assert found["status"] == "fail"
    assert "vtox bridge" in by_name["bridge"]["remedy"]
    assert "celery -A vtox worker -Q bearing" in by_name["workers:bearing"]["remedy"]
    assert by_name["version"]["status"] == "pass"
    assert by_name["persistence"]["status"] == "pass"
    assert by_name["clock"]["status"] == "pass"


def test_alarms_of_the_system_are_shown_with_what_to_do(client: Client) -> None:
    why = reason("memory_high", used_percent=83.0)
    keep(client, Condition(name="memory", holds=True, why=why), 30)
    said = " ".join(run("status").stdout.split())
    in_use = r"memory: 83 % of the server's memory limit is in use; for \d+ s. Add workers"
    assert re.search(in_use, said)
    assert as_json("status")["alarms"][0]["values"] == {"used_percent": 83.0}
    (check,) = (c for c in as_json("doctor")["checks"] if c["name"] == "alarm memory")
    assert (check["status"], check["remedy"][:11]) == ("warn", "Add workers")


def test_doctor_exits_1_if_a_check_fails() -> None:
    assert run("doctor").exit_code == 1


def test_doctor_without_a_server_makes_the_other_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", "redis://:hidden@127.0.0.1:1/0")
    result = run("doctor")
    assert result.exit_code == 1
    assert "start it" in result.stdout
    assert "hidden" not in result.stdout


def test_doctor_gives_one_remedy_for_a_missing_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VTOX_REDIS_URL")
    (found,) = (c for c in as_json("doctor")["checks"] if c["name"] == "server")
    assert found["status"] == "fail"
    assert found["remedy"].count("vtox up") == 1
    assert "`vtox" not in found["observed"]


def test_doctor_does_not_advise_an_embedded_server_without_a_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("VTOX_REDIS_URL")
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    (found,) = (c for c in as_json("doctor")["checks"] if c["name"] == "server")
    assert "abacus" in found["observed"]
    assert "vtox up" not in found["observed"] + found["remedy"]
    assert "VTOX_REDIS_URL" in found["remedy"]


def test_dead_letters_are_listed_and_shown_with_their_entry(letter_id: str) -> None:
    (listed,) = as_json("dead-letters", "list")
    assert listed["id"] == letter_id
    assert listed["code"] == "bad_rate"
    assert listed["replayable"]
    shown = as_json("dead-letters", "show", letter_id)
    assert shown["entry"]["seq"] == "7"
    assert shown["entry"]["ia"] == "<2000 bytes>"
    assert "bad_rate" in run("dead-letters", "show", letter_id).stdout


def test_a_list_of_dead_letters_fits_a_narrow_terminal(client: Client) -> None:
    reason = "5 starts without a result, the last by turn_short@8a7d: killed"
    letter = {"machine_id": "excavator-7", "seq": "12345", "family": "turn_short"}
    client.xadd(keys.DEAD_LETTERS, letter | {"code": "too_many_attempts", "reason": reason})
    lines = run("dead-letters", "list", width=80).stdout.splitlines()
    assert [line.split()[1:] for line in lines[:2]] == [
        ["machine", "seq", "family", "code"],
        ["excavator-7", "12345", "turn_short", "too_many_attempts"],
    ]
    assert lines[2:] == [f"  {reason}"]
    assert max(map(len, lines)) <= 80
    assert as_json("dead-letters", "list")[0]["time"] is None


def test_a_replayed_dead_letter_is_a_window_again(letter_id: str, client: Client) -> None:
    (sent,) = as_json("dead-letters", "replay", letter_id)
    ((entry_id, fields),) = client.xrange(keys.RAW, sent["stream_id"], sent["stream_id"])
    assert entry_id.decode() == sent["stream_id"]
    assert fields[b"replay_of"].decode() == letter_id
    assert b"replay_family" not in fields
    assert fields[b"seq"] == b"7"
    assert client.xlen(keys.DEAD_LETTERS) == 0


def test_a_replay_is_for_the_family_that_failed(client: Client) -> None:
    letter = {"family": "bearing", "t": "1", "entry.machine_id": "V1", "entry.replay_family": "x"}
    letter_id = client.xadd(keys.DEAD_LETTERS, letter).decode()
    run("dead-letters", "replay", letter_id)
    ((_, fields),) = client.xrange(keys.RAW)
    assert fields[b"replay_family"] == b"bearing"


def test_all_dead_letters_are_replayed_in_order(client: Client) -> None:
    for seq in range(3):
        client.xadd(keys.DEAD_LETTERS, {"family": "", "t": "1", "entry.seq": str(seq)})
    client.xadd(keys.DEAD_LETTERS, {"family": "", "t": "1", "reason": "entry not kept"})
    run("dead-letters", "replay", "--all")
    assert [f[b"seq"] for _, f in client.xrange(keys.RAW)] == [b"0", b"1", b"2"]
    assert client.xlen(keys.DEAD_LETTERS) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dead-letters", "replay"], "--all"),
        (["dead-letters", "show", "77-0"], "no dead letter 77-0"),
        (["dead-letters", "show", "seven"], "no dead letter seven"),
        (["up", "--without", "brigde"], "expected one of server, bridge"),
        (["server"], "VTOX_REDIS_URL is set"),
        (["demo", "--fault-mode", "absurd"], "expected one of light"),
    ],
)
def test_errors_are_one_line_and_status_two(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["vtox", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def refused(arguments: str) -> str:
    """The one line of a command that ends with status two."""
    command = [sys.executable, "-m", "vtox", *arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that is a file, and no server but the embedded one."""
    path = tmp_path / "file"
    path.write_text("")
    monkeypatch.setenv("VTOX_DATA_DIR", str(path))
    monkeypatch.delenv("VTOX_REDIS_URL")
    return path


@pytest.mark.parametrize("command", ["up", "demo", "server", "keys create Ada"])
def test_an_unusable_data_folder_is_an_error(command: str, no_folder: Path) -> None:
    message = refused(command)
    folder = no_folder / "demo" if command == "demo" else no_folder
    assert message.startswith(f"vtox: VTOX_DATA_DIR {folder} ")


@pytest.mark.parametrize("command", ["status", "bridge", "machines list"])
def test_an_unreadable_server_address_is_an_error(command: str, no_folder: Path) -> None:
    assert "Not a directory" in refused(command)


def test_doctor_reports_an_unusable_data_folder(no_folder: Path) -> None:
    by_name = {c["name"]: c for c in as_json("doctor")["checks"]}
    assert by_name["data"]["status"] == "fail"
    assert str(no_folder) in by_name["data"]["observed"]
    assert "data folder" in by_name["server"]["remedy"]


def test_doctor_has_a_remedy_for_a_damaged_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VTOX_REDIS_URL")
    settings.server_file.write_text("{")
    (found,) = (c for c in as_json("doctor")["checks"] if c["name"] == "server")
    assert str(settings.server_file) in found["observed"]
    assert "restart `vtox up`" in found["remedy"]


def test_doctor_has_a_remedy_for_an_unreadable_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VTOX_REDIS_URL")
    settings.server_file.mkdir()
    (found,) = (c for c in as_json("doctor")["checks"] if c["name"] == "server")
    assert "Is a directory" in found["observed"]
    assert "let this user read it" in found["remedy"]


def test_doctor_says_whether_the_number_of_workers_follows_the_load(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scaling_check() -> dict[str, str]:
        return next(c for c in as_json("doctor")["checks"] if c["name"] == "scaling")

    monkeypatch.setenv("VTOX_CLUSTER_WORKERS", "1-3")
    check = scaling_check()
    assert (check["status"], "VTOX_CLUSTER_WORKERS" in check["observed"]) == ("warn", True)
    report = HostScaling(
        host=socket.gethostname(),
        pid=1,
        last_seen_t=server_time(client),
        workers=2,
        least=1,
        most=3,
        code="workers_suffice",
        values={"busy": 0.5, "age_s": 0.0},
    )
    heartbeats.send(client, report)
    check = scaling_check()
    assert (check["status"], "2 of 1 to 3 workers" in check["observed"]) == ("pass", True)


def test_one_port_for_two_settings_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("VTOX_API_PORT", "5555")
    message = "VTOX_API_PORT and VTOX_FLOWER_PORT are both 5555"
    assert message in refused("up")
    assert list(settings.data_dir.iterdir()) == []
    (found,) = (c for c in as_json("doctor")["checks"] if c["name"] == "ports")
    assert message == found["observed"]


def test_doctor_recognises_a_stopped_process_of_ours_by_its_port(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("VTOX_COORDINATOR_PORT", str(port))
    monkeypatch.setenv("VTOX_API_HOST", "0.0.0.0")
    bridge = subprocess.Popen([sys.executable, "-m", "vtox", "bridge"], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: snapshot(client).bridge_alive)
        open_ports = psutil.Process(bridge.pid).net_connections("tcp4")
        (listener,) = (c for c in open_ports if c.status == psutil.CONN_LISTEN)
        assert listener.laddr == ("127.0.0.1", port), "its metrics need no key"
        bridge.send_signal(signal.SIGSTOP)
        eventually(lambda: not snapshot(client).bridge_alive)
        by_name = {c["name"]: c for c in as_json("doctor")["checks"]}
    finally:
        bridge.kill()
        bridge.wait()
    assert f"pid {bridge.pid} on host" in by_name["bridge"]["observed"]
    assert f"kill -9 {bridge.pid}" in by_name["bridge"]["remedy"]
    assert "VTOX's own" in by_name["port:bridge"]["observed"]
    assert f"kill -9 {bridge.pid}" in by_name["port:bridge"]["remedy"]


def test_a_wrong_password_is_reported_without_showing_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = settings.working_url().rpartition(":")[2]
    monkeypatch.setenv("VTOX_REDIS_URL", f"redis://:wr0ng@127.0.0.1:{port}")
    assert load().redis_url
    monkeypatch.setattr("sys.argv", ["vtox", "status"])
    with pytest.raises(SystemExit):
        main()
    err = capsys.readouterr().err
    assert "password" in err
    assert "wr0ng" not in err


@pytest.mark.parametrize("command", ["status", "doctor", "bridge", "up"])
def test_a_url_that_cannot_be_read_is_reported_without_its_password(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vtox", command],
        env=os.environ | {"VTOX_REDIS_URL": "redis://:half#other@127.0.0.1:1/0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "%23" in done.stdout + done.stderr
    assert "half" not in done.stdout + done.stderr


def test_doctor_names_the_env_file_that_it_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("VTOX_KEEP__WINDOWS=5s\n")
    (found,) = (c for c in as_json("doctor")["checks"] if c["name"] == "settings")
    assert str(tmp_path / ".env") in found["observed"]


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version").stdout.startswith("vtox 0.")
    helped = run("--help").stdout
    commands = ("up", "demo", "bridge", "server", "simulate", "replay", "diagnose", "status")
    commands += ("machines", "dead-letters", "doctor", "config", "keys")
    assert [c for c in commands if f" {c} " not in helped] == []
