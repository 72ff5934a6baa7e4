"""Liveness and readiness, for process managers and load balancers."""

from concurrent.futures import ThreadPoolExecutor, TimeoutError
from typing import Annotated

import redis
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from api.auth import may_read
from api.errors import NOT_READY
from api.explanation import check_in_words
from api.routes.system import OpenBackend
from api.schemas.system import CheckDetail, Liveness, Readiness
from vtox.errors import ServerUnavailable
from vtox.monitoring.readiness import Check, checks

router = APIRouter(prefix="/health", tags=["health"])
# A server that takes longer than this to respond is not ready.
SNAPSHOT_TIMEOUT_S = 2.0

MayRead = Annotated[bool, Depends(may_read)]
_snapshots = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ready")


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
    """Answer without the Redis or Valkey server: a restart of this process would not mend it."""
    return HealthResponse({"status": "pass"})


@router.get(
    "/ready",
    summary="Whether windows are taken in and diagnosed",
    response_model=Readiness,
    response_class=HealthResponse,
    responses={NOT_READY: {"model": Readiness, "description": "A check fails"}},
)
def ready(backend: OpenBackend, may_see_checks: MayRead) -> Response:
    """Return every check with what was found; 503 when one fails.

    Load balancers have no key: where keys are required, they get the status alone.
    """
    results = _checks(backend)
    failed = any(c.status == "fail" for c in results)
    warned = any(c.status != "pass" for c in results)
    body = Readiness(status="fail" if failed else "warn" if warned else "pass")
    if may_see_checks:
        for c in results:
            body.checks.setdefault(c.name, []).append(_detail(check_in_words(c)))
    content = body.model_dump(exclude=None if may_see_checks else {"checks"})
    return HealthResponse(content, NOT_READY if failed else 200)


def _checks(backend: OpenBackend) -> list[Check]:
    try:
        return checks(_snapshots.submit(backend.server.snapshot).result(SNAPSHOT_TIMEOUT_S))
    except (redis.RedisError, ServerUnavailable) as error:
        problem = str(error)
    except TimeoutError:
        problem = f"no answer within {SNAPSHOT_TIMEOUT_S:g} s"
    return [Check(name="server", status="fail", observed=problem)]


def _detail(c: Check) -> CheckDetail:
    return CheckDetail(status=c.status, observedValue=c.observed, output=c.remedy)
