"""People sign in at a real provider, in their role, for as long as their session lasts."""

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from api.factory import create_app
from api.state.backend import Backend
from tests.cluster import free_ports
from tests.integration.api.browser import chromium, needs_browser
from tests.integration.conftest import serving_app
from tests.oidc import CLIENT, known_person, needs_provider, provider
from vtox.motor.errors import SystemStateError
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.tables import Oidc
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys

pytestmark = needs_provider

HTML = {"Accept": "text/html"}
PEOPLE = {
    "vera": ("viewer", {"read"}),
    "otto": ("operator", {"read", "may_operate"}),
    "enid": ("engineer", {"read", "may_operate", "may_engineer"}),
    "ada": ("admin", {"read", "may_operate", "may_engineer"}),
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider() as address:
        for sub, (role, _) in PEOPLE.items():
            known_person(address, sub, name=f"{sub.title()} B", groups=["x", f"vtox-{role}"])
        known_person(address, "nemo", name="Nemo <b>", groups=["x"])
        yield address


def with_provider(settings: Settings, folder: Path, address: str) -> Settings:
    oidc = Oidc(issuer=address, client_id=CLIENT, client_secret=SecretStr("s"))
    return load(redis_url=settings.redis_url, data_dir=folder, oidc=oidc)


@pytest.fixture
def service(
    settings: Settings, client: Client, issuer: str, tmp_path: Path
) -> Iterator[httpx.Client]:
    with serving_app(create_app(with_provider(settings, tmp_path, issuer))) as http:
        yield http


def at_provider(http: httpx.Client, sub: str, wanted: str = "/", **form: str) -> httpx.Response:
    """Go to the provider, sign in there, and return the response that leads back."""
    sent = http.get("/sign-in/provider", params={"wanted": wanted})
    assert sent.status_code == 303
    # The cookie goes back with the answer of the provider, which is another site.
    assert {"HttpOnly", "SameSite=lax", "Path=/sign-in"} <= set(
        sent.headers["set-cookie"].split("; ")
    )
    return httpx.post(sent.headers["location"], data={"sub": sub, **form})


def signed_in(http: httpx.Client, sub: str, wanted: str = "/") -> httpx.Response:
    return http.get(at_provider(http, sub, wanted).headers["location"], headers=HTML)


@pytest.mark.parametrize("sub", PEOPLE)
def test_a_person_may_what_the_role_may(service: httpx.Client, client: Client, sub: str) -> None:
    answer = signed_in(service, sub, "/machines/M1")
    assert (answer.status_code, 'content="0;url=/machines/M1"' in answer.text) == (200, True)
    session = next(c for c in answer.headers.get_list("set-cookie") if "vtox_session" in c)
    assert {"HttpOnly", "SameSite=strict", "Max-Age=43200"} <= set(session.split("; "))
    access = service.get("/api/v1/access").json()["data"]
    assert {"read"} | {k for k in access if access[k] is True} == PEOPLE[sub][1]
    own = {"Origin": str(service.base_url).rstrip("/")}
    put = service.put("/api/v1/machines/M1", json={"pole_pairs": 2}, headers=own)
    assert put.is_success == ("may_engineer" in PEOPLE[sub][1])
    assert service.delete("/api/v1/machines/M1", headers=own).status_code == 403
    assert service.get("/api/v1/audit").is_success == (sub == "ada")
    name = f"{sub.title()} B".encode()
    deeds = [(e[b"code"], e[b"by"]) for _, e in client.xrange(keys.AUDIT)]
    assert deeds[0] == (b"signed_in_at", name)
    assert put.status_code == 403 or deeds[1] == (b"nameplate_changed", name)
    assert client.hlen(keys.API_KEY_USES) == 0


def test_the_audit_says_where_a_person_signed_in(service: httpx.Client) -> None:
    signed_in(service, "ada")
    (entry,) = service.get("/api/v1/audit").json()["data"]
    assert entry["by"] == "Ada B"
    assert (entry["code"], entry["key_id"]) == ("signed_in_at", "ada")
    assert entry["sentence"] == "signed in on the page, at localhost (account ada)"


def test_without_a_session_nothing_is_answered(service: httpx.Client) -> None:
    assert service.get("/api/v1/machines").status_code == 401
    page = service.get("/machines/M1", headers=HTML)
    assert (page.status_code, "Sign in at localhost" in page.text) == (401, True)
    assert "/sign-in/provider?wanted=/machines/M1" in page.text


def test_a_person_without_a_role_reads_why(service: httpx.Client) -> None:
    answer = signed_in(service, "nemo")
    assert answer.status_code == 403
    assert "signed in as Nemo &lt;b&gt;, but without a role" in answer.text
    assert "vtox-viewer" in answer.text
    assert "/oauth2/end_session" in answer.text, "to come back as somebody else"
    assert "vtox_session" not in answer.headers["set-cookie"]


def test_who_is_refused_at_the_provider_reads_so(service: httpx.Client) -> None:
    back = at_provider(service, "ada", action="deny").headers["location"]
    assert "access_denied" in back
    # This provider leaves the state out, which section 4.1.2.1 of RFC 6749 asks for.
    sent = service.get("/sign-in/provider").headers["location"]
    state = parse_qs(urlsplit(sent).query)["state"][0]
    for query, status, text in (
        ("error=access_denied", 400, "not begun in this browser"),
        (f"error=access_denied%3Cb%3E&state={state}", 403, "(access_denied&lt;b&gt;)"),
    ):
        answer = service.get(f"/sign-in/callback?{query}", headers=HTML)
        assert (answer.status_code, text in answer.text) == (status, True)


def test_a_way_back_is_of_one_browser_and_used_once(service: httpx.Client) -> None:
    back = at_provider(service, "ada").headers["location"]
    with httpx.Client(base_url=service.base_url) as other:
        assert other.get(back).status_code == 400
    assert service.get(back).status_code == 200
    assert service.get(back).status_code == 400


def test_signing_in_again_ends_the_session_before(service: httpx.Client) -> None:
    signed_in(service, "vera")
    before = service.cookies["vtox_session"]
    service.get("/sign-in/provider")
    service.cookies.clear()
    cookie = {"Cookie": f"vtox_session={before}"}
    assert service.get("/version", headers=cookie).status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_begins_no_session(service: httpx.Client, site: str) -> None:
    answer = service.get("/sign-in/provider", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, "/sign-in/provider?wanted=/" in answer.text) == (200, True)
    assert "set-cookie" not in answer.headers


def test_signing_out_leads_to_the_provider_too(service: httpx.Client) -> None:
    signed_in(service, "otto")
    answer = service.post("/sign-out")
    assert (answer.status_code, "You have signed out" in answer.text) == (200, True)
    assert "/oauth2/end_session?client_id=vtox&amp;post_logout_redirect_uri=" in answer.text
    assert service.get("/api/v1/machines").status_code == 401


def test_a_session_ends_with_the_provider_that_began_it(
    service: httpx.Client, settings: Settings, client: Client, tmp_path: Path
) -> None:
    signed_in(service, "ada")
    cookie = {"Cookie": f"vtox_session={service.cookies['vtox_session']}"}
    apikeys.create(client, ["read"])
    elsewhere = "https://elsewhere.example"
    for own in (settings, with_provider(settings, tmp_path, elsewhere)):
        with serving_app(create_app(own)) as http:
            assert http.get("/api/v1/machines", headers=cookie).status_code == 401


def test_keys_work_while_the_provider_is_away(
    settings: Settings, client: Client, tmp_path: Path
) -> None:
    key = apikeys.create(client, ["read"], "Ada")[0]
    (port,) = free_ports(1)
    own = with_provider(settings, tmp_path, f"http://localhost:{port}")
    with serving_app(create_app(own)) as http:
        answer = http.get("/sign-in/provider?wanted=/figures", headers=HTML)
        assert (answer.status_code, "localhost does not answer" in answer.text) == (503, True)
        assert "API key still works" in answer.text
        assert http.post("/sign-in", data={"key": key}).status_code == 303
        assert http.get("/api/v1/machines").is_success


@pytest.mark.parametrize("https", [True, False])
def test_the_way_back_is_what_the_browser_knows(service: httpx.Client, https: bool) -> None:
    forwarded = {"Host": "vtox.example", "X-Forwarded-Proto": "https"} if https else {}
    sent = service.get("/sign-in/provider", headers=forwarded)
    own = "https://vtox.example" if https else str(service.base_url).rstrip("/")
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    assert query["redirect_uri"] == [f"{own}/sign-in/callback"]
    assert ("Secure" in sent.headers["set-cookie"]) == https


def test_without_the_setting_nobody_goes_anywhere(http: httpx.Client) -> None:
    assert http.get("/sign-in/provider").status_code == 404
    assert http.get("/sign-in/callback").status_code == 404


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setitem(sys.modules, "api.state.provider", None)
    own = settings.model_copy(update={"oidc": Oidc(issuer="https://sso.example", client_id="x")})
    with pytest.raises(SystemStateError, match=r"VTOX_OIDC needs .*oidc"):
        Backend(own)


@needs_browser
def test_a_person_signs_in_and_out_in_a_browser(service: httpx.Client) -> None:
    with chromium(str(service.base_url.join("/figures"))) as tab:
        tab.act("document.querySelector('a.button').click()")
        tab.act("document.querySelector('[name=sub]').value = 'otto'")
        tab.act("document.querySelector('form button').click()")
        # The provider is another site: the strict cookie must be sent all the same.
        tab.act("document.querySelector('nav button').focus()")
        assert tab.run("location.pathname") == "/figures"
        assert tab.run("document.cookie") == "", "no script reads the session"
        tab.act("document.querySelector('nav button').click()")
        tab.shows("You have signed out")
        assert "oauth2/end_session" in tab.run("document.querySelectorAll('form > a')[1].href")
