"""Wiring and nameplate on the page of a machine as Chromium shows them: looked at, corrected."""

from pathlib import Path

from tests.integration.api.browser import needs_browser
from tests.integration.api.test_commissioning import send
from tests.integration.api.test_commissioning import system as system
from tests.integration.api.test_trends_page import SIDEWAYS, narrow, page_of
from tests.unit.motor.diagnosis.commissioning.test_findings import MOTOR, SWAPPED, wrong
from tests.waiting import eventually
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser

LOOK = "document.querySelector('#commissioning_look').click()"


def test_exchanged_clamps_are_told_and_corrected_with_consent(
    client: Client, system: Settings, tmp_path: Path
) -> None:
    machines.register(client, "M1", MOTOR)
    send(client, wrong(SWAPPED), 0)
    with page_of(system, tmp_path) as tab:
        tab.act(LOOK)
        tab.shows("The channels ia, ib are exchanged, or the voltages of these phases are")
        tab.shows("ia from ib")
        assert present_setting(client, "M1", CHANNEL_MAP).version == 0, (
            "nothing is corrected by looking"
        )
        tab.act("document.querySelector('#commissioning [name=by]').value = 'Ada'")
        tab.act("document.querySelector('#commissioning_apply').click()")
        tab.shows("Saved as version 1.")
        send(client, wrong(SWAPPED), 1)
        tab.act(LOOK)
        tab.shows("Channel map in force: version 1, by Ada.")
        assert tab.run("document.querySelector('#commissioning .pill').textContent") == "sound"
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)
    assert present_setting(client, "M1", CHANNEL_MAP).by == "Ada"
