"""The processes: addresses, ports, their number, and their reports on themselves."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, field_validator

from vtox.pipeline.configuration.tables import AlarmLimit, EnergyPrice, Oidc
from vtox.pipeline.configuration.values import Ack, Acknowledgement, WorkerCount, Workers

# Words that who guesses the password of Flower tries first.
_GUESSED_WORDS = ("vtox", "flower", "motor", "celery", "password")
Mode = Literal["development", "testing", "production"]


class ProcessSettings(BaseModel):
    """API, bridge, workers, monitor, Flower and notifier."""

    api_host: str = Field(
        "127.0.0.1",
        description="address of API and page",
        json_schema_extra={"when": "other hosts open the page or send over HTTP"},
    )
    api_allowed_hosts: str = Field(
        "",
        description="further names of the API's host, separated by commas",
        json_schema_extra={"when": "a proxy or DNS gives the API another name"},
    )
    api_proxy_headers: str = Field(
        "",
        description="headers in which a proxy names the person and the groups it is in: "
        "X-Remote-User X-Remote-Groups",
        json_schema_extra={"when": "a proxy signs people in, by a directory or OIDC"},
    )
    oidc: Oidc = Field(
        Oidc(),
        description="the OIDC provider at which people sign in (table)",
        json_schema_extra={"when": "people should sign in where they always do, without a proxy"},
    )
    api_port: int = Field(
        8000,
        ge=1,
        le=65535,
        description="port of API and page",
        json_schema_extra={"when": "the port is taken"},
    )
    ack: Ack = Field(
        Acknowledgement(),
        description="a window over HTTP or MQTT is accepted once the server has it; `disk`: once "
        "on its disk (HTTP); `1 replica`: once a replica has it; or both",
        json_schema_extra={"when": "no accepted window may be lost by a failure of the server"},
    )
    coordinator_port: int = Field(
        8001,
        ge=1,
        le=65535,
        description="port for health and metrics of the bridge",
        json_schema_extra={"when": "the port is taken"},
    )
    worker_port: int = Field(
        8002,
        ge=1,
        le=65535,
        description="port for health and metrics of workers: the first queue's",
        json_schema_extra={"when": "the port is taken"},
    )
    flower_port: int = Field(
        5555,
        ge=1,
        le=65535,
        description="port of Flower",
        json_schema_extra={"when": "the port is taken"},
    )
    flower_password: str | None = Field(
        None,
        min_length=8,
        description=f"password of Flower, without the words {', '.join(_GUESSED_WORDS)}; "
        "none: made outside development, kept in the data folder",
        repr=False,
        json_schema_extra={"when": "several people use Flower"},
    )
    api_key: str | None = Field(
        None,
        description="an API key with scope `read`, by which `vtox mcp` reads, and commands; these "
        "take it from the file `api-key` of the data folder where none is set",
        repr=False,
        json_schema_extra={"when": "the API asks for keys"},
    )
    mcp_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port of the MCP server; with it `vtox up` runs `vtox mcp`",
        json_schema_extra={"when": "assistants on other hosts ask about the fleet"},
    )
    opcua_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port of the OPC UA server; with it `vtox up` runs `vtox opcua`",
        json_schema_extra={"when": "a control room reads OPC UA: mostly 4840"},
    )
    probe_host: str = Field(
        "127.0.0.1",
        description="address of the health and metrics ports of bridge and workers",
        json_schema_extra={"when": "Prometheus or Kubernetes asks from another host"},
    )
    cluster_enabled: bool | None = Field(
        None,
        description="the API brings up the cluster; none: where no server is set and none runs",
        json_schema_extra={
            "when": "you run `uvicorn api.main:app` and want it to start the others, or not"
        },
    )
    cluster_mode: Mode = Field(
        "development",
        description="sets the defaults of workers, address and interval",
        json_schema_extra={"when": "it is for real use: `production` asks for API keys"},
    )
    cluster_workers: Workers = Field(
        WorkerCount(3, 3),
        description="number of Celery workers; `1-8`: it follows the load, from 1 on",
        json_schema_extra={"when": "there are more cores, or more machines to watch"},
    )
    worker_memory_mb: int = Field(
        4096,
        ge=0,
        description="memory of a worker's pool process, at most; 0: no limit",
        json_schema_extra={"when": "workers share a small host, or a container has a limit"},
    )
    hosts_may_differ: bool = Field(
        False,
        description="work next to hosts whose settings or formats differ, for an upgrade",
        json_schema_extra={"when": "you upgrade one host after the other; unset it afterwards"},
    )
    monitor_interval_s: float = Field(
        10.0,
        gt=0,
        description="seconds between entries of performance_metrics",
        json_schema_extra={"when": "figures should be finer, or the stream of metrics smaller"},
    )
    traces_url: str = Field(
        "",
        description="a collector of OpenTelemetry (OTLP over HTTP) for traces; empty: none",
        json_schema_extra={"when": "you follow single windows through all processes"},
    )
    traces_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="share of the windows without a traceparent that are traced",
        json_schema_extra={"when": "you want more traces, or fewer"},
    )
    notify_file: Path | None = Field(
        None,
        description="rules by which alarms go to webhooks and chats; none: nothing is sent",
        json_schema_extra={
            "when": "alarms should reach people, or alarms of the system have other limits"
        },
    )

    energy_price: EnergyPrice = Field(
        EnergyPrice(),
        description="what a kWh costs, by time of the week (table)",
        json_schema_extra={"when": "energy and losses should be shown with their cost"},
    )
    alarm_load: AlarmLimit = Field(
        AlarmLimit(),
        description="alarms a day that a person can handle (table)",
        json_schema_extra={"when": "alarm statistics should warn of more than people can handle"},
    )

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Further names of the API's host, in lower case."""
        return frozenset(h.strip().lower() for h in self.api_allowed_hosts.split(",") if h.strip())

    @field_validator("flower_password")
    @classmethod
    def _not_guessed(cls, password: str | None) -> str | None:
        found = next((w for w in _GUESSED_WORDS if w in (password or "").lower()), None)
        if found:
            raise ValueError(f"expected a password without the word {found}")
        return password
