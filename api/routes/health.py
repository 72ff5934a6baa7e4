"""Liveness and readiness, for process managers and load balancers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import redis
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.http.errors import NOT_READY
from api.http.explanation import translate_check
from api.routes.system import OpenBackend
from api.schemas.system import CheckDetail, Liveness, Readiness
from api.state.auth import needs_no_key, reading_permission
from api.state.backend import Backend
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.monitoring.readiness import Check, checks

router = APIRouter(prefix="/health", tags=["health"])
# With the rest of the request less than 1 s, which is the patience of most load balancers.
READY_TIMEOUT_S = 0.7

ReadingPermission = Annotated[Callable[[], bool], Depends(reading_permission)]
# The threads of other requests may all wait for a server that hangs.
_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ready")


class HealthResponse(JSONResponse):
    """JSON as `application/health+json`."""

    media_type = "application/health+json"


@router.get(
    "/live",
    summary="Whether this process serves",
    response_model=Liveness,
    response_class=HealthResponse,
)
async def live() -> Response:
    """Answer without the Redis or Valkey server: a restart of this process would not help."""
    return HealthResponse({"status": "pass"})


@router.get(
    "/ready",
    summary="Whether windows are taken in and diagnosed",
    response_model=Readiness,
    response_class=HealthResponse,
    responses={NOT_READY: {"model": Readiness, "description": "A check fails"}},
)
async def ready(request: Request, backend: OpenBackend, may_read: ReadingPermission) -> Response:
    """Return every check with its result, within 1 s; 503 when one fails.

    Load balancers have no key: if keys are required, they get the status alone.
    """
    server_problem = request.app.state.cluster.server_problem
    looking = asyncio.get_running_loop().run_in_executor(
        _threads, _look, backend, server_problem, may_read
    )
    try:
        results, may_see_checks = await asyncio.wait_for(looking, READY_TIMEOUT_S)
    except TimeoutError:
        problem = f"{backend.server.address()}: no answer within {READY_TIMEOUT_S:g} s"
        results, may_see_checks = [_failed(problem, server_problem())], needs_no_key(request)
    failed = any(c.status == "fail" for c in results)
    warned = any(c.status != "pass" for c in results)
    body = Readiness(status="fail" if failed else "warn" if warned else "pass")
    if may_see_checks:
        for c in results:
            body.checks.setdefault(c.name, []).append(_detail(translate_check(c)))
    content = body.model_dump(exclude=None if may_see_checks else {"checks"})
    return HealthResponse(content, NOT_READY if failed else 200)


def _look(
    backend: Backend, server_problem: Callable[[], str], may_read: Callable[[], bool]
) -> tuple[list[Check], bool]:
    """Return the checks, and whether the client may see them."""
    try:
        results = checks(backend.server.snapshot())
    except (redis.RedisError, ServerUnavailable) as error:
        results = [_failed(str(error), server_problem())]
    return results, may_read()


def _failed(problem: str, remedy: str = "") -> Check:
    return Check(name="server", status="fail", observed=problem, remedy=remedy)


def _detail(c: Check) -> CheckDetail:
    return CheckDetail(status=c.status, observedValue=c.observed, output=c.remedy)
