"""A person signs in and out with Chromium; skipped where there is none on the path."""

from api.factory import create_app
from tests.integration.api.browser import chromium, needs_browser
from tests.integration.api.test_machines import commit_health
from tests.integration.conftest import serving_app
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

pytestmark = needs_browser


def test_a_person_signs_in_reads_and_signs_out(settings: Settings, client: Client) -> None:
    commit_health(client, "V028", turn_short="warning")
    key, _ = apikeys.create(client, ["read"], "Ada")
    with (
        serving_app(create_app(settings)) as http,
        chromium(str(http.base_url.join("/machines/V028"))) as tab,
    ):
        tab.shows("asks for an API key")
        for text, expected in (("wrong", "Another one?"), (key, "Turn short")):
            tab.act(f"document.querySelector('#key').value = '{text}'")
            tab.act("document.querySelector('button').click()")
            tab.shows(expected)
        assert tab.run("location.pathname") == "/machines/V028"
        assert tab.run("document.cookie") == "", "no script reads the session"
        tab.act("document.querySelector('nav button').click()")
        tab.shows("asks for an API key")
