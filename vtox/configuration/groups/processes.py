"""The processes: addresses, ports, how many, and what they report of themselves."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

Mode = Literal["development", "testing", "production"]
Ack = Literal["server", "disk"]


class ProcessSettings(BaseModel):
    """API, bridge, workers, monitor, Flower and notifier."""

    api_host: str = Field("127.0.0.1", description="address of API and page")
    api_allowed_hosts: str = Field(
        "", description="further names of the API's host, separated by commas"
    )
    api_port: int = Field(8000, ge=1, le=65535, description="port of API and page")
    api_ack: Ack = Field(
        "server", description="a window is accepted once the server has it, or once on its disk"
    )
    acknowledged_by_replicas: int = Field(
        0,
        ge=0,
        description="a window over HTTP or MQTT is accepted once so many replicas have it",
    )
    coordinator_port: int = Field(
        8001, ge=1, le=65535, description="port for health and metrics of the bridge"
    )
    worker_port: int = Field(
        8002,
        ge=1,
        le=65535,
        description="port for health and metrics of workers: the first queue's",
    )
    worker_port_span: int = Field(
        64, ge=1, description="ports that a worker of its own tries; 1: VTOX_WORKER_PORT alone"
    )
    flower_port: int = Field(5555, ge=1, le=65535, description="port of Flower")
    flower_password: str | None = Field(
        None,
        min_length=8,
        description="password of Flower; none: made outside development, kept in the data folder",
        repr=False,
    )
    probe_host: str = Field(
        "127.0.0.1", description="address of the health and metrics ports of bridge and workers"
    )
    cluster_enabled: bool | None = Field(
        None,
        description="the API brings up the cluster; none: where no server is set and none runs",
    )
    cluster_mode: Mode = Field(
        "development", description="sets the defaults of workers, address and interval"
    )
    cluster_workers: int = Field(3, ge=1, le=256, description="number of Celery workers")
    worker_memory_mb: int = Field(
        4096, ge=0, description="memory of a worker's pool process, at most; 0: no limit"
    )
    workers_min: int = Field(
        1,
        ge=1,
        le=256,
        description="where the number of workers follows the load: at least so many",
    )
    workers_max: int = Field(
        0, ge=0, le=256, description="and at most so many; 0: always VTOX_CLUSTER_WORKERS"
    )
    hosts_may_differ: bool = Field(
        False, description="work beside hosts whose settings or formats differ, for an upgrade"
    )
    monitor_interval_s: float = Field(
        10.0, gt=0, description="seconds between entries of performance_metrics"
    )
    traces_url: str = Field(
        "", description="a collector of OpenTelemetry (OTLP over HTTP) for traces; empty: none"
    )
    traces_share: float = Field(
        0.0, ge=0, le=1, description="share of the windows without a traceparent that are traced"
    )
    notify_file: Path | None = Field(
        None, description="rules by which alarms go to webhooks and chats; none: nothing is sent"
    )

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Further names of the API's host, in lower case."""
        return frozenset(h.strip().lower() for h in self.api_allowed_hosts.split(",") if h.strip())
