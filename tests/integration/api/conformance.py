"""Checks every response against the OpenAPI document, as a hook of the HTTP client of the tests."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from api.factory import create_app

DOCUMENT = "urn:vtox:openapi"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document, the same for all settings; made once, as it takes most of a second."""
    return create_app().openapi()


def conformance_hook(document: dict[str, Any]) -> Callable[[httpx.Response], None]:
    """Return a hook that fails on a response that the document does not describe."""
    resource = Resource(contents=document, specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource(DOCUMENT, resource)
    templates = [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path)
        for path in document["paths"]
    ]

    def check(response: httpx.Response) -> None:
        request = response.request
        address = request.url.raw_path.decode().partition("?")[0]
        path = next((p for pattern, p in templates if pattern.fullmatch(address)), None)
        operation = document["paths"].get(path, {}).get(request.method.lower())
        if operation is None:
            return
        response.read()
        where = _where(document, path, request.method.lower(), response)
        if response.headers.get("content-type", "").partition(";")[0].endswith("json"):
            schema = {"$ref": f"{DOCUMENT}#{where}/schema"}
            validator = Draft202012Validator(schema, registry=registry)
            errors = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(response.json())]
            assert errors == [], f"{request.method} {path} {response.status_code}"

    return check


def _where(document: dict[str, Any], path: Any, method: str, response: httpx.Response) -> str:
    """Return the JSON pointer of the description of the response's content."""
    responses = document["paths"][path][method]["responses"]
    # A failure of VTOX itself is any other problem.
    status = "default" if response.status_code == 500 else str(response.status_code)
    assert status in responses, f"{method} {path} answers {status}, which is not described"
    pointer = f"/paths/{_escape(path)}/{method}/responses/{status}"
    described = responses[status]
    if "$ref" in described:
        pointer = described["$ref"].removeprefix("#")
        described = document["components"]["responses"][pointer.rpartition("/")[2]]
    kind = response.headers.get("content-type")
    content = described.get("content", {})
    if kind is None:
        assert not content, f"{method} {path} {status}: no content, though some is described"
        return pointer
    match = next((k for k in content if kind == k or kind.partition(";")[0] == k), None)
    assert match, f"{method} {path} {status}: {kind} is not described, but {[*content]}"
    return f"{pointer}/content/{_escape(match)}"


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
