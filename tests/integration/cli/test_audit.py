"""`vtox audit` lists the changes by the command line, with the user of the operating system."""

import json
import os
import pwd
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from tests.integration.api.test_cluster_page import add_letter
from vtox.cli.main import application
from vtox.motor.values.baseline import Baseline
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import UnknownMachine
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.audit import Actor, audited

USER = pwd.getpwuid(os.getuid()).pw_name
WHO = Actor(by="Ada").deed("baseline_deleted", "M1")


@pytest.fixture(autouse=True)
def on_the_test_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    # The environment is no proof of who somebody is.
    monkeypatch.setenv("LOGNAME", "somebody-else")


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(application(), arguments, env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def audit_of(*options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("audit", "--json", *options).output)
    return found


def test_commands_that_change_something_are_in_the_audit(client: Client, tmp_path: Path) -> None:
    fleet, baseline = tmp_path / "fleet.toml", tmp_path / "baseline.json"
    fleet.write_text("[machines.M1]\npole_pairs = 2\n")
    baseline.write_text(Baseline().to_json())
    letter = add_letter(client, **{"entry.machine_id": "M1", "entry.seq": "9"})
    for command in (
        f"machines import {fleet}",
        f"baseline learn M1 {baseline}",
        "baseline reset M1",
        f"dead-letters replay {letter}",
        "keys create Zoe --scopes ingest",
        "machines retire M1",
    ):
        assert run(*command.split()).exit_code == 0, command
    key = apikeys.list_keys(client)[0].id
    run("keys", "revoke", key)
    found = audit_of()[::-1]
    assert [e["sentence"] for e in found] == [
        "nameplate: pole_pairs: none -> 2, supply: none -> grid",
        "baseline set, of 0 records",
        "baseline deleted",
        f"dead letter {letter} sent again",
        f"made API key {key} for Zoe, with ingest",
        "machine retired, with baseline and history",
        f"revoked API key {key} of Zoe",
    ]
    assert {e["address"] for e in found} == {socket.gethostname()}
    assert {e["by"] for e in found} == {USER}
    assert len(audit_of("--machine", "M1", "--limit", "3")) == 3
    lines = run("audit").output.splitlines()
    assert len(lines) == 8
    assert re.search(rf"{USER} .* M1 .* machine retired", lines[2])


def test_what_is_refused_is_not_in_the_audit(client: Client) -> None:
    with pytest.raises(UnknownMachine):
        run("machines", "retire", "M9")
    run("keys", "list")
    assert audit_of() == []
    assert "Nothing was changed yet" in run("audit").output


def test_nothing_is_done_without_an_entry(client: Client) -> None:
    """A process may die, and a server go away, at any time: the entry is there before the deed."""
    machines.register(client, "M1", Motor())
    with audited(client, WHO):
        assert client.xlen(keys.AUDIT) == 1
    with pytest.raises(redis.ConnectionError), audited(client, WHO):
        raise redis.ConnectionError("away: whether it was done is not known")
    assert client.xlen(keys.AUDIT) == 2
    with pytest.raises(ValueError, match="refused"), audited(client, WHO):
        raise ValueError("refused")
    assert client.xlen(keys.AUDIT) == 2
