"""`vtox keys` against a real server, and before there is one."""

import json
import os
import time
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from vtox.cli.main import add
from vtox.motor.errors import InputError
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load_for_demo
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.system import apikeys


def run(*arguments: str) -> Result:
    app = Typer()
    add(app, "keys")
    result = CliRunner().invoke(app, ["keys", *arguments], env={"COLUMNS": "100"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def on_the_test_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())


@pytest.mark.usefixtures("on_the_test_server")
def test_create_list_revoke(client: Client) -> None:
    options = ("--scopes", "ingest,read", "--expires", "90d", "--json")
    made = json.loads(run("create", "gateway", *options).stdout)
    key = apikeys.verify(client, made["key"])
    assert key is not None
    assert (key.id, key.scopes, key.name) == (made["id"], ("read", "ingest"), "gateway")
    assert key.expires_t == pytest.approx(time.time() + 90 * 86400, abs=60)
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed == {k: v for k, v in made.items() if k != "key"}
    assert "gateway" in run("list").stdout
    assert json.loads(run("revoke", made["id"], "--json").stdout)["revoked"]
    assert "No keys" in run("list").stdout


@pytest.mark.usefixtures("on_the_test_server")
def test_a_key_may_be_limited_to_machines(client: Client) -> None:
    options = ("--scopes", "read,ingest", "--machines", "V0*, PUMP-1", "--json")
    made = json.loads(run("create", "van", *options).stdout)
    assert made["scopes"] == ["read", "ingest:V0*", "ingest:PUMP-1"]
    assert "ingest:PUMP-1" in run("list").stdout


@pytest.mark.usefixtures("on_the_test_server")
def test_the_list_shows_expiry_and_last_use(client: Client) -> None:
    _, used = apikeys.create(client, ["read"], "Ada", lifetime_s=-1)
    apikeys.create(client, ["read"], "unused")
    apikeys.note_use(client, used.id)
    first, second = json.loads(run("list", "--json").stdout)
    assert first["last_use"].endswith("Z")
    assert (second["last_use"], second["expires"]) == (None, None)
    text = run("list").stdout
    assert "expired" in text
    assert text.count("never") == 2


@pytest.mark.usefixtures("on_the_test_server")
def test_a_damaged_row_and_one_of_a_later_version_do_not_end_the_list(client: Client) -> None:
    _, record = apikeys.create(client, ["read"], "later")
    row = json.loads(client.hget(keys.API_KEYS, record.id)) | {"colour": "blue"}
    client.hset(keys.API_KEYS, record.id, json.dumps(row))
    client.hset(keys.API_KEYS, "bad", "{")
    listed = run("list")
    assert "later" in listed.stdout
    assert "vtox keys revoke bad" in listed.stderr


@pytest.mark.usefixtures("on_the_test_server")
def test_only_the_key_is_on_standard_output(client: Client) -> None:
    text = run("create", "Ada").stdout.strip()
    assert apikeys.verify(client, text)


@pytest.mark.usefixtures("on_the_test_server")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "Ada", "--scopes", "write"), "one or more of read, operate, engineer, "),
        (("create", "Ada", "--scopes", ","), "one or more of read, operate"),
        (("create", "Ada", "--expires", "soon"), "as in 90d"),
        (("create", "Ada", "--expires", "0d"), "as in 90d"),
        (("create", "van", "--machines", "V0*"), "add it, and leave out admin"),
        (("create", "van", "--scope", "ingest,admin", "--machines", "V0*"), "leave out admin"),
        (("create", "van", "--scope", "ingest", "--machines", "V[0-9]"), "as in 'V0"),
        (("create", "van", "--scope", "ingest", "--machines", ","), "as in 'V0"),
        (("create", " "), "person or program"),
        (("revoke", "00000000"), "vtox keys list"),
    ],
)
def test_what_cannot_be_understood_is_an_error(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(*arguments)


def test_a_key_is_of_the_plant_that_is_stopped_and_not_of_a_running_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    demo = tmp_path / "demo"
    lock = try_lock(demo / "cluster.lock")
    assert lock is not None
    try:
        with EmbeddedServer(load_for_demo()) as server, connect(server.url, "test") as of_demo:
            made = run("create", "Ada")
            assert apikeys.list_keys(of_demo) == []
        assert f"acts on {tmp_path}; for the demo" in made.stderr
        assert f"VTOX_DATA_DIR={demo}" in made.stderr
        assert "Ada" in run("list").stdout
    finally:
        os.close(lock)


def test_the_first_key_can_be_made_before_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    made = json.loads(run("create", "Ada", "--scopes", "admin", "--json").stdout)
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["id"] == made["id"]


def test_a_server_by_url_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(ServerUnavailable):
        run("list")
