"""Users of the server: each role can do its work, and nothing else."""

import json
import stat
import subprocess
from pathlib import Path
from threading import Event

import pytest
import redis
from typer.testing import CliRunner

from tests.cluster import free_ports
from tests.tls_server import system_server
from tests.waiting import eventually
from vtox.cli.main import application
from vtox.motor.values.domain import Motor
from vtox.motor.values.scalars import ScalarReading
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.ports import accepts_connections
from vtox.pipeline.cluster.server_users import GROUP_USERS, ROLES
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms.open_alerts import open_alerts
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client, connect, server_time
from vtox.pipeline.store.server.partition_table import number_in_force
from vtox.pipeline.store.stream.scalars import add_readings
from vtox.pipeline.windows.partitions import Partition
from vtox.reporting.history.recorder import Recorder

MAKE_KEY = "HSET vtox:api-keys mine {}"
TRIM = "XTRIM motor_raw_data MAXLEN 0"
# Commands that an attacker with the password of a role would try first.
DENIED_TO_ALL = (
    MAKE_KEY,
    "FLUSHALL",
    "CONFIG SET requirepass x",
    "ACL SETUSER mine on nopass ~* +@all",
    "KEYS *",
    "SHUTDOWN",
    "MODULE LIST",
    "DEL motor_raw_data",
    "XGROUP DESTROY motor_raw_data vtox",
    TRIM,
    "CLIENT KILL TYPE normal",
    "MONITOR",
    "SCRIPT FLUSH",
    "FUNCTION FLUSH",
    "SCAN 0",
    "RANDOMKEY",
    "RESTORE x 0 x",
)
DENIED = {
    "ingest": (
        "XRANGE motor_raw_data - +",
        "XINFO STREAM motor_raw_data FULL",
        "XLEN fault_diagnosis_results",
        "XADD fault_diagnosis_results * state normal",
        "HGETALL vtox:api-keys",
        "GET vtox:replay-secret",
        "EVAL return(1) 0",
        "LPUSH vtox:bearing x",
        "PUBLISH vtox:/0.celery.pidbox x",
        "INFO",
    ),
    "mqtt": (
        "XRANGE motor_raw_data - +",
        "XADD fault_diagnosis_results * state normal",
        "HGETALL vtox:api-keys",
        "XDEL motor_raw_data 1-1",
        "EVAL redis.call('HSET','vtox:api-keys','a','b') 0",
    ),
    "reader": (
        "XADD motor_raw_data * a 1",
        "XRANGE motor_raw_data - +",
        "XRANGE evidence - +",
        "XDEL fault_diagnosis_results 1-1",
        "HGETALL vtox:api-keys",
        "HGETALL vtox:machine:M1",
    ),
    "bridge": (
        "XADD fault_diagnosis_results * state normal",
        "HGETALL vtox:api-keys",
        "XDEL dead_letters 1-1",
        "SET motor_raw_data x",
        "EVAL redis.call('HSET','vtox:api-keys','a','b') 0",
    ),
    "worker": (
        "SET vtox:lease x",
        "HSET vtox:bridge host x",
        "XADD motor_raw_data * a 1",
        "XREADGROUP GROUP vtox bridge STREAMS motor_raw_data >",
        "GET vtox:replay-secret",
        "HGETALL vtox:api-keys",
        "EVAL redis.call('XADD','motor_raw_data','*','a','b') 0",
    ),
    "api": (
        "XREADGROUP GROUP vtox bridge STREAMS motor_raw_data >",
        "XACK motor_raw_data vtox 1-1",
        "XADD fault_diagnosis_results * state normal",
        "SET vtox:lease x",
        "LPUSH vtox:bearing x",
        "PUBLISH vtox:/0.celery.pidbox x",
        "HDEL vtox:ledger:bearing x",
    ),
    "recorder": (
        "XADD motor_raw_data * a 1",
        "XRANGE motor_raw_data - +",
        "XTRIM fault_diagnosis_results MAXLEN 0",
        "DEL vtox:machine:M1",
        "ZREM vtox:machines M1",
        "HGETALL vtox:api-keys",
        "EVAL redis.call('HSET','vtox:api-keys','a','b') 0",
    ),
    "notifier": (
        "XADD alarm_actions * a 1",
        "XADD system_alerts * a 1",
        "XRANGE fault_diagnosis_results - +",
        "XRANGE motor_raw_data - +",
        "HSET vtox:alarm-book x y",
        "HSET vtox:machine:M1 motor x",
        "HGETALL vtox:api-keys",
        "EVAL return(1) 0",
    ),
    "celery": (
        "XADD motor_raw_data * a 1",
        "XRANGE fault_diagnosis_results - +",
        "DEL vtox:lease",
        "DEL vtox:machine:M1",
        "SADD vtox:workers x",
        "GET vtox:replay-secret",
    ),
    "flower": (
        "LPUSH vtox:bearing x",
        "BRPOP vtox:bearing 1",
        "DEL vtox:bearing",
        "XADD motor_raw_data * a 1",
        "DEL vtox:lease",
        "HGETALL vtox:machine:M1",
    ),
}
TRIALS = [(role, c) for role in ROLES for c in (*DENIED_TO_ALL, *DENIED[role])]
# The bridge trims finished entries, and the API notes the last use of its keys.
EXCEPT = {("bridge", TRIM), ("api", MAKE_KEY)}


@pytest.mark.parametrize(("role", "command"), [t for t in TRIALS if t not in EXCEPT])
def test_a_role_is_denied(role: str, command: str, server: EmbeddedServer) -> None:
    with connect(server.address.role_url(role), "test") as client:
        with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
            client.execute_command(*command.split())


def test_a_sender_adds_windows_and_cannot_read_them(server: EmbeddedServer, client: Client) -> None:
    with connect(server.address.role_url("ingest"), "sender") as sender:
        assert sender.xadd(keys.RAW, {"machine_id": "M1"})
        assert sender.xadd(Partition(3).raw, {"machine_id": "M1"})
        assert number_in_force(sender) >= 1
    with connect(server.address.role_url("reader"), "reader") as reader:
        assert reader.xrevrange(keys.RESULTS, count=1) == []


@pytest.mark.parametrize("role", ["ingest", "mqtt", "bridge", "worker", "api"])
def test_scalars_are_sent_by_a_role_and_stored_by_the_recorder(
    role: str, server: EmbeddedServer, client: Client, settings: Settings
) -> None:
    register(client, "M1", Motor(scalar_limits="oil_pressure < 1.2 bar fault"))
    low = ScalarReading("M1", server_time(client), "oil_pressure", 1.0, "bar")
    with connect(server.address.role_url(role), role) as sender:
        add_readings(sender, [low])
    with connect(server.address.role_url("recorder"), "recorder") as own:
        recorder = Recorder(own, settings)
        assert recorder.try_once(Event()), recorder.problem
        recorder.close()
    assert client.xlen(keys.SCALARS) == 0
    assert [a.fault for a in open_alerts(client)] == ["limit:oil_pressure:fault"]


@pytest.mark.parametrize("role", ["ingest", "reader"])
def test_users_of_others_see_how_far_the_work_is(
    role: str, server: EmbeddedServer, client: Client
) -> None:
    client.xadd(keys.RAW, {"machine_id": "M1"})
    client.xgroup_create(keys.RAW, keys.GROUP, id="0")
    with connect(server.address.role_url(role), role) as other:
        assert other.xlen(keys.RAW) == 1
        assert [g["lag"] for g in other.xinfo_groups(keys.RAW)] == [1]


def test_a_sender_adds_windows_by_a_pipe_of_commands(server: EmbeddedServer) -> None:
    with connect(server.address.role_url("ingest"), "sender") as sender:
        assert sender.echo("that was all") == b"that was all"


@pytest.mark.parametrize("role", ["ingest", "api"])
def test_who_adds_windows_may_ask_whether_they_are_on_disk(
    role: str, server: EmbeddedServer
) -> None:
    with connect(server.address.role_url(role), "sender") as sender:
        sender.xadd(keys.RAW, {"machine_id": "M1"})
        on_disk, _ = sender.execute_command("WAITAOF", 1, 0, 4000)
    assert on_disk == 1


def test_the_password_of_a_role_says_nothing_of_another(server: EmbeddedServer) -> None:
    urls = {server.url, *(server.address.role_url(role) for role in ROLES)}
    assert len({url.partition("@")[0].rpartition(":")[2] for url in urls}) == len(ROLES) + 1


@pytest.fixture
def written(tmp_path: Path) -> Path:
    folder = tmp_path / "users"
    done = CliRunner().invoke(application(), ["config", "users", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_users_for_a_server_of_ones_own_are_written_for_the_owner_alone(written: Path) -> None:
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in written.iterdir()} == {
        "users.acl": 0o600,
        "passwords.json": 0o600,
    }
    passwords = json.loads((written / "passwords.json").read_text())
    assert passwords.keys() == {"admin", *ROLES, *GROUP_USERS}
    assert not [p for p in passwords.values() if p in (written / "users.acl").read_text()]
    again = CliRunner().invoke(application(), ["config", "users", str(written)])
    assert again.exit_code != 0, "passwords that are in use are not overwritten"


@pytest.mark.skipif(system_server() is None, reason="no valkey-server or redis-server here")
def test_a_server_of_the_systems_packages_takes_the_users(written: Path, tmp_path: Path) -> None:
    program, (port,) = system_server(), free_ports(1)
    assert program
    options = ["--port", str(port), "--aclfile", str(written / "users.acl"), "--save", ""]
    command = [program, *options, "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: accepts_connections("", port))
        passwords = json.loads((written / "passwords.json").read_text())
        for user, password in passwords.items():
            if user in GROUP_USERS:  # no clients of ours: `test_deploy_group.py`
                continue
            with connect(f"redis://{user}:{password}@127.0.0.1:{port}", "test") as client:
                assert client.ping()
        with connect(f"redis://127.0.0.1:{port}", "stranger") as stranger:
            with pytest.raises(redis.AuthenticationError):
                stranger.ping()
    finally:
        server.terminate()
        server.wait(10)
