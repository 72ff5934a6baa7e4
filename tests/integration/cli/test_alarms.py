"""`vtox alarms` against a real server: the same alarms, actions and figures as by HTTP."""

import json
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from tests.integration.api.test_supply_alarms import GROUP, raise_on_supply
from vtox.cli.fleet import alarms as command
from vtox.configuration.settings import Settings, load
from vtox.errors import AlarmRefused, InputError
from vtox.records.history.recorder import Recorder
from vtox.store.alarms import alarm_book
from vtox.store.server.client import Client

ALONE = "ALONE:turn_short:1764000004000"
ADA = ("--by", "Ada")


@pytest.fixture(autouse=True)
def on_the_test_server(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VTOX_REDIS_URL", settings.working_url())
    monkeypatch.setenv("VTOX_DATA_DIR", str(tmp_path))
    raise_on_supply(client)


def run(*arguments: str, keys: str = "") -> Result:
    app = Typer()
    app.callback()(lambda: None)
    command.register(app)
    result = CliRunner().invoke(app, ["alarms", *arguments], input=keys, env={"COLUMNS": "60"})
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
    assert lines[1].split()[2] == "ALONE"
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


def test_an_alarm_is_acknowledged_commented_shelved_and_closed(client: Client) -> None:
    run("acknowledge", ALONE, *ADA, "--comment", "on my way")
    run("comment", ALONE, "heard it", *ADA)
    run("shelve", ALONE, "--for", "8h", "--reason", "spare ordered", *ADA)
    assert printed_json("show", ALONE)["state"] == "shelved"
    assert "spare ordered" in run("show", ALONE).stdout
    run("unshelve", ALONE, *ADA)
    run("work-order", ALONE, "--system", "SAP", "--reference", "4711", *ADA)
    run("assign", ALONE, "--to", "Eve", *ADA)
    assert printed_json("list", "--assignee", "Eve")["data"][0]["id"] == ALONE
    assert len(printed_json("list", "--assignee", "")["data"]) == 4
    assert "assigned to Eve" in run("show", ALONE).stdout
    assert printed_json("close", ALONE, "--outcome", "confirmed", *ADA)["count"] == 1
    alarm = alarm_book.advance(client).alarms[ALONE]
    assert (alarm.outcome, alarm.closed_by, alarm.work_orders[0].reference) == (
        "confirmed",
        "Ada",
        "4711",
    )
    names = ["acknowledge", "comment", "shelve", "unshelve", "work_order", "assign", "close"]
    assert [a["action"] for a in printed_json("show", ALONE)["actions"]] == names
    with pytest.raises(AlarmRefused):
        run("acknowledge", ALONE, *ADA)


def test_an_alarm_is_shown_with_its_id_its_beginning_and_the_next_command() -> None:
    assert "Required: the name" in " ".join(run("acknowledge", "--help").stdout.split())
    text = run("show", ALONE).stdout
    assert f"\n  {ALONE}\n  raised " in text
    assert f"next: vtox alarms acknowledge {ALONE} --by NAME" in text
    run("acknowledge", ALONE, *ADA)
    assert f"next: vtox alarms close {ALONE} --outcome confirmed|" in run("show", ALONE).stdout


def test_a_closed_alarm_is_shown_as_closed_though_its_alert_stays() -> None:
    run("close", ALONE, "--outcome", "other_cause", *ADA)
    text = run("show", ALONE).stdout
    assert "closed as other_cause by Ada at " in text.splitlines()[0]
    assert "Closing does not clear the alert" in " ".join(text.split())
    assert "next:" not in text
    assert "acknowledged, closed" in run("list", "--all", "--machine", "ALONE").stdout


def test_a_missing_outcome_is_answered_with_the_outcomes() -> None:
    with pytest.raises(InputError, match="is missing: expected one of confirmed, false_alarm"):
        run("close", ALONE, *ADA)


def test_all_of_a_supply_are_acknowledged_after_the_count(client: Client) -> None:
    run("acknowledge", GROUP, *ADA)
    refused = run("acknowledge", GROUP, "--supply", "--by", "Bob", keys="n\n")
    assert refused.exit_code == 1
    assert "acknowledge 3 alarms?" in refused.stderr
    alarms = alarm_book.advance(client).alarms.values()
    assert [a.acknowledged for a in alarms].count(True) == 1
    assert run("acknowledge", GROUP, "--supply", "--by", "Bob", keys="y\n").exit_code == 0
    (group,) = printed_json("list")["groups"]
    assert group["counts"] == {"acknowledged": 4}
    assert printed_json("ungroup", GROUP, "--supply", "--yes", *ADA)["count"] == 4
    assert printed_json("list")["groups"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("acknowledge", ALONE),
        ("acknowledge", "M9:bearing:1", *ADA),
        ("acknowledge", ALONE, "--supply", *ADA),
        ("shelve", ALONE, "--for", "17d", "--reason", "x", *ADA),
        ("shelve", ALONE, "--for", "1h", "--reason", " ", *ADA),
        ("close", ALONE, "--outcome", "right", *ADA),
        ("show", "M9:bearing:1"),
    ],
)
def test_what_is_missing_or_impossible_is_said(arguments: tuple[str, ...], client: Client) -> None:
    with pytest.raises(InputError):
        run(*arguments)
    assert not client.exists("alarm_actions")


def test_a_machine_is_taken_out_of_service_and_returned(client: Client) -> None:
    run("out-of-service", "ALONE", "--reason", "repair", *ADA)
    assert printed_json("show", ALONE)["state"] == "out_of_service"
    run("in-service", "ALONE", *ADA)
    assert printed_json("show", ALONE)["state"] == "unacknowledged"


def test_figures_are_those_of_the_history(client: Client, tmp_path: Path) -> None:
    assert printed_json("figures")["alarms"] == 0, "nothing was recorded yet"
    run("close", ALONE, "--outcome", "false_alarm", *ADA)
    recorder = Recorder(client, load(data_dir=tmp_path))
    recorder.record(Event())
    recorder.close()
    found = printed_json("figures")
    assert (found["alarms"], found["false_alarms"]["outcomes"]) == (5, {"false_alarm": 1})
    assert "5 alarms of machines in 30 days" in run("figures").stdout
