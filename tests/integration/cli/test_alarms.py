"""`vtox alarms` against a real API: `--json` is its answer."""

import httpx
import pytest

from tests.integration.api.test_supply_alarms import GROUP, raise_on_supply
from tests.integration.cli.commands import printed_json, run
from vtox.pipeline.store.server.client import Client
from vtox.reporting.plant.errors import StatusApiError

ALONE = "ALONE:turn_short:1764000004000"


@pytest.fixture(autouse=True)
def supply(api_of_commands: httpx.Client, client: Client) -> httpx.Client:
    """The API over the alarms of a supply and a single one."""
    raise_on_supply(client)
    return api_of_commands


def test_the_list_has_one_row_for_a_supply(supply: httpx.Client) -> None:
    lines = run("alarms list", columns=60).splitlines()
    assert len(lines) == 3
    assert lines[1].split()[3] == "ALONE"
    assert "Plant/Line 1 (North): 4 of 5 machines" in lines[2]
    assert [line.split()[-1] for line in lines[1:]] == [ALONE, GROUP], "on a narrow terminal too"
    members = run(f"alarms list --supply {GROUP}").splitlines()
    assert [line.split()[3] for line in members[1:]] == ["M3", "M2", "M1", "M0"]
    assert run("alarms list --limit 1", columns=60).splitlines() == lines, "a supply is one"
    assert run(f"alarms list --supply {GROUP} --limit 1").endswith("There are more: --limit\n")


def test_json_is_the_answer_of_the_api(supply: httpx.Client) -> None:
    found, by_http = printed_json("alarms list"), supply.get("/api/v1/alarms?open=true").json()
    assert by_http.pop("as_of") >= found.pop("as_of")
    assert found == by_http
    shown = printed_json(f"alarms show {ALONE}")
    assert shown == supply.get(f"/api/v1/alarms/{ALONE}").json()


def test_the_list_is_filtered_by_the_api() -> None:
    assert printed_json("alarms list --machine ALONE --state shelved")["data"] == []
    assert run("alarms list --fault bearing") == "No alarms of these.\n"
    with pytest.raises(StatusApiError, match="unacknowledged"):
        run("alarms list --state open")


def act(http: httpx.Client, action: str, **body: str) -> None:
    http.post(f"/api/v1/alarms/{ALONE}/{action}", json={"by": "Ada"} | body).raise_for_status()


def test_an_alarm_is_shown_with_what_operators_did(supply: httpx.Client) -> None:
    assert f"\n  {ALONE}\n  began " in run(f"alarms show {ALONE}")
    act(supply, "acknowledge", comment="on my way")
    act(supply, "assign", assignee="Eve")
    assert printed_json("alarms list --assignee Eve")["data"][0]["id"] == ALONE
    assert len(printed_json("alarms list --assignee ''")["data"]) == 4
    act(supply, "close", outcome="other_cause")
    text = run(f"alarms show {ALONE}")
    assert "closed as other_cause by Ada at " in text.splitlines()[0]
    assert "Closing does not clear the alert" in " ".join(text.split())
    assert "assigned to Eve" in text
    assert "on my way" in text
    assert "acknowledged, closed" in run("alarms list --all --machine ALONE")
    names = ["acknowledge", "assign", "close"]
    assert [a["action"] for a in printed_json(f"alarms show {ALONE}")["data"]["actions"]] == names


def test_an_unknown_alarm_is_named() -> None:
    with pytest.raises(StatusApiError, match="no alarm has the id 'M9:bearing:1'"):
        run("alarms show M9:bearing:1")
