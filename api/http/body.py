"""Bodies of requests: of the announced type only, read after the key check, JSON for most routes.

Routes take the body by these dependencies, which stand behind those of the key: FastAPI would read
and parse a body of its own before it looks at any key.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from api.http.errors import Problem

FORM_MAX_BYTES = 4096
Model = TypeVar("Model", bound=BaseModel)


async def whole_body(request: Request) -> bytes:
    """Return the body, which `BodyLimit` counts and times while it arrives."""
    try:
        return await request.body()
    except ClientDisconnect:
        raise Problem("bad_request", "the connection ended before the body did") from None


async def form_text(request: Request) -> str:
    """Return the body of a form, which is short."""
    _require_type(request, "application/x-www-form-urlencoded", "not_a_form")
    body = await whole_body(request)
    if len(body) > FORM_MAX_BYTES:
        raise Problem("body_too_large", f"the form is larger than {FORM_MAX_BYTES} bytes")
    return body.decode("utf-8", "replace")


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is, or raise the problem `bad_request`."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem("bad_request", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem("bad_request", f"the body is a {type(value).__name__}, expected {{...}}")
    # Only an escape can spell one; bodies of samples have none.
    if b"\\u" in body:
        _refuse_lone_surrogates(value)
    return value


def body_as(kind: type[Model], body: bytes) -> Model:
    """Return a body as a shape, or raise the problem that names the field at fault."""
    return object_as(kind, json_object(body))


def object_as(kind: type[Model], table: Mapping[str, Any]) -> Model:
    """Return fields as a shape, or raise the problem that names the one at fault."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        errors = [{**e, "loc": ("body", *e["loc"])} for e in error.errors()]
        raise RequestValidationError(errors) from None


# Asynchronous like the other small dependencies: a plain function costs a change of threads.
async def _require_json(request: Request) -> None:
    _require_type(request, "application/json", "not_json")


# Dependency of the routes that take JSON.
JSON_BODY: list[Any] = [Depends(_require_json)]


def _require_type(request: Request, expected: str, code: str) -> None:
    given = request.headers.get("content-type", "")
    kind, _, parameters = given.partition(";")
    charset = parameters.replace(" ", "").lower()
    if kind.strip().lower() != expected or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise Problem(code, f"Content-Type: {given[:80] or 'none'}, expected {expected}")


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        escape = f"\\u{ord(error.object[error.start]):04x}"
        detail = f"the body holds {escape}, half of a pair of surrogates: it is no character"
        raise Problem("bad_request", detail) from None
