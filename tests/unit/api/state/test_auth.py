"""Permissions without a question to the server: credentials of requests, and their refusals.

The server of these tests does not exist: an answer that came from it would be another one.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, get_args

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.params import Security
from fastapi.testclient import TestClient
from httpx import Response

from api.http.errors import install
from api.state.auth import COOKIE, needs, needs_no_key, reading_permission, require_key
from api.state.backend import Backend
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.system.apikeys import Scope
from vtox.pipeline.store.system.wrong_keys import DIFFERENT_AT_MOST, MINUTE_S

HERE, PORT = "127.0.0.1", 8000
ADDRESS = "10.0.0.7"

Reading = Annotated[Callable[[], bool], Depends(reading_permission)]


def app_of(settings: Settings) -> FastAPI:
    app = FastAPI()
    app.state.backend, app.state.only_loopback = Backend(settings), {PORT: True}
    app.add_api_route("/guarded", lambda: "in", methods=["GET", "POST"], dependencies=needs("read"))
    install(app)

    @app.get("/open")
    def show(request: Request, may_read: Reading) -> list[bool]:
        return [needs_no_key(request), may_read()]

    return app


def client_of(app: FastAPI, address: str) -> TestClient:
    return TestClient(app, f"http://{HERE}:{PORT}", client=(address, 5000))


@pytest.fixture
def guarded() -> Iterator[TestClient]:
    """A client of a service that needs keys, from an address that has to wait."""
    app = app_of(Settings(cluster_mode="production"))
    for i in range(DIFFERENT_AT_MOST):
        app.state.backend.wrong_keys.note(ADDRESS, f"guess {i}")
    with client_of(app, ADDRESS) as client:
        yield client


def code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


UNAUTHORIZED, WAITS = (401, "unauthorized"), (429, "too_many_requests")


@pytest.mark.parametrize("scope", get_args(Scope))
def test_a_route_needs_the_one_scope_that_it_names(scope: Scope) -> None:
    (dependency,) = needs(scope)
    assert isinstance(dependency, Security)
    assert (dependency.dependency, dependency.scopes) == (require_key, [scope])


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-key": ""}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer"}],
)
def test_a_request_without_a_key_is_unauthorized(
    guarded: TestClient, headers: dict[str, str]
) -> None:
    answer = guarded.get("/guarded", headers=headers)
    assert code(answer) == UNAUTHORIZED
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "x"},
        {"x-api-key": "x"},
        {"authorization": "Bearer x"},
        {"authorization": "bearer x"},
    ],
)
def test_a_key_is_read_from_either_header(guarded: TestClient, headers: dict[str, str]) -> None:
    answer = guarded.get("/guarded", headers=headers)
    assert code(answer) == WAITS
    assert 0 < int(answer.headers["retry-after"]) <= MINUTE_S


def test_a_key_in_the_address_or_cookie_is_not_read(guarded: TestClient) -> None:
    assert code(guarded.get("/guarded?X-API-Key=x&api_key=x")) == UNAUTHORIZED
    assert code(guarded.get("/guarded", headers={"cookie": "X-API-Key=x"})) == UNAUTHORIZED


def test_a_key_counts_before_a_session(guarded: TestClient) -> None:
    headers = {"cookie": f"{COOKIE}=s", "x-api-key": "x"}
    assert code(guarded.post("/guarded", headers=headers)) == WAITS


def test_a_session_changes_nothing_without_an_origin(guarded: TestClient) -> None:
    headers = {"cookie": f"{COOKIE}=s"}
    assert code(guarded.post("/guarded", headers=headers)) == (403, "foreign_site")
    assert code(guarded.post("/guarded", headers={"cookie": f"{COOKIE}="})) == UNAUTHORIZED


def test_a_key_that_waits_is_counted_too(guarded: TestClient) -> None:
    attempts = guarded.app.state.backend.wrong_keys
    for _ in range(3):
        guarded.get("/guarded", headers={"x-api-key": "x"})
    assert attempts._addresses[ADDRESS].count == DIFFERENT_AT_MOST + 3


def test_who_may_not_read_is_told_so_without_an_error(guarded: TestClient) -> None:
    assert guarded.get("/open").json() == [False, False]
    assert guarded.get("/open", headers={"x-api-key": "x"}).json() == [False, False]


def test_production_needs_a_key_from_this_host_too() -> None:
    with client_of(app_of(Settings(cluster_mode="production")), HERE) as client:
        assert client.get("/open").json() == [False, False]
        assert code(client.get("/guarded")) == UNAUTHORIZED
