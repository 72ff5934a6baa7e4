"""The rights of each caller, and the form of every refusal."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.factory import create_app
from api.state import key_reader
from tests.integration.api.test_windows import GOOD
from tests.integration.conftest import serving
from tests.waiting import eventually
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.machines import machines
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys, sessions

# As Chromium asks for a page.
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
OPEN = ("/", "/docs", "/openapi.json", "/metrics", "/version", "/static/vtox.css")
OPEN += ("/api/v1/cluster/status", "/api/v1/machines", "/api/v1/alerts", "/api/v1/dead-letters")


@pytest.fixture
def keyed(settings: Settings, client: Client) -> dict[str, str]:
    """One key of each scope."""
    return {scope: apikeys.create(client, [scope])[0] for scope in apikeys.SCOPES}


@pytest.fixture
def production(settings: Settings, keyed: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    strict = load(redis_url=settings.redis_url, data_dir=tmp_path, cluster_mode="production")
    with serving(strict) as opened:
        yield opened


@pytest.fixture
def session(client: Client, keyed: dict[str, str]) -> dict[str, str]:
    """The cookie of a person who signed in with the admin key."""
    admin = apikeys.verify(client, keyed["admin"])
    assert admin
    return {"Cookie": f"vtox_session={sessions.begin(client, admin)}"}


def test_development_asks_for_no_key(http: httpx.Client) -> None:
    assert all(http.get(path).status_code in (200, 503) for path in OPEN)


@pytest.mark.parametrize("path", OPEN)
def test_production_asks_everywhere(production: httpx.Client, path: str) -> None:
    answer = production.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_liveness_needs_no_key(production: httpx.Client) -> None:
    assert production.get("/health/live").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "vtox_wrong_key"}, HTML])
def test_readiness_without_a_key_is_the_status_alone(
    production: httpx.Client, headers: dict[str, str]
) -> None:
    answer = production.get("/health/ready", headers=headers)
    assert (answer.status_code, answer.json()) == (503, {"status": "fail"})


def test_readiness_shows_a_key_every_check(production: httpx.Client, keyed: dict[str, str]) -> None:
    ready = production.get("/health/ready", headers={"X-API-Key": keyed["read"]}).json()
    assert ready["checks"]["bridge"][0]["status"] == "fail"


def test_readiness_shows_everybody_every_check_where_no_key_is_needed(http: httpx.Client) -> None:
    assert "checks" in http.get("/health/ready").json()


def test_keys_are_required_as_soon_as_one_exists(http: httpx.Client, client: Client) -> None:
    assert http.get("/version").status_code == 200
    text, _ = apikeys.create(client, ["read"], "Ada")
    assert http.get("/version").status_code == 401
    assert http.get("/version", headers={"X-API-Key": text}).status_code == 200
    assert http.put("/api/v1/machines/M1", json={}).status_code == 401


def test_the_first_key_counts_soon(
    http: httpx.Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_reader, "KEY_CHECK_EVERY_S", 0.1)
    eventually(lambda: http.get("/version").status_code == 200)
    apikeys.create(client, ["read"], "Ada")
    eventually(lambda: http.get("/version").status_code == 401)


def test_a_key_for_some_machines_sends_for_no_other(http: httpx.Client, client: Client) -> None:
    text, _ = apikeys.create(client, ["read", "ingest:V0*"], "van")
    key = {"X-API-Key": text}
    assert http.post("/api/v1/machines/V01/windows", json=GOOD, headers=key).status_code == 202
    refused = http.post("/api/v1/machines/X01/windows", content=b"{", headers=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "'ingest' for machine X01, the key has read, ingest:V0*" in refused.json()["detail"]
    assert http.get("/api/v1/machines", headers=key).status_code == 200
    assert client.xlen(keys.RAW) == 1


def test_on_the_page_too_a_key_for_some_machines_sends_for_no_other(
    http: httpx.Client, client: Client
) -> None:
    _, record = apikeys.create(client, ["ingest:V0*"], "van")
    origin = f"http://{http.base_url.netloc.decode()}"
    headers = {"Cookie": f"vtox_session={sessions.begin(client, record)}", "Origin": origin}
    answers = [
        http.post(f"/api/v1/machines/{m}/windows", json=GOOD, headers=headers).status_code
        for m in ("V01", "X01")
    ]
    assert answers == [202, 403]


def test_the_use_of_a_key_is_noted_once_a_minute(http: httpx.Client, client: Client) -> None:
    text, record = apikeys.create(client, ["read"], "Ada")
    for _ in range(2):
        http.get("/version", headers={"X-API-Key": text})
        uses = apikeys.last_uses(client)
        client.hset(keys.API_KEY_USES, record.id, 7)
    assert uses == {record.id: 7.0}


def test_a_damaged_row_is_no_key_and_no_failure(http: httpx.Client, client: Client) -> None:
    client.hset(keys.API_KEYS, "0badc0de", "{")
    answer = http.get("/version", headers={"X-API-Key": "vtox_0badc0de_secret"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_head_is_answered_as_get_is(http: httpx.Client, client: Client) -> None:
    machines.register(client, "M1", Motor())
    described = http.get("/openapi.json").json()["paths"]
    paths = [p.replace("{machine_id}", "M1") for p, m in described.items() if "get" in m]
    assert "/api/v1/machines/M1/evidence" in paths
    for path in (*paths, "/docs", "/openapi.json", "/static/vtox.css", "/machines/M1"):
        got, head = http.get(path), http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"]


def test_head_asks_for_a_key_too(
    production: httpx.Client, keyed: dict[str, str], session: dict[str, str]
) -> None:
    assert production.head("/").status_code == 401
    for headers in ({"X-API-Key": keyed["read"]}, session):
        assert production.head("/version", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/v1/machines", "GET, HEAD"),
        ("POST", "/api/v1/machines/M1", "DELETE, GET, HEAD, PUT"),
        ("PATCH", "/api/v1/machines/M1", "DELETE, GET, HEAD, PUT"),
        ("GET", "/api/v1/machines/M1/windows", "POST"),
        ("HEAD", "/api/v1/machines/M1/windows", "POST"),
        ("PUT", "/health/live", "GET, HEAD"),
    ],
)
def test_a_refused_method_is_told_all_that_are_allowed(
    http: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert answer.json()["detail"] == f"{method} is not possible here, expected {allowed}"


@pytest.mark.parametrize("path", OPEN)
def test_a_reading_key_and_a_session_read(
    production: httpx.Client, keyed: dict[str, str], session: dict[str, str], path: str
) -> None:
    for headers in (
        {"X-API-Key": keyed["read"]},
        {"Authorization": f"Bearer {keyed['read']}"},
        session,
    ):
        assert production.get(path, headers=headers).status_code in (200, 503)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", "GET"),
        ("operate", "GET"),
        ("engineer", "GET PUT"),
        ("ingest", "POST"),
        ("admin", "GET POST PUT DELETE"),
    ],
)
def test_each_scope_allows_its_own(
    production: httpx.Client, keyed: dict[str, str], scope: str, allowed: str
) -> None:
    key = {"X-API-Key": keyed[scope]}
    for method, path in (
        ("GET", "/api/v1/machines"),
        ("POST", "/api/v1/machines/M1/windows"),
        ("PUT", "/api/v1/machines/M1"),
        ("DELETE", "/api/v1/machines/M1"),
    ):
        status = production.request(method, path, headers=key, json={}).status_code
        assert (status != 403) == (method in allowed.split()), (method, status)


def test_a_wrong_or_revoked_key_is_refused(
    production: httpx.Client, keyed: dict[str, str], client: Client
) -> None:
    key = keyed["read"]
    assert production.get("/version", headers={"X-API-Key": key + "x"}).status_code == 401
    apikeys.revoke(client, key.split("_")[1])
    assert production.get("/version", headers={"X-API-Key": key}).status_code == 401


def test_production_does_not_start_without_a_key(settings: Settings, tmp_path: Path) -> None:
    strict = load(redis_url=settings.redis_url, data_dir=tmp_path, cluster_mode="production")
    app = create_app(strict)

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(SettingsError, match="vtox keys create"):
        asyncio.run(start())


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nothing", 404, "/docs"),
        ("GET", "/api/v1/machines/M9", 404, "not known"),
        ("POST", "/api/v1/machines", 405, "expected GET"),
        ("PATCH", "/api/v1/machines/M1", 405, "expected"),
        ("GET", "/api/v1/alerts?event=x", 422, "event"),
    ],
)
def test_every_refusal_is_a_problem(
    http: httpx.Client, method: str, path: str, status: int, words: str
) -> None:
    answer = http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance", "code", "errors"}
    assert problem["status"] == status
    assert problem["type"] == f"/docs#{problem['code']}"
    assert problem["instance"] == path.partition("?")[0]
    assert words in problem["detail"]


def test_a_broken_store_is_a_problem_too(http: httpx.Client, client: Client) -> None:
    client.set("vtox:machines", "not a sorted set")
    answer = http.get("/api/v1/machines")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
