"""`vtox keys` against a real server, and before there is one."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from vtox.cli import keys as command
from vtox.errors import InputError, ServerUnavailable
from vtox.settings import Settings
from vtox.store import apikeys
from vtox.store.client import Client


def run(*arguments: str) -> Result:
    app = Typer()
    command.register(app)
    result = CliRunner().invoke(app, ["keys", *arguments], env={"COLUMNS": "100"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def on_the_test_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())


@pytest.mark.usefixtures("on_the_test_server")
def test_create_list_revoke(client: Client) -> None:
    made = json.loads(run("create", "--scope", "ingest", "--name", "gateway", "--json").stdout)
    found = apikeys.verify(client, made["key"])
    assert found is not None
    assert (found.id, found.scope, found.name) == (made["id"], "ingest", "gateway")
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed == {k: v for k, v in made.items() if k != "key"}
    assert "gateway" in run("list").stdout
    assert json.loads(run("revoke", made["id"], "--json").stdout)["revoked"]
    assert "No keys" in run("list").stdout


@pytest.mark.usefixtures("on_the_test_server")
def test_only_the_key_is_on_standard_output(client: Client) -> None:
    text = run("create", "--scope", "read").stdout.strip()
    assert apikeys.verify(client, text)


@pytest.mark.usefixtures("on_the_test_server")
def test_a_wrong_scope_and_an_unknown_id_are_errors() -> None:
    with pytest.raises(InputError, match="expected one of read, ingest, admin"):
        run("create", "--scope", "write")
    with pytest.raises(InputError, match="vtox keys list"):
        run("revoke", "00000000")


def test_the_first_key_can_be_made_before_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    made = json.loads(run("create", "--scope", "admin", "--json").stdout)
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["id"] == made["id"]


def test_a_server_by_url_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(ServerUnavailable):
        run("list")
