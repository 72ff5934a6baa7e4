"""A machine is added on the page as Chromium shows it, its wiring checked at the first window."""

from api.factory import create_app
from tests.integration.api.browser import chromium, needs_browser
from tests.integration.api.test_commissioning import send
from tests.integration.api.test_commissioning import system as system
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.conftest import serving_app
from tests.unit.motor.diagnosis.commissioning.test_findings import SWAPPED, wrong
from tests.waiting import eventually
from vtox.motor.values.bearing import Bearing
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import present_setting
from vtox.pipeline.store.server.client import Client

pytestmark = needs_browser

SAVE = "document.querySelector('#plateform button.go').click()"


def fill(**values: object) -> str:
    return ";".join(f"document.querySelector('#{k}').value = '{v}'" for k, v in values.items())


def test_a_machine_is_added_and_its_wiring_checked_at_once(
    client: Client, system: Settings
) -> None:
    with (
        serving_app(create_app(system)) as http,
        chromium(str(http.base_url.join("/setup"))) as tab,
    ):
        tab.shows("Your name")
        tab.act(fill(machine="M1", pole_pairs=2, supply_hz=50, rated_speed_rpm=1600))
        tab.act(fill(neighbour_orders="0.71 2.25", bearing_orders_BPFO=3.585, site="Quarry"))
        tab.act("document.querySelector('[name=by]').value = 'Ada'")
        tab.act(SAVE)
        tab.shows("Rated speed: 0.1 to 200,000 rpm")
        assert tab.run("document.activeElement.name") == "rated_speed_rpm"
        tab.act(fill(rated_speed_rpm=1450, bearing_orders_BPFO="", bearing_designation="6801"))
        tab.act(SAVE)
        tab.shows(
            "Bearing designation: one of 104 known ones, offered as you type, with any suffix"
        )
        tab.act(fill(bearing_designation="6205-2RS"))
        tab.act(SAVE)
        tab.shows("No window yet. Waiting")
        send(client, wrong(SWAPPED), 0)
        tab.shows("The channels ia, ib are exchanged, or the voltages of these phases are")
        tab.act("document.querySelector('#commissioning_apply').click()")
        tab.shows("Saved as version 1.")
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)
        tab.command("Page.navigate", tab._session, url=str(http.base_url.join("/setup")))
        tab.shows("Add a machine")
        tab.act(fill(machine="M1"))
        tab.act(SAVE)
        tab.shows("M1 has a nameplate")
        tab.act("document.querySelector('#plateform .message a').click()")
        tab.shows("Nameplate of M1")
        eventually(
            lambda: tab.run("document.querySelector('#neighbour_orders').value") == "0.71 2.25"
        )
    (motor,) = machines.load_motors(client, ["M1"])
    assert motor is not None
    assert (motor.pole_pairs, motor.site, motor.neighbour_orders) == (2, "Quarry", (0.71, 2.25))
    assert motor.bearing == Bearing(designation="6205-2RS")
    assert present_setting(client, "M1", CHANNEL_MAP).by == "Ada"
    written = [e for _, e in client.xrange(keys.AUDIT)]
    assert [e[b"by"] for e in written if e[b"code"] == b"nameplate_changed"] == [b"Ada"]
