"""Liveness and readiness, for process managers and load balancers."""

from concurrent.futures import ThreadPoolExecutor, TimeoutError
from typing import Annotated, Any

import redis
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from api.auth import may_read
from api.routes.system import Opened, state
from vtox.errors import ServerUnavailable
from vtox.monitoring.readiness import Check, checks

router = APIRouter(prefix="/health", tags=["health"])
MEDIA_TYPE = "application/health+json"
# A server that takes longer than this to answer is not ready.
PATIENCE_S = 2.0

Told = Annotated[bool, Depends(may_read)]
_asking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="ready")


@router.get("/live", summary="Whether this process serves")
async def live() -> JSONResponse:
    """Never touches the server: a restart of this process would not mend it."""
    return JSONResponse({"status": "pass"}, media_type=MEDIA_TYPE)


@router.get("/ready", summary="Whether windows are taken in and diagnosed")
def ready(backend: Opened, told: Told) -> JSONResponse:
    """Every check with what was found; 503 when one fails.

    Load balancers have no key: where keys are required, they are told the status alone.
    """
    try:
        found = checks(_asking.submit(backend.snapshot).result(PATIENCE_S))
    except (redis.RedisError, ServerUnavailable) as error:
        found = [Check(name="server", status="fail", observed=str(error))]
    except TimeoutError:
        text = f"no answer within {PATIENCE_S:g} s"
        found = [Check(name="server", status="fail", observed=text)]
    failed = state(found) != "running"
    warned = any(c.status == "warn" for c in found)
    body: dict[str, Any] = {
        "status": "fail" if failed else "warn" if warned else "pass",
    }
    if told:
        body["checks"] = {
            c.name: [{"status": c.status, "observedValue": c.observed, "output": c.remedy}]
            for c in found
        }
    return JSONResponse(body, 503 if failed else 200, media_type=MEDIA_TYPE)
