"""Every route, called by every kind of caller, answers as docs/reference/access.md says."""

import re
from collections.abc import Callable, Iterator
from functools import cache

import httpx
import pytest

from api.factory import create_app
from tests.integration.api.conformance import document
from tests.paths import ROOT
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.system import apikeys, sessions

PAGE = ROOT / "docs/reference/access.md"
MACHINE = "M1"
Headers = dict[str, str]
Route = tuple[str, str]
REFUSALS = ("401", "403")


def table(first_heading: str) -> list[list[str]]:
    """The rows of the table with this first heading."""
    lines = PAGE.read_text().splitlines()
    start = next(i for i, x in enumerate(lines) if x.startswith(f"| {first_heading} |"))
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    return [[cell.strip() for cell in x.strip("|").split("|")] for x in lines[start + 2 : end]]


@cache
def named_routes() -> dict[Route, str]:
    """Route -> its requirement, for the routes on the page: `POST /a/` with `b` is POST /a/b."""
    needs: dict[Route, str] = {}
    for need, requests in table("needs"):
        method = folder = ""
        for text in re.findall(r"`([^`]+)`", requests):
            found = re.fullmatch(r"(GET|POST|PUT|DELETE) (/.*)", text)
            if found:
                method, folder = found.groups()
            path = folder if found else folder + text
            if method and not path.endswith("/"):
                needs[method, path] = need.replace("`", "")
    return needs


def need(route: Route) -> str:
    return named_routes().get(route, "read" if route[0] == "GET" else "not named")


def described() -> Iterator[tuple[Route, list[dict[str, list[str]]]]]:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            yield (method.upper(), path), operation.get("security", [])


@cache
def all_routes() -> tuple[Route, ...]:
    """The routes of the OpenAPI document, and the pages."""
    routes = [r for included in create_app().routes for r in included.original_router.routes]  # type: ignore[attr-defined]
    pages = {(m, r.path) for r in routes if not r.include_in_schema for m in r.methods}
    return tuple(sorted({route for route, _ in described()} | pages))


def test_the_document_names_the_scopes_that_the_page_names() -> None:
    for route, schemes in described():
        scopes = [s for scheme in schemes for of in scheme.values() for s in of]
        assert set(scopes or ["no key"]) == {need(route).partition(",")[0]}, route
        by_session = any("APIKeyCookie" in scheme for scheme in schemes)
        assert by_session == (need(route) != "admin" and bool(schemes)), route


def test_the_page_names_no_route_that_is_not_there() -> None:
    assert named_routes().keys() - set(all_routes()) == set()


@pytest.fixture
def plain(http: httpx.Client) -> Iterator[httpx.Client]:
    """A client that does not compare each answer with the document: that costs twice as much."""
    with httpx.Client(base_url=http.base_url, timeout=20) as opened:
        yield opened


def key(client: Client, *scopes: str) -> Headers:
    return {"X-API-Key": apikeys.create(client, scopes)[0]}


def session(client: Client, scope: str) -> Headers:
    record = apikeys.create(client, [scope])[1]
    return {"Cookie": f"vtox_session={sessions.begin(client, record)}", "Origin": "own"}


def of_ended_key(client: Client) -> list[Headers]:
    signed_out, revoked = session(client, "admin"), session(client, "admin")
    sessions.end(client, signed_out["Cookie"].partition("=")[2])
    apikeys.revoke(client, apikeys.list_keys(client)[-1].id)
    return [signed_out, revoked]


def ended_keys(client: Client) -> list[Headers]:
    expired = apikeys.create(client, ["admin"], lifetime_s=0.0)[0]
    revoked, record = apikeys.create(client, ["admin"])
    apikeys.revoke(client, record.id)
    return [{"X-API-Key": text} for text in (expired, revoked, "vtox_0badc0de_x")]


# Caller -> a function that makes its keys, and returns its headers.
CALLERS: dict[str, Callable[[Client], list[Headers]]] = {
    "key with `read`": lambda c: [key(c, "read")],
    "key with `operate`": lambda c: [key(c, "operate")],
    "key with `engineer`": lambda c: [key(c, "engineer")],
    "key with `ingest`": lambda c: [key(c, "ingest")],
    "key with `ingest` for this machine": lambda c: [key(c, f"ingest:{MACHINE}")],
    "key with `ingest` for other machines": lambda c: [key(c, "ingest:V0*")],
    "key with `admin`": lambda c: [key(c, "admin")],
    "session of a key with `read`": lambda c: [session(c, "read")],
    "session of a key with `operate`": lambda c: [session(c, "operate")],
    "session of a key with `engineer`": lambda c: [session(c, "engineer")],
    "session of a key with `admin`": lambda c: [session(c, "admin")],
    "the same session without `Origin`": lambda c: [{"Cookie": session(c, "admin")["Cookie"]}],
    "session that has ended, or whose key has": of_ended_key,
    "key that has expired, was revoked or is unknown": ended_keys,
    "no key, while one exists": lambda c: [key(c, "read") and {}],
    "no key, while none exists, from this host": lambda c: [{}],
    "no key, while none exists, through a proxy": lambda c: [{"Via": "1.1 proxy"}],
}


def test_the_page_names_these_callers() -> None:
    assert [row[0] for row in table("caller")] == list(CALLERS)


def answer(http: httpx.Client, route: Route, headers: Headers) -> str:
    """Call a route with an invalid body, so that an accepted caller changes nothing either."""
    method, template = route
    path = template.format(
        machine_id=MACHINE, alarm_id=f"{MACHINE}:bearing:1", letter_id="1-1", record="1-1", name="x"
    )
    own = f"http://{http.base_url.netloc.decode()}"
    sent = {k: own if k == "Origin" else v for k, v in headers.items()}
    body = b"{" if method in ("POST", "PUT") else None
    status = http.request(
        method, path, headers=sent | {"Content-Type": "application/json"}, content=body
    ).status_code
    return str(status) if str(status) in REFUSALS else "yes"


@pytest.mark.parametrize("caller", CALLERS)
def test_each_caller_may_do_what_the_page_says(
    plain: httpx.Client, client: Client, caller: str
) -> None:
    (row,) = (r for r in table("caller") if r[0] == caller)
    needs = ("read", "operate", "engineer", "ingest", "admin", "admin, to read")
    expected = dict(zip(needs, row[1:], strict=True))
    for headers in CALLERS[caller](client):
        found = {
            route: answer(plain, route, headers)
            for route in all_routes()
            if need(route) != "no key"
        }
        wrong = {r: (a, need(r)) for r, a in found.items() if a != expected.get(need(r))}
        assert wrong == {}


def test_what_needs_no_key_answers_anybody(http: httpx.Client, client: Client) -> None:
    apikeys.create(client, ["read"])
    public = [r for r in all_routes() if need(r) == "no key"]
    assert {r: answer(http, r, {}) for r in public} == dict.fromkeys(public, "yes")
