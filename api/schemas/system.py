"""Shapes of the system: status, version, health."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.common import OPTIONAL_FIELDS, Number, ResponseModel, Time
from api.schemas.diagnoses import OpenAlert
from api.schemas.value_fields import After, From
from api.schemas.view import View
from vtox.pipeline.monitoring.capacity import Capacity
from vtox.pipeline.monitoring.readiness import Check, Status
from vtox.pipeline.monitoring.throughput import Source
from vtox.pipeline.store.ledger.heartbeats import HostScaling, Worker
from vtox.pipeline.store.system.status import PartitionState, QueueStatus, ServerInfo

# Fields of a worker about its server and its commits.
_OF_WORKERS = (
    "last_seen_t problem terms started_t clock_offset_s family_windows family_busy_s last_task_t"
)


class Performance(View):
    """Figures of the cluster, measured by the monitor; null while it is silent."""

    throughput: Number
    """windows finished by all families per second, averaged over 30 s"""
    throughput_source: Source | None
    throughput_age_s: Number
    throughput_reason: str
    """why better sources have no figure"""
    ingest_rate: Number
    """windows admitted per second"""
    latency_p50_ms: Number
    """median, from the arrival of a record's last window to its result"""
    latency_p95_ms: Number
    """95th percentile of the same"""
    backlog: int | None
    """windows not finished by all families, now"""
    in_flight: int
    """windows dispatched and unfinished, over all families, now"""
    windows_in: int
    """windows admitted since the counters began"""
    windows_done: int
    """windows that all families have diagnosed"""
    windows_dead: int
    """windows that a family could not diagnose"""
    windows_refused: int
    """stream entries that are not valid windows"""
    windows_duplicate: int
    """windows that were sent before"""
    tasks_refused: int
    """messages of the task queues that are no task of VTOX"""
    senders_restarted: int
    """times that a sender began to count anew"""
    measured_at: Time | None
    """when the monitor last measured"""


class CapacityStatus(View, value=Capacity, without="why"):
    """The capacity in use, and the number of further machines like today's that fit."""

    code: str
    """`room`, or why it is not known"""
    reason: str
    """the same in words"""


class WorkerStatus(View, value=Worker, without=_OF_WORKERS):
    """One worker, as it measured itself."""

    name: Annotated[str, After("")]
    started: Annotated[Time | None, After("busy_s")]
    last_seen: Annotated[Time | None, After("started")]
    """its last heartbeat"""
    last_seen_age_s: Annotated[float, After("last_seen")]
    version: Annotated[str, After("last_seen_age_s")]
    """its VTOX"""
    port: Annotated[int | None, After("pid")]
    last_task: Annotated[Time | None, After("last_family")]
    """when it took that"""
    last_task_age_s: Annotated[Number, After("last_task")]


class StreamStatus(ResponseModel):
    """One stream; lag and pending if a group reads it."""

    length: int
    group: str | None = None
    lag: int | None = None
    """entries not yet read; null: no group, or see lag_exact"""
    lag_exact: bool | None = None
    """false if the server does not know the lag"""
    pending: int | None = None
    """entries read and not finished"""


class PartitionStatus(View, value=PartitionState, without="group bridge"):
    """One partition of the raw stream."""

    lag: Annotated[int | None, From("group.lag"), After("length")]
    """entries not yet read; null: not known"""
    pending: Annotated[int | None, From("group.pending"), After("lag")]
    """entries read and not finished; null: never read"""
    host: Annotated[str | None, From("bridge.host")]
    """host of the bridge that serves it, or did last"""
    pid: Annotated[int | None, From("bridge.pid")]
    """its process"""


class ServerStatus(View, value=ServerInfo, without="log_writable"):
    """The Redis or Valkey server."""


class ScalingStatus(
    View, value=HostScaling, without="pid last_seen_t problem version terms values changed_t"
):
    """The workers of one host whose number follows the load, as its supervisor reported last."""

    reason: Annotated[str, After("code")]
    """the same in words"""
    changed: Time | None
    """when that was"""
    reported: Annotated[Time | None, From("last_seen_t")]


class ClusterStatus(View):
    """The whole system at one moment."""

    state: Literal["running", "degraded"]
    checks: list[Check]
    alarms: list[OpenAlert]
    """alarms of the system itself that are raised, the latest first"""
    performance_metrics: Performance
    capacity: CapacityStatus
    queues: dict[str, QueueStatus]
    workers: list[WorkerStatus]
    scaling: list[ScalingStatus]
    """hosts whose number of workers follows the load (a `VTOX_CLUSTER_WORKERS` that is a range)"""
    streams: dict[str, StreamStatus]
    partitions: list[PartitionStatus]
    """of the raw stream; its entry in `streams` is their sum"""
    machines: int
    server: ServerStatus | None
    """null if it denies INFO"""
    flower_port: int
    """port of Flower, on the host that runs it"""
    parts: dict[str, str]
    """process -> `waiting`, `starting`, `ready`, `restarting`, `finished` or `stopped`, of those
    that `vtox up` runs on this host; empty once all are ready"""
    as_of: Time
    """when the server was read"""


class SystemStatus(ResponseModel):
    """The system in short, with links."""

    name: str
    version: str
    state: Literal["running", "degraded"]
    checks: list[Check]
    throughput: Number
    throughput_source: Source | None
    machines: int
    links: dict[str, str]
    as_of: Time
    """when the server was read"""


class Version(ResponseModel):
    """The versions that run here."""

    version: str
    python: str
    api: Literal["v1"] = "v1"


class Liveness(ResponseModel):
    """The answer of a process that serves."""

    status: Literal["pass"]


class CheckDetail(ResponseModel):
    """The result of one check, named as in the health+json draft."""

    status: Status
    observedValue: str
    """the observed value"""
    output: str
    """the advice; empty if the check passes"""


class Readiness(BaseModel):
    """Whether windows are taken in and diagnosed: `fail` with status 503 when a check fails."""

    model_config = OPTIONAL_FIELDS

    status: Status
    checks: dict[str, list[CheckDetail]] = Field(
        {}, description="absent for clients without a key, where keys are required"
    )
