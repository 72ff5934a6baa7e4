"""People sign in on the page once: a session in a cookie that no script reads takes its place."""

from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest

from tests.integration.conftest import serving
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys, sessions

HTML = {"Accept": "text/html,application/xhtml+xml"}
FORM = "application/x-www-form-urlencoded"
WINDOW = {"seq": 1, "t0": 1764000000.25, "fs_hz": 1000, "channels": {"ia": [1, 2, 3]}}


@pytest.fixture
def own(http: httpx.Client) -> dict[str, str]:
    return {"Origin": f"http://{http.base_url.netloc.decode()}"}


@pytest.fixture
def keyed(client: Client) -> dict[str, str]:
    return {scope: apikeys.create(client, [scope], "Ada")[0] for scope in apikeys.SCOPES}


def signed_in(http: httpx.Client, key: str, wanted: str = "/") -> httpx.Response:
    return http.post("/sign-in", data={"key": f" {key} ", "wanted": wanted})


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    """The header that a browser sends back."""
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return {"Cookie": f"{morsel.key}={morsel.value}"}


@pytest.fixture(autouse=True)
def no_cookie_jar(http: httpx.Client) -> Iterator[None]:
    yield
    http.cookies.clear()


@pytest.mark.parametrize("path", ["/", "/machines/M1", "/docs"])
def test_a_browser_without_a_key_gets_the_form(
    http: httpx.Client, keyed: dict[str, str], path: str
) -> None:
    answer = http.get(path, headers=HTML)
    assert (answer.status_code, 'type="password"' in answer.text) == (401, True)
    assert f'value="{path}"' in answer.text
    assert answer.text.count("/static/") == answer.text.count("/static/signin.css") == 1
    assert http.get("/static/signin.css").headers["content-type"].startswith("text/css")


def test_signing_in_leads_to_the_page_that_was_wanted(
    http: httpx.Client, keyed: dict[str, str]
) -> None:
    answer = signed_in(http, keyed["read"], "/machines/M1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/machines/M1")
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/")
    assert int(morsel["max-age"]) == sessions.LIFETIME_S
    assert not morsel["secure"], "over plain HTTP the browser would not send it back"
    assert keyed["read"] not in answer.headers["set-cookie"]
    page = http.get("/", headers=HTML | cookie_of(answer))
    assert page.status_code == 200
    assert "Sign out" in page.text


def test_over_https_the_cookie_is_secure_and_browsers_stay_there(
    http: httpx.Client, keyed: dict[str, str]
) -> None:
    # The header of a proxy on this host that ends TLS.
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    answer = http.post("/sign-in", data={"key": keyed["read"]}, headers=headers)
    assert "secure" in answer.headers["set-cookie"].lower()
    assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "", "/\r\nX: y"]
)
def test_signing_in_leads_to_no_other_site(
    http: httpx.Client, keyed: dict[str, str], elsewhere: str
) -> None:
    assert signed_in(http, keyed["read"], elsewhere).headers["location"] == "/"


@pytest.mark.parametrize(
    ("key", "status"), [("wrong", 401), ("", 401), ("vtox_é_%ED%A0%80", 401), ("ingest", 403)]
)
def test_a_key_that_does_not_read_is_asked_for_again(
    http: httpx.Client, keyed: dict[str, str], key: str, status: int
) -> None:
    form = f"key={keyed.get(key, key)}&wanted=/%22%3E%3Cb%3E"
    answer = http.post("/sign-in", content=form.encode(), headers={"Content-Type": FORM})
    assert (answer.status_code, "Another one?" in answer.text) == (status, True)
    assert "<b>" not in answer.text
    assert "set-cookie" not in answer.headers


def test_signing_out_ends_the_session_here_too(http: httpx.Client, keyed: dict[str, str]) -> None:
    cookie = cookie_of(signed_in(http, keyed["read"]))
    answer = http.post("/sign-out", headers=cookie)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'vtox_session=""' in answer.headers["set-cookie"]
    assert http.get("/version", headers=cookie).status_code == 401


def test_signing_in_again_ends_the_session_before(
    http: httpx.Client, keyed: dict[str, str]
) -> None:
    before = cookie_of(signed_in(http, keyed["read"]))
    http.cookies.clear()
    form = {"key": keyed["operate"], "wanted": "/"}
    after = cookie_of(http.post("/sign-in", data=form, headers=before))
    http.cookies.clear()
    assert before != after
    assert http.get("/version", headers=before).status_code == 401
    assert http.get("/version", headers=after).status_code == 200


def test_a_revoked_key_ends_its_sessions(
    http: httpx.Client, client: Client, keyed: dict[str, str]
) -> None:
    cookie = cookie_of(signed_in(http, keyed["read"]))
    assert http.get("/version", headers=cookie).status_code == 200
    apikeys.revoke(client, keyed["read"].split("_")[1])
    assert http.get("/version", headers=cookie).status_code == 401


def test_the_session_of_an_admin_sends_but_does_not_administer(
    http: httpx.Client, keyed: dict[str, str], own: dict[str, str]
) -> None:
    cookie = cookie_of(signed_in(http, keyed["admin"])) | own
    assert http.post("/api/v1/machines/M1/windows", json=WINDOW, headers=cookie).is_success
    assert http.put("/api/v1/machines/M1", json={}, headers=cookie).is_success
    answer = http.delete("/api/v1/machines/M1", headers=cookie)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
def test_a_session_sends_from_our_own_pages_only(
    http: httpx.Client, keyed: dict[str, str], origin: str | None
) -> None:
    cookie = cookie_of(signed_in(http, keyed["admin"])) | ({"Origin": origin} if origin else {})
    answer = http.post("/api/v1/machines/M1/windows", json=WINDOW, headers=cookie)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_site")


def test_a_foreign_page_cannot_sign_a_person_in(http: httpx.Client, keyed: dict[str, str]) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = http.post("/sign-in", data={"key": keyed["read"]}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_site")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", None])
def test_signing_in_takes_a_form_only(http: httpx.Client, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = http.post("/sign-in", content=b"key=x", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "not_a_form")
    assert FORM in answer.json()["detail"]


def test_a_form_is_short(http: httpx.Client) -> None:
    assert http.post("/sign-in", data={"key": "x" * 5000}).status_code == 413


ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/machines/M1", 200),
    ("GET", "/static/fleet.js", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/health/live", 200),
    ("HEAD", "/version", 200),
    ("GET", "/nothing", 404),
    ("PATCH", "/version", 405),
    ("POST", "/api/v1/machines/M1/windows", 415),
    ("GET", "/api/v1/alerts?event=x", 422),
    ("GET", "/api/v1/machines", 500),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_restricts_what_a_browser_makes_of_it(
    http: httpx.Client, client: Client, method: str, path: str, status: int
) -> None:
    if status == 500:
        client.set("vtox:machines", "not a sorted set")
    answer = http.request(method, path, headers=HTML)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    policy = dict(
        p.strip().split(" ", 1) for p in answer.headers["content-security-policy"].split(";")
    )
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'self'", "'none'")
    assert not any("unsafe" in sources for sources in policy.values())


def test_the_form_and_refusals_restrict_it_too(http: httpx.Client, keyed: dict[str, str]) -> None:
    for answer in (
        http.get("/", headers=HTML),
        http.get("/version"),
        http.get("/version", headers={"Host": "evil.example"}),
        signed_in(http, "wrong"),
    ):
        assert answer.status_code in (401, 403)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "<script" not in answer.text


def test_the_pages_hold_no_inline_script_or_style(http: httpx.Client) -> None:
    for path in ("/", "/docs", "/machines/M1"):
        text = http.get(path, headers=HTML).text
        assert "<style" not in text
        assert " style=" not in text
        tags = [tag.partition(">")[0] for tag in text.split("<script")[1:]]
        assert all("src=" in tag or 'type="application/json"' in tag for tag in tags)


def test_an_old_service_with_a_stale_cookie_asks_again(settings: Settings, client: Client) -> None:
    apikeys.create(client, ["read"])
    with serving(settings) as http:
        answer = http.get("/", headers=HTML | {"Cookie": "vtox_session=stale"})
        assert (answer.status_code, "Sign in" in answer.text) == (401, True)
