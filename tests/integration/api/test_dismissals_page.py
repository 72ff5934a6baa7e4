"""The page of a machine shows alarms closed as false, and a click ends that."""

from tests.integration.api.browser import document_of, needs_browser, pages
from tests.integration.api.test_audit import FALSE_ALARM
from tests.integration.api.test_machine_page import CLICK
from tests.integration.api.test_machines import commit_health
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines.dismissals import DISMISSALS, dismiss
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser
NAME = "localStorage.setItem('vtox_operator', 'Ada');"


def test_an_alarm_closed_as_false_is_shown_and_ended_by_a_click(
    settings: Settings, client: Client
) -> None:
    commit_health(client, "M1", bearing="normal")
    dismiss(client, FALSE_ALARM)
    with pages(settings) as base:
        assert "closed this alarm as false" in document_of(f"{base}/machines/M1")
        assert "允许再次报警" in document_of(f"{base}/machines/M1?lang=zh")
    with pages(settings, NAME + CLICK.format(selector="#dismissals button")) as base:
        document_of(f"{base}/machines/M1")
    assert present_setting(client, "M1", DISMISSALS).alarms == ()
