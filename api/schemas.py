"""The shapes of requests and answers, as programs and `/docs` see them."""

from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as installed_version
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from vtox.domain import State, Value
from vtox.monitoring.readiness import Check
from vtox.monitoring.throughput import Source

T = TypeVar("T")
Number = float | None


@cache
def version() -> str:
    """Return the version of VTOX that runs."""
    return installed_version("vtox")


def rfc3339(t: float | None) -> str | None:
    """Return seconds since 1970 as an RFC 3339 time in UTC."""
    if t is None:
        return None
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: str | None) -> float | None:
    """Return the number that a field holds, None where it holds none."""
    try:
        return float(value or "")
    except ValueError:
        return None


class Data(BaseModel, Generic[T]):
    """One thing."""

    data: T


class Page(BaseModel, Generic[T]):
    """A part of a list; `next` leads to the part that follows, null at the end."""

    data: list[T]
    next: str | None = None


class Performance(BaseModel):
    """The cluster's figures; all but the throughput are the monitor's, null when it is silent."""

    throughput: Number = Field(description="windows finished by all families per s, last 30 s")
    throughput_source: Source | None
    throughput_age_s: Number
    throughput_reason: str = Field(description="why a better source, or any, has no figure")
    ingest_rate: Number = Field(description="windows taken in per s")
    latency_p50_ms: Number = Field(description="arrival of a record's last window to its result")
    latency_p95_ms: Number
    backlog: int | None = Field(description="windows not finished by all families, now")
    in_flight: int = Field(description="windows dispatched and unfinished, over all families, now")
    windows_in: int = Field(description="since the counters began, as the next five")
    windows_done: int
    windows_dead: int
    windows_refused: int
    windows_duplicate: int
    senders_restarted: int = Field(description="a known seq came with another start: a new run")
    measured_at: str | None = Field(description="when the monitor last measured")


class QueueStatus(BaseModel):
    """One fault family."""

    waiting: int = Field(description="tasks that wait at the broker")
    in_flight: int = Field(description="windows dispatched and unfinished")
    in_flight_bytes: int
    done: int = Field(description="windows with a result")
    records_done: int
    dead: int = Field(description="windows given up")
    workers: int = Field(description="live workers on this queue")


class WorkerStatus(BaseModel):
    """One worker, as it measured itself."""

    name: str
    host: str
    pid: int
    port: int | None
    queues: list[str]
    cpu_percent: Number
    memory_bytes: int | None
    tasks_done: int
    windows_done: int
    windows_per_s: Number
    diagnosis_s: float = Field(description="time spent in diagnosis")
    busy_s: float = Field(description="time spent in tasks")
    started: str | None
    last_seen: str | None
    last_seen_age_s: float


class StreamStatus(BaseModel):
    """One stream; lag and pending where a group reads it."""

    length: int
    group: str | None = None
    lag: int | None = Field(None, description="entries not yet read; null: see lag_exact")
    lag_exact: bool | None = Field(None, description="false: the server cannot tell the lag")
    pending: int | None = Field(None, description="entries read and not finished")


class ServerStatus(BaseModel):
    """The Redis or Valkey server."""

    product: str
    version: str
    uptime_s: int
    clients: int
    used_memory_bytes: int
    maxmemory_bytes: int | None


class ClusterStatus(BaseModel):
    """The whole system at one moment."""

    state: Literal["running", "degraded"]
    checks: list[Check]
    performance_metrics: Performance
    queues: dict[str, QueueStatus]
    workers: list[WorkerStatus]
    streams: dict[str, StreamStatus]
    machines: int
    server: ServerStatus | None
    as_of: str


class SystemStatus(BaseModel):
    """What `GET /` tells a program."""

    name: str
    version: str
    state: Literal["running", "degraded"]
    checks: list[Check]
    throughput: Number
    throughput_source: Source | None
    machines: int
    links: dict[str, str]
    as_of: str


class MachineSummary(BaseModel):
    """One machine in a list."""

    machine_id: str
    vehicle_id: str | None
    state: State
    health: Number = Field(description="0 to 100")
    reason: str = Field(description="why the state is not normal")
    faults: dict[str, State]
    registered: bool = Field(description="whether its nameplate is known")
    baseline: bool = Field(description="whether its healthy behaviour is known")
    last_window: str | None = Field(description="when its last window arrived")
    last_window_age_s: Number
    silent: bool


class LatestDiagnosis(BaseModel):
    """The latest answer for one fault of a machine."""

    fault: str
    family: str = ""
    state: State
    severity: Number = None
    confidence: Number = None
    statistic: Number = None
    threshold: Number = None
    reason: str = ""
    indicators: dict[str, Value] = {}
    evidence: list[dict[str, Any]] = []
    run: str = ""
    first_seq: int | None = None
    last_seq: int | None = None
    t_start: Number = None
    t_end: Number = None
    start: str | None = None
    end: str | None = None


class Machine(MachineSummary):
    """All that is known of one machine."""

    nameplate: dict[str, Any] | None
    baseline_state: dict[str, Any] = Field(
        description="none, learning, ready or stale; its version and source; the same by load"
    )
    assessment: dict[str, Any] | None
    diagnoses: dict[str, LatestDiagnosis]


class DiagnosisEntry(LatestDiagnosis):
    """One entry of `fault_diagnosis_results`."""

    stream_id: str
    machine_id: str
    latency_ms: Number = None


class Diagnoses(Page[DiagnosisEntry]):
    """Recent diagnoses of a machine, newest first, and the latest one of each fault."""

    latest: dict[str, LatestDiagnosis]


class Alert(BaseModel):
    """One entry of `system_alerts`."""

    stream_id: str
    id: str
    machine_id: str
    fault: str
    level: str
    event: Literal["raised", "escalated", "cleared"]
    t: Number
    time: str | None
    reason: str


class OpenAlert(BaseModel):
    """An alert that was raised and is not cleared."""

    id: str
    machine_id: str
    fault: str
    level: Literal["warning", "fault"]
    t: Number = Field(description="when it began, by the signal")
    time: str | None
    reason: str = Field(description="what the last record says")


class Waveform(BaseModel):
    """A record whose samples are kept as evidence of a new warning or fault."""

    record: str
    machine_id: str
    family: str
    t_start: float
    start: str | None
    duration_s: float
    fs_hz: float
    channels: list[str]
    href: str


class DeadLetter(BaseModel):
    """One entry of `dead_letters`, without its samples."""

    id: str
    stream_id: str
    machine_id: str
    seq: str
    family: str
    code: str
    reason: str
    attempts: int
    t: Number
    time: str | None
    replayable: bool = Field(description="whether the entry itself was kept")
    entry_bytes: int = Field(description="size of the entry that was kept, names and values")


class WindowIn(BaseModel):
    """A window to diagnose; `channels` holds one contiguous block of samples per channel.

    With `dtype` json (the default) a channel is a list of numbers in A, V or m/s^2. With i2 or f4
    it is base64 of little-endian samples; `scale` then turns counts into units.
    """

    seq: int = Field(ge=0, description="a counter per machine: sent twice, a window counts once")
    t0: float = Field(description="time of the first sample, s since 1970 (UTC)")
    fs_hz: float = Field(description="samples per second")
    channels: dict[str, list[float] | str]
    dtype: Literal["json", "i2", "f4"] = "json"
    scale: dict[str, float] = Field({}, description="units per count, 1 where absent")
    run: str = ""
    vehicle_id: str | None = None
    speed_rpm: float | None = None
    temperature_c: float | None = None


class Accepted(BaseModel):
    """Where a window now stands; its diagnoses follow when its records are complete."""

    machine_id: str
    seq: int
    stream_id: str
    samples: int
    duration_s: float


class Version(BaseModel):
    """What runs here."""

    version: str
    python: str
    api: Literal["v1"] = "v1"
