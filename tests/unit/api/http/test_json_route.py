"""Routes with a JSON body: refusals, their order, and the values that reach the function."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.http.errors import Problem, install
from api.http.json_route import AT_ONCE_BYTES, JsonRoute, JsonText

JSON = {"content-type": "application/json"}


class Named(BaseModel, extra="forbid"):
    name: str
    n: int = 1


def refuse(key: str = "") -> None:
    if key == "wrong":
        raise Problem("unauthorized", "wrong key")


router = APIRouter(route_class=JsonRoute)


@router.post("/named", dependencies=[Depends(refuse)])
def read_named(body: Named) -> dict[str, Any]:
    return {"name": body.name, "n": body.n}


@router.put("/bytes")
def as_bytes(body: Named, text: JsonText) -> int:
    return len(text)


@router.get("/named")
def read_names() -> list[str]:
    return ["a"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    install(app)
    with TestClient(app) as found:
        yield found


def refused(
    client: TestClient, content: bytes, kind: str = JSON["content-type"]
) -> tuple[int, str]:
    answer = client.post("/named", content=content, headers={"content-type": kind})
    return answer.status_code, answer.json()["code"]


def test_a_body_reaches_the_function_validated(client: TestClient) -> None:
    assert client.post("/named", json={"name": "a", "n": "7"}).json() == {"name": "a", "n": 7}
    assert client.post("/named", json={"name": "\u7535\U0001f600"}).json()["name"] == "电😀"


def test_one_request_leaves_nothing_to_the_next(client: TestClient) -> None:
    assert client.post("/named", json={"name": "a", "n": 5}).json()["n"] == 5
    assert client.post("/named", json={"name": "a"}).json()["n"] == 1
    assert refused(client, b"{}") == (422, "invalid")


def test_fields_are_checked_as_usual(client: TestClient) -> None:
    answer = client.post("/named", json={"n": "x", "other": 1}).json()
    assert answer["code"] == "invalid"
    assert {e["field"] for e in answer["errors"]} == {"name", "n", "other"}


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"nul", b"[" * 100_000, b'{"a":1}}'])
def test_what_is_not_json_is_a_bad_request(client: TestClient, text: bytes) -> None:
    assert refused(client, text) == (400, "bad_request")


@pytest.mark.parametrize("text", [b"[]", b"null", b"7", b'"a"', b"true"])
def test_json_that_is_no_object_is_a_bad_request(client: TestClient, text: bytes) -> None:
    assert refused(client, text) == (400, "bad_request")


def test_half_a_pair_of_surrogates_is_refused(client: TestClient) -> None:
    assert refused(client, rb'{"name": "\ud800"}') == (400, "bad_request")
    assert refused(client, rb'{"name": "a", "\udfff": 1}') == (400, "bad_request")
    whole = client.post("/named", content=rb'{"name": "\ud83d\ude00"}', headers=JSON)
    assert whole.json()["name"] == "😀"


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/json; charset=latin-1", "application/jsonx"]
)
def test_another_type_of_body_is_refused(client: TestClient, kind: str) -> None:
    assert refused(client, b'{"name": "a"}', kind) == (415, "not_json")


@pytest.mark.parametrize(
    "kind",
    ["Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"'],
)
def test_the_type_may_name_utf_8(client: TestClient, kind: str) -> None:
    answer = client.post("/named", content=b'{"name": "a"}', headers={"content-type": kind})
    assert answer.status_code == 200


def test_the_key_is_checked_before_the_body(client: TestClient) -> None:
    for content, headers in ((b"{", JSON), (b"a=1", {}), (b"{}", JSON)):
        answer = client.post("/named?key=wrong", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("n", [1, AT_ONCE_BYTES, 4 * AT_ONCE_BYTES])
def test_a_body_of_any_size_is_read_whole(client: TestClient, n: int) -> None:
    text = b'{"name": "%s"}' % (b"a" * n)
    assert client.put("/bytes", content=text, headers=JSON).json() == len(text)
    assert client.put("/bytes", content=text[:-1], headers=JSON).status_code == 400


def test_a_route_without_a_body_needs_no_type(client: TestClient) -> None:
    assert client.get("/named").json() == ["a"]
