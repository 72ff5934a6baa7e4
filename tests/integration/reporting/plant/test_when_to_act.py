"""An alarm says once when to act: the same on page, in mail, by HTTP, MCP and in a shell."""

import json
from contextlib import closing

import httpx
import pytest

from tests.integration.api.browser import chromium, needs_browser
from tests.integration.cli.commands import printed_json, run
from tests.integration.reporting.history.entries import add_alert
from tests.integration.reporting.notification.conftest import NOTIFY, SECRET, hook, rules_of
from tests.integration.reporting.notification.receiver import receiving
from tests.integration.reporting.notification.test_delivery import running
from tests.waiting import eventually
from vtox.motor.alarms.health.alert_values import FaultHistory, Level
from vtox.motor.alarms.health.update import MachineHistory
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor, reason
from vtox.motor.words.rendering import advice, name_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.alarms import alarm_book
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.reporting.notification.notifier import Notifier

pytest.importorskip("mcp", reason="mcp is not installed: pip install 'vtox[mcp]'")
from vtox.reporting.plant.mcp.tools import Tools
from vtox.reporting.plant.status_api import StatusApi

VALUES = {"distance_hz": 2.2, "lower_sideband_dbc": -35.0, "upper_sideband_dbc": -36.0}
WHY = reason("rotor_asymmetry", **VALUES, slip=0.022, slip_source="speed sensor")
ID = "M1:broken_bar:1764000000000"
SAID = {a: name_of("action", a).capitalize() for a in ("now", "next_stop")}


def raise_alarm(client: Client, level: Level) -> None:
    """Write the fields of a commit that raises a broken bar to a level."""
    alarm_book.advance(client)
    machines.register(client, "M1", Motor())
    shares = {"alert_severity": 0.95, "alert_confidence": 0.7}
    said = {"last_code": WHY.code, "last_values": WHY.values}
    fault = FaultHistory(last_state=level, level=level, alert=ID, **said, **shares)  # type: ignore[arg-type]
    memory = codec.encode(MachineHistory({"broken_bar": fault}, t=1_764_000_000.0))
    client.hset(keys.machine("M1"), "memory", memory)
    more = {"code": WHY.code, "values": WHY.values, "reason": WHY.sentence}
    add_alert(client, 1_764_000_000.0, id=ID, fault="broken_bar", level=level, **more)


@pytest.fixture(params=["warning", "fault"])
def raised(
    request: pytest.FixtureRequest,
    client: Client,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[str, str]:
    """The level of an alarm that is raised, and the text of the message about it."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with receiving() as receiver:
        notifier = Notifier(client, settings, rules_of({"hook": hook(receiver)}), NOTIFY)
        notifier.try_once()
        raise_alarm(client, request.param)
        with running(notifier):
            eventually(lambda: receiver.taken)
        notifier.close()
        mail = json.loads(receiver.requests[0].body)["data"]
    return request.param, json.dumps(mail)


@needs_browser
def test_an_alarm_has_one_urgency_wherever_it_is_read(
    raised: tuple[str, str], api_of_commands: httpx.Client
) -> None:
    level, mail = raised
    expected = "now" if level == "fault" else "next_stop"
    what_to_do = advice(WHY.code, level=level)
    url = str(api_of_commands.base_url)
    (listed,) = api_of_commands.get("/api/v1/alarms").raise_for_status().json()["data"]
    with closing(StatusApi(url)) as api:
        (told,) = Tools(lambda: api).alarms().data["alarms"]
    shown = printed_json(f"alarms show {ID}")["data"]
    for alarm in (listed, told, shown, json.loads(mail)["alarm"]):
        assert alarm["priority"]["action"] == expected
        assert alarm["what_to_do"] == what_to_do
        assert not {"urgency", "what_to_do"} & (alarm.get("growth") or {}).keys()
    with chromium(f"{url}/machines/M1") as tab:
        tab.shows(SAID[expected])
        page = tab.text()
    for text in (json.loads(mail)["text"], page, run(f"alarms show {ID}").capitalize()):
        assert text.lower().count(SAID[expected].lower()) == 1
        assert all(said.lower() not in text.lower() for a, said in SAID.items() if a != expected)
