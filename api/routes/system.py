"""`GET /api/v1/cluster/status`, `/` for programs, `/version`, `/metrics`."""

import platform
from heapq import nsmallest
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.http.explanation import sentences, translate_check
from api.http.query import NO_PARAMETERS
from api.schemas.alarms import (
    AlarmFilter,
)
from api.schemas.common import Data, rfc3339
from api.schemas.system import (
    CapacityStatus,
    ClusterStatus,
    Performance,
    StreamStatus,
    SystemStatus,
    Version,
    WorkerStatus,
)
from api.shapes.metrics import CONTENT_TYPE, exposition
from api.state.auth import needs
from api.state.backend import Backend
from api.state.server import Server
from vtox.pipeline.cluster.parts import unready_parts
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.version import version
from vtox.pipeline.monitoring.capacity import capacity
from vtox.pipeline.monitoring.readiness import Check, checks
from vtox.pipeline.monitoring.throughput import (
    Throughput,
    arrivals_per_s,
    metrics_age_s,
    throughput,
)
from vtox.pipeline.store.ledger.heartbeats import Worker
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS
from vtox.pipeline.store.machines.energy import power_by_site
from vtox.pipeline.store.machines.machines import last_arrivals
from vtox.pipeline.store.stream.entries import Metrics
from vtox.pipeline.store.system.status import Snapshot

router = APIRouter(tags=["system"])
LINKS = {
    "status": "/api/v1/cluster/status",
    "machines": "/api/v1/machines",
    "alerts": "/api/v1/alerts",
    "open_alerts": "/api/v1/alerts/open",
    "dead_letters": "/api/v1/dead-letters",
    "health": "/health/ready",
    "metrics": "/metrics",
    "docs": "/docs",
    "openapi": "/openapi.json",
}


async def _open_backend(request: Request) -> Backend:
    """Return the backend that the lifespan opened."""
    backend: Backend = request.app.state.backend
    return backend


OpenBackend = Annotated[Backend, Depends(_open_backend)]


@router.get(
    "/api/v1/cluster/status",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Status of the cluster",
)
def cluster_status(backend: OpenBackend) -> Data[ClusterStatus]:
    """Return throughput with its source and age, queues, workers, streams and the server."""
    snap = backend.server.snapshot()
    results = checks(snap)
    status = ClusterStatus.of(
        snap,
        state=state(results),
        checks=list(map(translate_check, results)),
        performance_metrics=_performance(backend.server, snap),
        capacity=CapacityStatus.of(capacity(snap.metrics, snap.t)),
        workers=[_worker(w, snap.t) for w in snap.workers],
        streams={name: _stream(name, snap) for name in snap.lengths},
        flower_port=backend.settings.flower_port,
        parts=unready_parts(backend.settings),
        as_of=rfc3339(snap.t) or "",
    )
    return Data(data=status)


def system_status(backend: Backend) -> Data[SystemStatus]:
    """Return the system in short, for `GET /`."""
    snap = backend.server.snapshot()
    results = checks(snap)
    rate = throughput(snap, backend.server.readings())
    return Data(
        data=SystemStatus(
            name="VTOX",
            version=version(),
            state=state(results),
            checks=list(map(translate_check, results)),
            throughput=_round(rate.windows_per_s),
            throughput_source=rate.source,
            machines=snap.machines,
            links=LINKS,
            as_of=rfc3339(snap.t) or "",
        )
    )


@router.get("/version", dependencies=[*needs("read"), *NO_PARAMETERS], summary="Versions")
def read_versions() -> Data[Version]:
    """Return the versions of VTOX, Python and this interface."""
    return Data(data=Version(version=version(), python=platform.python_version()))


@router.get(
    "/metrics",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}},
)
def metrics(backend: OpenBackend) -> Response:
    """Return the state of the system as metrics; a figure that is not known is absent."""
    snap = backend.server.snapshot()
    book, _ = backend.book()
    fleet = backend.server.fleet()
    alarms = backend.alarm_lists.list(book, fleet, AlarmFilter(), grouped=False)
    rate = throughput(snap, backend.server.readings())
    client = backend.client()
    power = power_by_site(client, list(last_arrivals(client)), snap.t)
    limit = backend.settings.metrics_machines
    machines = nsmallest(limit, fleet.rows.values(), key=lambda row: row.name_key)
    text = exposition(snap, rate, alarms.open_by_level, power, machines)
    return Response(text, media_type=CONTENT_TYPE)


def state(results: list[Check]) -> str:
    """Return `running`, or `degraded` if a check fails."""
    return "degraded" if any(c.status == "fail" for c in results) else "running"


def _performance(server: Server, snap: Snapshot) -> Performance:
    """Return the figures of the machines; those of a silent monitor are null."""
    readings = server.readings()
    rate: Throughput = throughput(snap, readings)
    latest = snap.metrics[0] if snap.metrics else Metrics()
    age = metrics_age_s(latest, snap.t)
    fresh = age is not None and age <= STALE_INTERVALS * (latest.interval_s or 0)
    arrivals = latest.ingest_rate if fresh else arrivals_per_s(readings)
    return Performance.of(
        snap,
        throughput=_round(rate.windows_per_s),
        throughput_source=rate.source,
        throughput_age_s=_round(rate.age_s),
        throughput_reason=sentences(rate.why),
        ingest_rate=_round(arrivals),
        latency_p50_ms=latest.latency_p50_ms if fresh else None,
        latency_p95_ms=latest.latency_p95_ms if fresh else None,
        **{f"windows_{n}": snap.counters.get(f"windows_{n}", 0) for n in _COUNTED},
        tasks_refused=snap.counters.get("tasks_refused", 0),
        senders_restarted=snap.counters.get("senders_restarted", 0),
        measured_at=rfc3339(snap.t - age) if age is not None else None,
    )


_COUNTED = ("in", "done", "dead", "refused", "duplicate")


def _worker(w: Worker, now: float) -> WorkerStatus:
    ago_s = None if w.last_task_t is None else max(round(now - w.last_task_t, 3), 0.0)
    return WorkerStatus.of(w, last_seen_age_s=round(w.age_s(now), 3), last_task_age_s=ago_s)


def _stream(name: str, snap: Snapshot) -> StreamStatus:
    length = snap.lengths[name]
    if name != keys.RAW or snap.group is None:
        return StreamStatus(length=length)
    lag = snap.group.lag
    return StreamStatus(
        length=length,
        group=keys.GROUP,
        lag=lag,
        lag_exact=lag is not None,
        pending=snap.group.pending,
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
