"""`vtox alarms` against a real server: the same alarms as by HTTP."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from tests.integration.api.test_supply_alarms import GROUP, raise_on_supply
from vtox.cli.main import add
from vtox.motor.errors import InputError
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client

ALONE = "ALONE:turn_short:1764000004000"


@pytest.fixture(autouse=True)
def on_the_test_server(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    raise_on_supply(client)


def run(*arguments: str) -> Result:
    app = Typer()
    app.callback()(lambda: None)
    add(app, "alarms")
    result = CliRunner().invoke(app, ["alarms", *arguments], env={"COLUMNS": "60"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def printed_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_the_list_has_one_row_for_a_supply_and_says_the_same_as_the_api(
    fresh_http: httpx.Client,
) -> None:
    lines = run("list").stdout.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[3] == "ALONE"
    assert "Plant/Line 1 (North): 4 of 5 machines" in lines[2]
    assert [line.split()[-1] for line in lines[1:]] == [ALONE, GROUP], "on a narrow terminal too"
    found, by_http = printed_json("list"), fresh_http.get("/api/v1/alarms?open=true").json()
    for ours, theirs in zip(found["data"], by_http["data"], strict=True):
        assert {n: theirs[n] for n in ours if n != "suspensions"} == {
            n: v for n, v in ours.items() if n != "suspensions"
        }
    (group,) = by_http["groups"]
    assert {n: group[n] for n in found["groups"][0]} == found["groups"][0]
    assert [a["machine_id"] for a in printed_json("list", "--supply", GROUP)["data"]] == [
        f"M{i}" for i in (3, 2, 1, 0)
    ]
    assert printed_json("list", "--machine", "ALONE", "--state", "shelved")["data"] == []
    assert run("list", "--fault", "bearing").stdout == "No alarms of these.\n"
    with pytest.raises(InputError, match="expected one of unacknowledged"):
        run("list", "--state", "open")


def act(http: httpx.Client, action: str, **body: str) -> None:
    http.post(f"/api/v1/alarms/{ALONE}/{action}", json={"by": "Ada"} | body).raise_for_status()


def test_an_alarm_is_shown_with_what_operators_did(fresh_http: httpx.Client) -> None:
    assert f"\n  {ALONE}\n  raised " in run("show", ALONE).stdout
    act(fresh_http, "acknowledge", comment="on my way")
    act(fresh_http, "assign", assignee="Eve")
    assert printed_json("list", "--assignee", "Eve")["data"][0]["id"] == ALONE
    assert len(printed_json("list", "--assignee", "")["data"]) == 4
    act(fresh_http, "close", outcome="other_cause")
    text = run("show", ALONE).stdout
    assert "closed as other_cause by Ada at " in text.splitlines()[0]
    assert "Closing does not clear the alert" in " ".join(text.split())
    assert "assigned to Eve" in text
    assert "on my way" in text
    assert "acknowledged, closed" in run("list", "--all", "--machine", "ALONE").stdout
    names = ["acknowledge", "assign", "close"]
    assert [a["action"] for a in printed_json("show", ALONE)["actions"]] == names


def test_an_unknown_alarm_is_answered_with_the_list() -> None:
    with pytest.raises(InputError, match="vtox alarms list"):
        run("show", "M9:bearing:1")
