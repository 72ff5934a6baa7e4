"""Every error as `application/problem+json` (RFC 9457): its cause, its place, the expected value.

The only place that decides the HTTP status of an error; routes raise errors as all of VTOX does.
"""

from collections.abc import Mapping
from typing import Any

import redis
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from api.http.http_methods import allowed_methods
from api.http.language import answer_language
from api.http.sign_in import sign_in_page
from vtox.motor.errors import (
    AlarmRefused,
    ChannelMapError,
    NameplateError,
    SensitivityError,
    SpectrumError,
    WireError,
)
from vtox.motor.values.domain import CHANNEL_UNITS
from vtox.motor.words.catalogue import catalogue
from vtox.motor.words.languages import DEFAULT
from vtox.pipeline.cluster.parts import parts
from vtox.pipeline.errors import (
    NotOnDisk,
    NotReplicated,
    ServerUnavailable,
    SettingChanged,
    TooBusy,
    TooManyMachines,
    TooManyScalars,
    UnknownMachine,
)
from vtox.reporting.history.errors import HistoryUnavailable

# 403 too: a key that may not read must not lock a person out until the browser is closed.
SIGN_IN_STATUSES = (401, 403)
MEDIA_TYPE = "application/problem+json"
# Answer of `/health/ready` while a check fails.
NOT_READY = 503


# Code -> title; the documentation page lists them, `type` points there.
CODES = catalogue(DEFAULT).problems
# Code -> status; all others have 422: a parameter or field is not acceptable.
STATUS_OF_CODE = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "foreign_host": 403,
    "foreign_site": 403,
    "not_found": 404,
    "no_waveform": 404,
    "method_not_allowed": 405,
    "no_table": 406,
    "body_too_slow": 408,
    "setting_changed": 409,
    "already_acknowledged": 409,
    "already_closed": 409,
    "already_ungrouped": 409,
    "already_assigned": 409,
    "suspended": 409,
    "not_active": 409,
    "not_shelved": 409,
    "already_out_of_service": 409,
    "in_service": 409,
    "not_replayable": 409,
    "too_many_work_orders": 409,
    "count_changed": 409,
    "body_too_large": 413,
    "too_large": 413,
    "not_json": 415,
    "not_a_form": 415,
    "encoded": 415,
    "too_many_requests": 429,
    "too_many_machines": 429,
    "too_many_scalars": 429,
    "internal": 500,
    "too_busy": 503,
    "server_unavailable": 503,
    "server_full": 503,
    "history_unavailable": 503,
    "not_on_disk": 503,
    "not_replicated": 503,
}
# Code of `SignInRefused` -> status of the page.
STATUS_OF_SIGN_IN = {
    "not_begun": 400,
    "provider_refused": 403,
    "sign_in_waits": 429,
    "no_role": 403,
    "not_trusted": 502,
    "provider_away": 503,
    "provider_busy": 503,
}
_FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed", 429: "too_many_requests"}
_RETRY = {"Retry-After": "5"}


class Problem(HTTPException):
    """A request that cannot be served; `errors` name the fields at fault.

    `parts` say how far the processes of this host are, while the server is away.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field: str = "",
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        parts: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(STATUS_OF_CODE.get(code, 422), detail, headers)
        self.code = code
        self.parts = parts
        self.errors = errors or ([{"field": field, "message": detail}] if field else [])


def not_found(detail: str) -> Problem:
    """Return the problem of a resource that does not exist."""
    return Problem("not_found", detail)


def problem_response(path: str, problem: Problem) -> JSONResponse:
    """Return a problem as a response; its title is in the language of the answer."""
    body: dict[str, Any] = {
        "type": f"/docs#{problem.code}",
        "title": catalogue(answer_language()).problems[problem.code],
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": path,
        "code": problem.code,
        "errors": problem.errors,
    }
    if problem.parts:
        body["parts"] = problem.parts
    return JSONResponse(body, problem.status_code, problem.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make `app` answer every error as a problem."""

    async def respond(request: Request, error: Exception) -> Response:
        problem = _problem(request, error)
        if problem.status_code in SIGN_IN_STATUSES and wants_html(request):
            wanted, headers = request.url.path, problem.headers
            return sign_in_page(request, problem.status_code, wanted=wanted, headers=headers)
        return problem_response(request.url.path, problem)

    for kind in (
        HTTPException,
        RequestValidationError,
        WireError,
        NameplateError,
        ChannelMapError,
        SensitivityError,
        ServerUnavailable,
        SettingChanged,
        HistoryUnavailable,
        NotOnDisk,
        NotReplicated,
        SpectrumError,
        TooBusy,
        TooManyMachines,
        TooManyScalars,
        UnknownMachine,
        AlarmRefused,
        ClientDisconnect,
        redis.RedisError,
        Exception,
    ):
        app.add_exception_handler(kind, respond)


def wants_html(request: Request) -> bool:
    """Whether the client is a browser that opens a page."""
    return "text/html" in request.headers.get("accept", "")


def _problem(request: Request, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case HTTPException():
            return _framework_problem(request, error)
        case RequestValidationError():
            return _validation_problem(error)
        case ClientDisconnect():
            return Problem("bad_request", "the connection ended before the body did")
        case WireError():
            return Problem(error.code, str(error), field=_field_of_body(error.field))
        case NameplateError():
            return Problem("bad_nameplate", str(error), field=error.field)
        case SensitivityError():
            return Problem("bad_sensitivity", str(error), field=error.field)
        case ChannelMapError():
            return Problem("bad_channel_map", str(error), field=error.field)
        case SettingChanged():
            return Problem("setting_changed", str(error))
        case UnknownMachine():
            return not_found(str(error))
        case HistoryUnavailable():
            return Problem("history_unavailable", str(error), headers=_RETRY)
        case NotOnDisk():
            return Problem("not_on_disk", str(error), headers=_RETRY)
        case NotReplicated():
            return Problem("not_replicated", str(error), headers=_RETRY)
        case redis.ResponseError() if str(error).startswith("NOREPLICAS"):
            return Problem("not_replicated", f"nothing is stored: {error}", headers=_RETRY)
        case SpectrumError():
            return Problem(error.code, str(error), field=error.field)
        case TooBusy():
            return Problem("too_busy", str(error), headers=_RETRY)
        case TooManyMachines():
            return Problem("too_many_machines", str(error))
        case TooManyScalars():
            return Problem("too_many_scalars", str(error))
        case AlarmRefused():
            return Problem(error.code, str(error))
        case redis.exceptions.OutOfMemoryError():
            return _server_full("its memory limit is reached")
        case redis.ResponseError() if str(error).startswith(("MISCONF", "READONLY")):
            return _server_full(str(error))
        case (
            ServerUnavailable()
            | redis.ConnectionError()
            | redis.TimeoutError()
            | redis.exceptions.NoPermissionError()
        ):
            whose = request.app.state.cluster.server_problem()
            detail = f"{error}; {whose}" if whose else str(error)
            known = parts(request.app.state.backend.settings)
            return Problem("server_unavailable", detail, headers=_RETRY, parts=known)
    return Problem("internal", f"{type(error).__name__}: see the log of the API")


def _framework_problem(request: Request, error: HTTPException) -> Problem:
    """Return the problem of an error that the framework raises by its status alone."""
    code = _FRAMEWORK_CODES.get(error.status_code, "bad_request")
    detail, headers = error.detail, error.headers
    if code == "not_found":
        detail = f"nothing is at {request.url.path}: /docs lists every address"
    elif code == "method_not_allowed":
        # The framework names the methods of the first route alone.
        headers = {"Allow": allowed_methods(request)}
        detail = f"{request.method} is not possible here, expected {headers['Allow']}"
    return Problem(code, detail, headers=headers)


def _validation_problem(error: RequestValidationError) -> Problem:
    errors: list[dict[str, str]] = []
    for e in error.errors():
        # A union gives a separate error for each of its members: `state.literal['']`.
        place = [p for p in map(str, e["loc"][1:]) if "[" not in p]
        where = ".".join(place) or str(e["loc"][0])
        if where in [known["field"] for known in errors]:
            continue
        if e["type"] == "json_invalid":
            return Problem("bad_request", f"the body is not JSON: {e['ctx']['error']}")
        kind = "parameter" if e["loc"][0] == "query" else "field"
        message = f"there is no such {kind}" if e["type"] == "extra_forbidden" else e["msg"]
        errors.append({"field": where, "message": message, "got": repr(e.get("input"))[:80]})
    first = errors[0]
    detail = f"{first['field']}: {first['message']} (got {first['got']})"
    return Problem("invalid", detail, errors=errors)


def _server_full(why: str) -> Problem:
    return Problem("server_full", f"the server refuses writes: {why}", headers=_RETRY)


def _field_of_body(field: str) -> str:
    """Return where a field of the stream entry is in the body of a request."""
    if field in CHANNEL_UNITS:
        return f"channels.{field}"
    return field.replace("scale_", "scale.", 1)
