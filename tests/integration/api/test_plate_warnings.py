"""A nameplate that contradicts itself is shown before it is stored, and while it is stored."""

from api.factory import create_app
from tests.integration.api.browser import chromium, needs_browser
from tests.integration.api.test_commissioning import system as system
from tests.integration.api.test_setup_page import SAVE, fill
from tests.integration.api.test_trends_page import SIDEWAYS, narrow
from tests.integration.conftest import serving_app
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client

WRONG = {"rated_power_w": 3.7, "rated_voltage_v": 400, "rated_current_a": 8}
SOUND = WRONG | {"rated_power_w": 3700}
OPEN_ALL = "document.querySelectorAll('#plateform details').forEach((d) => { d.open = true })"


def test_a_program_gets_warnings_with_the_answer_and_before(
    client: Client, system: Settings
) -> None:
    with serving_app(create_app(system)) as http:
        checked = http.post("/api/v1/machines/M1/nameplate/check", json=WRONG).json()["data"]
        assert machines.load_motors(client, ["M1"]) == [None]
        stored = http.put("/api/v1/machines/M1", json=WRONG).json()["data"]
        shown = http.get("/api/v1/machines/M1?lang=zh").json()["data"]
        sound = http.put("/api/v1/machines/M1", json=SOUND).json()["data"]
        refused = http.post("/api/v1/machines/M1/nameplate/check", json={"pole_pairs": 400})
    (warning,) = checked["warnings"]
    assert warning["code"] == "plate_power_contradicts"
    assert stored["nameplate_warnings"] == checked["warnings"]
    assert [w["code"] for w in shown["nameplate_warnings"]] == ["plate_power_contradicts"]
    assert shown["nameplate_warnings"][0]["sentence"].startswith("额定功率")
    assert sound["nameplate_warnings"] == []
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_nameplate")


@needs_browser
def test_the_form_begins_with_four_fields_and_asks_for_kilowatts(
    client: Client, system: Settings
) -> None:
    with (
        serving_app(create_app(system)) as http,
        chromium(str(http.base_url.join("/setup"))) as tab,
    ):
        tab.shows("Your name")
        seen = (
            "[...document.querySelectorAll('#plateform .grid :is(input, select)')]"
            ".filter((x) => x.checkVisibility()).map((x) => x.name).join()"
        )
        assert tab.run(seen) == "pole_pairs,supply_hz,rated_speed_rpm,rated_current_a"
        tab.act(fill(machine="M1", rated_power_w=3.7, rated_voltage_v=400, rated_current_a=0.8))
        tab.act("document.querySelector('[name=by]').value = 'Ada'")
        tab.act(SAVE)
        tab.shows("does not fit")
        tab.shows("Nothing is stored yet")
        assert machines.load_motors(client, ["M1"]) == [None]
        tab.act(OPEN_ALL)
        assert "1,000,000,000" not in str(tab.run("document.body.innerText"))
        assert "(kW)" in str(tab.run("document.body.innerText"))
        narrow(tab, 390)
        eventually(lambda: tab.run("innerWidth") == 390 and tab.run(SIDEWAYS) <= 0)
        tab.act(SAVE)
        tab.shows("No window yet. Waiting")
        (motor,) = machines.load_motors(client, ["M1"])
        assert motor == Motor(rated_power_w=3700, rated_voltage_v=400, rated_current_a=0.8)
        narrow(tab, 1280)
        tab.command("Page.navigate", tab._session, url=str(http.base_url.join("/machines/M1")))
        tab.shows("does not fit")
        tab.shows("3.7 kW")
        tab.command("Page.navigate", tab._session, url=str(http.base_url.join("/setup?machine=M1")))
        tab.shows("does not fit")
        assert tab.run("document.querySelector('#rated_power_w').value") == "3.7"
