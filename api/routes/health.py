"""Liveness and readiness, for process managers and load balancers."""

import time
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from typing import Annotated

import redis
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from api.all_checks import all_checks, is_diagnosing
from api.auth import may_read
from api.errors import NOT_READY
from api.explanation import check_in_words
from api.routes.system import OpenBackend
from api.schemas.system import CheckDetail, Liveness, Readiness
from api.server import Server
from api.servers import Answers
from vtox.errors import ServerUnavailable
from vtox.monitoring.readiness import Check
from vtox.store.status import Snapshot

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

    Of several servers that share the machines each has its checks; 503 when all have one that
    fails, `warn` when some have.

    Load balancers have no key: where keys are required, they get the status alone.
    """
    results = _checks(backend)
    failed = not is_diagnosing(results)
    warned = any(c.status != "pass" for c in results)
    body = Readiness(status="fail" if failed else "warn" if warned else "pass")
    if may_see_checks:
        for c in results:
            body.checks.setdefault(c.name, []).append(_detail(check_in_words(c)))
    content = body.model_dump(exclude=None if may_see_checks else {"checks"})
    return HealthResponse(content, NOT_READY if failed else 200)


def _checks(backend: OpenBackend) -> list[Check]:
    """Return the checks of all servers, which are asked at once."""
    several = backend.servers.several
    found: list[tuple[Server, Snapshot]] = []
    away = [(s, s.problem) for s in backend.servers.all if several and s.problem]
    known = {s for s, _ in away}
    asked = {s: _snapshots.submit(s.snapshot) for s in backend.servers.all if s not in known}
    end = time.monotonic() + SNAPSHOT_TIMEOUT_S
    for server, snapshot in asked.items():
        try:
            found.append((server, snapshot.result(max(end - time.monotonic(), 0.0))))
        except (redis.RedisError, ServerUnavailable) as error:
            away.append((server, str(error)))
        except TimeoutError:
            away.append((server, f"no answer within {SNAPSHOT_TIMEOUT_S:g} s"))
    if not several and away:
        return [Check(name="server", status="fail", observed=away[0][1])]
    return all_checks(Answers(found, away))


def _detail(c: Check) -> CheckDetail:
    which = f"server {c.server}" if c.server else None
    return CheckDetail(
        status=c.status, observedValue=c.observed, output=c.remedy, componentId=which
    )
