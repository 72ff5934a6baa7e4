"""Commands where two servers share the machines: to the server of a machine, or to all."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.integration.helpers import T0
from tests.integration.history.entries import add_alert
from vtox import keys
from vtox.cli.main import application
from vtox.cluster.embedded_server import EmbeddedServer
from vtox.domain import Motor
from vtox.errors import InputError, SettingsError
from vtox.partitions import Place, server_number
from vtox.settings import load
from vtox.store import alarm_book
from vtox.store.client import Client
from vtox.store.machines import register
from vtox.store.partition_table import require_place
from vtox.store.servers import Servers, connect_servers

MACHINES = ["V001", "V002", "V003", "V004"]
FLEET = "".join(f"[machines.{m}]\npole_pairs = 2\n" for m in MACHINES)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp(f"server-{i}") for i in range(2)]
        yield [stack.enter_context(EmbeddedServer(load(data_dir=f))).url for f in folders]


@pytest.fixture
def servers(urls: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Servers]:
    monkeypatch.setenv("VTOX_REDIS_URLS", ",".join(urls))
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    with connect_servers(urls, "test") as opened:
        for i, client in enumerate(opened):
            client.unlink("none", *client.scan_iter(count=1000))
            require_place(client, Place(i, 2))
        yield opened


def run(*arguments: str) -> str:
    result = CliRunner().invoke(application(), arguments, env={"COLUMNS": "100"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def printed_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def machines_of(client: Client) -> list[str]:
    return [m.decode() for m in client.zrange(keys.MACHINES, 0, -1)]


def test_machines_are_registered_shown_and_retired_on_their_servers(
    servers: Servers, tmp_path: Path
) -> None:
    (tmp_path / "fleet.toml").write_text(FLEET)
    run("machines", "import", str(tmp_path / "fleet.toml"))
    for i, client in enumerate(servers):
        assert machines_of(client) == [m for m in MACHINES if server_number(m, 2) == i] != []
    assert [m["machine_id"] for m in printed_json("machines", "list")] == MACHINES
    for m in ("V001", "V003"):
        assert printed_json("machines", "show", m)["machine_id"] == m
        run("channel-map", "set", m, "ia=-ia", "--by", "Ada")
        run("machines", "retire", m)
    assert [m["machine_id"] for m in printed_json("machines", "list")] == ["V002", "V004"]


def test_a_dead_letter_is_named_with_its_server(servers: Servers) -> None:
    for client, machine in zip(servers, ("V003", "V001"), strict=True):
        letter = {"machine_id": machine, "stream_id": "1-0", "seq": 1, "code": "poison"}
        client.xadd(keys.DEAD_LETTERS, letter | {"entry.machine_id": machine}, id="5-1")
    found = printed_json("dead-letters", "list")
    assert {d["id"] for d in found} == {"5-1@1", "5-1@2"}
    assert printed_json("dead-letters", "show", "5-1@2")["machine_id"] == "V001"
    with pytest.raises(InputError, match="5-1@1"):
        run("dead-letters", "show", "5-1")
    sent = printed_json("dead-letters", "replay", "5-1@2")
    assert [d["id"] for d in sent] == ["5-1@2"]
    assert [c.xlen(keys.DEAD_LETTERS) for c in servers] == [1, 0]


def test_keys_are_on_the_first_server_and_a_backup_is_of_one(
    servers: Servers, urls: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run("keys", "create", "Ada")
    assert [c.exists(keys.API_KEYS) for c in servers] == [1, 0]
    assert len(printed_json("keys", "list")) == 1
    with pytest.raises(SettingsError, match="works with one"):
        run("backup", str(tmp_path / "archive.tar.gz"))
    monkeypatch.setenv("VTOX_REDIS_URL", urls[1])
    run("backup", str(tmp_path / "archive.tar.gz"))


def test_servers_in_another_order_are_refused(
    servers: Servers, urls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URLS", ",".join(reversed(urls)))
    with pytest.raises(SettingsError, match="has the machines of server 2 of 2"):
        run("machines", "list")


def test_alarms_of_a_supply_on_both_servers_are_one_and_acted_on_together(
    servers: Servers,
) -> None:
    for client in servers:
        alarm_book.advance(client)
    for i, m in enumerate(MACHINES):
        client, t = servers.of(m), T0 + i
        register(client, m, Motor(site="North", asset_path=f"Plant/Line 1/Fan {i}"))
        alert_id = f"{m}:turn_short:{round(1000 * t)}"
        add_alert(client, t, id=alert_id, machine_id=m, fault="turn_short")
    found = printed_json("alarms", "list")
    assert [g["machines"] for g in found["groups"]] == [4]
    assert len(found["data"]) == 4
    group, first = found["groups"][0]["id"], found["data"][0]["id"]
    ada = ("--by", "Ada")
    assert printed_json("alarms", "acknowledge", first, *ada)["ids"] == [first]
    assert printed_json("alarms", "show", first)["state"] == "acknowledged"
    done = printed_json("alarms", "acknowledge", group, "--supply", "--yes", *ada)
    assert done["count"] == 3
    assert {a["state"] for a in printed_json("alarms", "list")["data"]} == {"acknowledged"}
    with pytest.raises(InputError, match="no alarm X"):
        run("alarms", "acknowledge", "X:bearing:1", *ada)
    run("alarms", "out-of-service", "V002", "--reason", "repair", *ada)
    assert len(printed_json("alarms", "list")["data"]) == 3
