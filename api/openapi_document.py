"""The OpenAPI document: FastAPI derives it from the routes; problems and keys are added here."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.http.errors import CODES, MEDIA_TYPE, SIGN_IN_STATUSES, STATUS_OF_CODE
from api.schemas.common import FieldError, Problem

REFERENCE = "#/components/schemas/{model}"
COOKIE_SCHEME = "APIKeyCookie"
# They need no key, though a key shows more.
OPEN_PATHS = ("/health/live", "/health/ready")
LENIENT_PATHS = ("/", *OPEN_PATHS)
_HEADERS = {
    401: {"WWW-Authenticate": "how to send a key"},
    429: {"Retry-After": "seconds to wait before the next try, where waiting helps"},
    503: {"Retry-After": "seconds to wait before the next try"},
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application: OpenAPI 3.1 with every response."""
    document: dict[str, Any] = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/"}],
        tags=TAGS,
    )
    components = document["components"]
    for model in (FieldError, Problem):
        schema = model.model_json_schema(ref_template=REFERENCE, mode="serialization")
        schema.pop("$defs", None)
        components["schemas"][model.__name__] = schema
    for schema in components["schemas"].values():
        for field in schema.get("properties", {}).values():
            if text := field.get("description"):
                # An attribute docstring may have several lines.
                field["description"] = text.replace("\n", " ")
    statuses: set[int] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe_security(path, method, operation)
            _describe_csv(operation)
            statuses |= _describe_problems(path, operation)
    components["responses"] = {f"Problem{s}": _problem_response(s) for s in sorted(statuses)}
    components["responses"]["Problem"] = _problem_response(None)
    document["x-problem-codes"] = CODES
    return document


TAGS = [
    {"name": "system", "description": "The cluster as a whole."},
    {"name": "machines", "description": "Machines, their nameplates and their state."},
    {"name": "windows", "description": "Windows go in."},
    {"name": "history", "description": "Diagnoses, alerts, evidence and dead letters."},
    {"name": "energy", "description": "Power, load, losses, and what was counted."},
    {"name": "scalars", "description": "Temperatures, pressures, velocities: in and out."},
    {"name": "alarms", "description": "The life of alarms, and what operators do with them."},
    {"name": "health", "description": "Liveness and readiness of this process."},
    {"name": "pages", "description": "For people, and the entrance for programs."},
]


def _describe_security(path: str, method: str, operation: dict[str, Any]) -> None:
    """Say where a key is not needed, and that a session changes nothing as an administrator."""
    schemes = operation.get("security", [])
    if method != "get":
        schemes = [s for s in schemes if s.get(COOKIE_SCHEME) != ["admin"]]
    if schemes:
        operation["security"] = [{}, *schemes] if path in OPEN_PATHS else schemes


def _describe_csv(operation: dict[str, Any]) -> None:
    """Say where a list also comes as CSV."""
    if any(p["name"] == "format" for p in operation.get("parameters", [])):
        operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}


def _describe_problems(path: str, operation: dict[str, Any]) -> set[int]:
    """Add the problems of an operation by status; return the statuses."""
    responses = operation["responses"]
    responses.pop("422", None)
    statuses = set() if path in OPEN_PATHS else {401, 403, 429, 503}
    if "{" in path and "requestBody" not in operation:
        statuses.add(404)
    if path not in LENIENT_PATHS:
        statuses.add(422)
    # Answers that a route names; one with its own content, as of `/health/ready`, is no problem.
    named = {s for s, r in responses.items() if s.isdigit() and "content" not in r}
    statuses |= {int(s) for s in named if int(s) >= 400}
    if "requestBody" in operation:
        statuses |= {400, 408, 413, 415}
    if "alarms" in operation.get("tags", []) and "requestBody" in operation:
        statuses |= {404, 409}
    # A route that gives an answer its own content, as a failed readiness does, sends no problem.
    own = {int(s) for s, r in responses.items() if s.isdigit() and "content" in r}
    for status in sorted(statuses - own):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    return statuses


def _problem_response(status: int | None) -> dict[str, Any]:
    titles = [t for code, t in CODES.items() if STATUS_OF_CODE.get(code, 422) == status]
    description = {None: "Any other problem", 422: CODES["invalid"]}.get(status, "; ".join(titles))
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in _HEADERS.get(status or 0, {}).items()
    }
    content: dict[str, Any] = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    if status in SIGN_IN_STATUSES:
        description += "; browsers get a page that asks for one"
        content["text/html"] = {"schema": {"type": "string"}}
    response: dict[str, Any] = {"description": description, "content": content}
    return response | ({"headers": headers} if headers else {})
