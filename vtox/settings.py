"""All settings, checked at start and passed down. No other module reads the environment."""

import json
import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from platformdirs import user_data_path
from pydantic import Field, FilePath, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vtox import server_urls
from vtox.errors import ServerUnavailable, SettingsError
from vtox.partitions import MAX_PARTITIONS

Mode = Literal["development", "testing", "production"]
Fsync = Literal["everysec", "always"]
Ack = Literal["server", "disk"]
SECRETS = frozenset(
    {"redis_url", "redis_urls", "broker_url", "database_url", "mqtt_url", "flower_password"}
)
PREFIX = "VTOX_"
# Variables of VTOX that are no settings: where to look for settings, the pid that the parent watch
# reads, and the folder of recordings for tests.
OTHER_VARIABLES = frozenset({"VTOX_CONFIG", "VTOX_PARENT_PID", "VTOX_RECORDINGS"})
# Similarity from which a name is suggested: REDIS to REDIS_URL has 0.71.
SUGGESTION_CUTOFF = 0.7
# Longest path of a unix socket on macOS; on Linux 107.
SOCKET_PATH_MAX_BYTES = 103

# Defaults that depend on the mode.
MODE_DEFAULTS: dict[str, dict[str, Any]] = {
    "development": {"cluster_workers": 3, "api_host": "127.0.0.1", "monitor_interval_s": 10.0},
    "testing": {"cluster_workers": 2, "api_host": "127.0.0.1", "monitor_interval_s": 5.0},
    "production": {"cluster_workers": 6, "api_host": "0.0.0.0", "monitor_interval_s": 15.0},
}


def _toml_files() -> list[Path]:
    files = [user_data_path("vtox", appauthor=False) / "vtox.toml"]
    if config := os.environ.get("VTOX_CONFIG"):
        files.append(Path(config))
    return files


class Settings(BaseSettings):
    """Everything that can be set, as `VTOX_<NAME>` in the environment, `.env` or a TOML file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    redis_url: str | None = Field(
        None,
        description="URL of a Redis or Valkey server, or of its sentinels; none: the embedded one",
        repr=False,
    )
    redis_urls: str | None = Field(
        None,
        description="URLs of several servers, separated by commas, that share the machines; "
        "none: one server",
        repr=False,
    )
    redis_ca: FilePath | None = Field(
        None, description="CA (PEM) of that server's certificate, if the system does not know it"
    )
    redis_cert: FilePath | None = Field(
        None, description="certificate (PEM) that we show to that server, if it asks for one"
    )
    redis_key: FilePath | None = Field(None, description="private key (PEM) of that certificate")
    broker_url: str | None = Field(
        None,
        description="URL of Celery's broker, amqp:// for RabbitMQ; none: the server above",
        repr=False,
    )
    broker_ca: FilePath | None = Field(
        None, description="CA (PEM) of an amqps:// broker, if the system does not know it"
    )
    database_url: str | None = Field(
        None,
        description="URL of the history's database, postgresql://; none: SQLite in the data folder",
        repr=False,
    )
    mqtt_url: str | None = Field(
        None, description="URL of the MQTT broker, mqtt:// or mqtts://, for `vtox mqtt`", repr=False
    )
    mqtt_ca: FilePath | None = Field(
        None, description="CA (PEM) of that broker's certificate, if the system does not know it"
    )
    mqtt_cert: FilePath | None = Field(
        None, description="certificate (PEM) that we show to that broker, if it asks for one"
    )
    mqtt_key: FilePath | None = Field(None, description="private key (PEM) of that certificate")
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("vtox", appauthor=False),
        description="server data, cluster.log, lock files",
    )
    redis_port: int = Field(
        0, ge=0, le=65535, description="port of the embedded server; 0: any free port, chosen once"
    )
    redis_maxmemory_mb: int = Field(2048, ge=64, description="memory limit of the embedded server")
    redis_fsync: Fsync = Field(
        "everysec", description="the embedded server's log is on disk each second, or always"
    )

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
        8002, ge=1, le=65535, description="port for health and metrics of the first worker"
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

    cluster_enabled: bool = Field(False, description="the API brings up the whole cluster")
    cluster_mode: Mode = Field(
        "development", description="sets the defaults of workers, address and interval"
    )
    cluster_workers: int = Field(3, ge=1, le=256, description="number of Celery workers")
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

    stream_partitions: int | None = Field(
        None,
        ge=1,
        le=MAX_PARTITIONS,
        description="partitions of the raw stream; none: as many as there are, 1 at first",
    )
    retention_s: float = Field(
        60.0, ge=0, description="finished windows stay in the raw stream this long"
    )
    in_flight_windows: int = Field(
        1024, ge=1, description="windows in flight per fault family, at most"
    )
    in_flight_bytes: int = Field(
        128 << 20, ge=1 << 20, description="bytes in flight per fault family, at most"
    )
    shared_windows_mb: int | None = Field(
        None,
        ge=0,
        description="megabytes of the latest windows in shared memory, for workers beside the "
        "bridge, at most; 0: none; unset: by this host's memory if the server is embedded, else 0",
    )
    open_record_bytes: int = Field(
        5 << 28, ge=1 << 20, description="bytes of windows in open records, at most"
    )
    batch_windows: int = Field(64, ge=1, description="windows in one task, at most")
    batch_wait_ms: float = Field(
        # A read blocks this long, and must end before the socket's time-out.
        40.0,
        ge=0,
        le=1000,
        description="a record of 1 s waits this long for others of its task, at most; those of "
        "families that need longer ones wait in proportion",
    )
    redispatch_after_s: float = Field(
        15.0, gt=0, description="a record idle for this long is dispatched again"
    )
    max_attempts: int = Field(
        5, ge=1, description="starts without a result before a record is a dead letter"
    )
    reorder_windows: int = Field(
        3,
        ge=0,
        description="later windows that may arrive before a missing one is given up",
    )
    silence_after_s: float = Field(
        30.0, gt=0, description="a machine silent for this long raises an alert"
    )
    backlog_alarm_s: float = Field(
        60.0, gt=0, description="a window unread for this long raises an alarm of the system"
    )
    dead_letters_alarm: int = Field(
        10, ge=1, description="so many dead letters in 5 minutes raise an alarm of the system"
    )
    clock_tolerance_s: float = Field(
        300.0, gt=0, description="a sender's clock may differ by this much"
    )

    baseline_auto: bool = Field(
        True, description="learn the baselines of registered machines from the stream"
    )
    baseline_s: float = Field(40.0, ge=10, description="seconds of healthy data in a new baseline")

    results_hours: float = Field(
        24.0, gt=0, description="fault_diagnosis_results are kept this long"
    )
    results_mb: float = Field(40.0, gt=0, description="and up to this size")
    assessments_hours: float = Field(168.0, gt=0, description="assessments are kept this long")
    assessments_mb: float = Field(16.0, gt=0, description="and up to this size")
    alerts_hours: float = Field(2160.0, gt=0, description="system_alerts are kept this long")
    alerts_mb: float = Field(16.0, gt=0, description="and up to this size")
    alarm_actions_hours: float = Field(
        8760.0, gt=0, description="alarm_actions, what operators did, are kept this long"
    )
    alarm_actions_mb: float = Field(8.0, gt=0, description="and up to this size")
    metrics_hours: float = Field(168.0, gt=0, description="performance_metrics are kept this long")
    metrics_mb: float = Field(16.0, gt=0, description="and up to this size")
    dead_letters_hours: float = Field(168.0, gt=0, description="dead_letters are kept this long")
    dead_letters_mb: float = Field(64.0, gt=0, description="and up to this size")
    evidence_hours: float = Field(
        168.0, gt=0, description="waveforms of new warnings and faults are kept this long"
    )
    evidence_mb: float = Field(64.0, gt=0, description="and up to this size")
    history_records_hours: float = Field(
        24.0, gt=0, description="the history keeps every record this long"
    )
    history_minutes_days: float = Field(14.0, gt=0, description="minutes this long")
    history_hours_days: float = Field(
        730.0, gt=0, description="hours, alerts and actions on alarms this long"
    )
    history_min_free_mb: float = Field(
        1024.0, ge=0, description="with less free on its disk the history in SQLite is not written"
    )
    notify_file: FilePath | None = Field(
        None, description="rules by which alarms go to webhooks and chats; none: nothing is sent"
    )
    duplicate_horizon: int = Field(
        256, ge=8, description="windows remembered per machine to recognise duplicates"
    )
    worker_memory_mb: int = Field(
        4096, ge=0, description="memory of a worker's pool process, at most; 0: no limit"
    )
    max_machines: int = Field(
        10_000, ge=1, description="windows of further machines are refused until one is retired"
    )
    forget_unregistered_h: float = Field(
        168.0, gt=0, description="machines without nameplate are forgotten after this silence"
    )
    stream_machine_windows_per_s: float = Field(
        0.0, ge=0, description="windows of one machine that the bridge admits; 0: no limit"
    )
    stream_machine_mb_per_s: float = Field(
        0.0, ge=0, description="megabytes of one machine that the bridge admits; 0: no limit"
    )
    api_key_windows_per_s: float = Field(
        200.0, ge=0, description="windows over HTTP with one API key; 0: no limit"
    )
    api_key_mb_per_s: float = Field(
        50.0, ge=0, description="megabytes over HTTP with one API key; 0: no limit"
    )
    api_machine_windows_per_s: float = Field(
        50.0, ge=0, description="windows over HTTP of one machine; 0: no limit"
    )
    api_machine_mb_per_s: float = Field(
        25.0, ge=0, description="megabytes over HTTP of one machine; 0: no limit"
    )
    quota_burst_s: float = Field(
        10.0, gt=0, description="a quota may be exceeded by what it allows in this time"
    )
    max_window_bytes: int = Field(8 << 20, ge=1024, description="larger windows are refused")
    max_samples: int = Field(1_000_000, ge=16, description="longer windows are refused")
    worker_port_span: int = Field(
        64, ge=1, description="number of ports tried from VTOX_WORKER_PORT on"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order of precedence: arguments, environment, `.env`, TOML file."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=_toml_files())
        return init_settings, env_settings, dotenv_settings, toml

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Further names of the API's host, in lower case."""
        return frozenset(h.strip().lower() for h in self.api_allowed_hosts.split(",") if h.strip())

    @property
    def tls(self) -> server_urls.Tls:
        """Files for TLS; paths are absolute, as child processes run in another folder."""
        files = (self.redis_ca, self.redis_cert, self.redis_key)
        return server_urls.Tls(*(path.absolute() if path else None for path in files))

    @property
    def fixed_ports(self) -> frozenset[int]:
        """Ports that a process of ours needs; processes that choose a port skip them."""
        return frozenset({self.api_port, self.coordinator_port, self.flower_port, self.redis_port})

    @property
    def server_file(self) -> Path:
        """Address and password of the embedded server, kept over its restarts (mode 0600)."""
        return self.data_dir / "server.json"

    @property
    def flower_password_file(self) -> Path:
        """Password of Flower where none is set (mode 0600)."""
        return self.data_dir / "flower-password"

    @property
    def history_file(self) -> Path:
        """The history, where no `VTOX_DATABASE_URL` leads elsewhere (mode 0600)."""
        return self.data_dir / "history.sqlite"

    @property
    def server_socket(self) -> Path | None:
        """Unix socket of the embedded server for this host; None: the path is too long."""
        path = self.data_dir.absolute() / "valkey.sock"
        return path if len(os.fsencode(path)) <= SOCKET_PATH_MAX_BYTES else None

    def server_urls(self) -> list[str]:
        """Return the URLs of all servers that share the machines, in their order.

        Raises
        ------
        SettingsError, ServerUnavailable
            As `working_url`.
        """
        if not self.redis_urls:
            return [self.samples_url()]
        urls = server_urls.split_urls(self.redis_urls)
        return [server_urls.complete("VTOX_REDIS_URLS", url, self.tls) for url in urls]

    @property
    def several_servers(self) -> bool:
        """Whether several servers share the machines."""
        return bool(self.redis_urls and len(server_urls.split_urls(self.redis_urls)) > 1)

    def samples_url(self) -> str:
        """Return the URL for processes that move samples: the socket, if the server has one.

        A window costs the server a third less by socket than by loopback (docs/PERFORMANCE.md).

        Raises
        ------
        ServerUnavailable
            As `working_url`.
        """
        url, path = self.working_url(), self.server_socket
        if self.redis_url or path is None or not path.exists():
            return url
        return f"unix://{urlsplit(url).netloc.rpartition('@')[0]}@{quote(str(path))}?db=0"

    def working_url(self) -> str:
        """Return the URL to connect to, as all clients understand it.

        Raises
        ------
        SettingsError
            `VTOX_REDIS_URL` cannot be used.
        ServerUnavailable
            No URL is set, and no embedded server has been started on this data folder or its
            address cannot be read.
        """
        if self.redis_url:
            return server_urls.complete("VTOX_REDIS_URL", self.redis_url, self.tls)
        if self.redis_urls:
            first, *others = self.server_urls()
            if not others:
                return first
            raise SettingsError(
                "several servers share the machines (VTOX_REDIS_URLS), and this works with one",
                remedy="set VTOX_REDIS_URL to the one that has the machines you mean; API, "
                "recorder and notifier run once for each server (docs/OPERATIONS.md)",
            )
        file = self.server_file
        try:
            server = json.loads(file.read_text())
            return server_url(int(server["port"]), str(server["password"]))
        except FileNotFoundError:
            raise ServerUnavailable(
                f"no embedded server in {self.data_dir}",
                remedy="start one with `vtox up` or `vtox server`, or set VTOX_REDIS_URL",
            ) from None
        except OSError as error:
            raise ServerUnavailable(
                f"the embedded server's address in {file} cannot be read ({error.strerror})",
                remedy="let this user read it, or set VTOX_DATA_DIR to another folder",
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise ServerUnavailable(
                f"the embedded server's address in {file} is damaged (expected JSON with port and "
                "password)",
                remedy="restart `vtox up` or `vtox server`, which write it again",
            ) from error

    def working_broker_url(self) -> str:
        """Return the URL of Celery's broker, as its transport understands it.

        Raises
        ------
        SettingsError, ServerUnavailable
            `VTOX_BROKER_URL` cannot be used; where there is none, as `working_url`.
        """
        if self.broker_url:
            return server_urls.complete_broker("VTOX_BROKER_URL", self.broker_url, self.tls)
        return self.server_urls()[0] if self.redis_urls else self.working_url()


def server_url(port: int, password: str, user: str = "default") -> str:
    """Return the URL of an embedded server; it names the user because redis-cli requires one."""
    return f"redis://{user}:{password}@127.0.0.1:{port}/0"


def load(**overrides: Any) -> Settings:
    """Return the settings of this process, with the defaults of its mode.

    Raises
    ------
    SettingsError
        A value cannot be used; the message names the setting and what was expected.
    """
    try:
        settings = Settings(**overrides)
        defaults = MODE_DEFAULTS[settings.cluster_mode]
        unset = {k: v for k, v in defaults.items() if k not in settings.model_fields_set}
        _check_ack(settings)
        _check_workers(settings)
        _check_partitions(settings)
        return settings.model_copy(update=unset)
    except ValidationError as error:
        lines = (
            f"VTOX_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}{_input_text(e)}"
            for e in error.errors()
        )
        # Not `from error`: its text has every value that was given.
        raise SettingsError("\n".join(lines)) from None


def _input_text(error: ErrorDetails) -> str:
    return "" if error["loc"][:1] and error["loc"][0] in SECRETS else f" (got {error['input']!r})"


def files() -> list[Path]:
    """Return the files that settings are read from: `.env` of the working folder, TOML files."""
    dotenv = Settings.model_config.get("env_file")
    candidates = [Path(str(dotenv))] if dotenv else []
    return [path.absolute() for path in (*candidates, *_toml_files()) if path.is_file()]


def environment_value(name: str) -> str | None:
    """Return a variable that is no setting: one in which a file names a secret."""
    return os.environ.get(name)


def _check_ack(settings: Settings) -> None:
    if settings.api_ack == "disk" and not settings.redis_url and settings.redis_fsync != "always":
        raise SettingsError(
            f"VTOX_API_ACK=disk, but VTOX_REDIS_FSYNC is {settings.redis_fsync}",
            remedy="set VTOX_REDIS_FSYNC=always: the embedded server writes to disk before it "
            "answers only then",
        )


def _check_workers(settings: Settings) -> None:
    if 0 < settings.workers_max < settings.workers_min:
        raise SettingsError(
            f"VTOX_WORKERS_MAX is {settings.workers_max}, but VTOX_WORKERS_MIN is "
            f"{settings.workers_min}",
            remedy="set VTOX_WORKERS_MAX to at least VTOX_WORKERS_MIN, or to 0",
        )


def _check_partitions(settings: Settings) -> None:
    if not settings.redis_urls or settings.stream_partitions is None:
        return
    servers = len(server_urls.split_urls(settings.redis_urls))
    if settings.stream_partitions % servers:
        raise SettingsError(
            f"VTOX_STREAM_PARTITIONS={settings.stream_partitions} cannot be shared evenly by "
            f"{servers} servers (VTOX_REDIS_URLS)",
            remedy=f"a multiple of {servers}: then a machine stays on its server, whatever it is",
        )


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name with our prefix that is no setting and so has no effect."""

    name: str
    place: str
    suggestion: str  # the most similar setting, empty if none is

    def __str__(self) -> str:
        hint = f"did you mean {self.suggestion}?" if self.suggestion else "see `vtox config show`"
        return f"{self.name} in {self.place} is no setting and has no effect: {hint}"


def unknown_settings() -> list[UnknownSetting]:
    """Return the names in the environment, `.env` and TOML files that look like settings only."""
    toml = TomlConfigSettingsSource(Settings, toml_file=_toml_files())
    names_by_place = {
        "the environment": set(os.environ),
        ".env": {k.upper() for k in DotEnvSettingsSource(Settings).env_vars},
        "a TOML file": {f"{PREFIX}{k.upper()}" for k in toml.toml_data},
    }
    fields = [n.upper() for n in Settings.model_fields]
    unknown = []
    for place, names in names_by_place.items():
        for name in sorted(n for n in names if n.startswith(PREFIX)):
            field = name.removeprefix(PREFIX)
            if field in fields or name in OTHER_VARIABLES:
                continue
            similar = get_close_matches(field, fields, n=1, cutoff=SUGGESTION_CUTOFF)
            suggestion = f"{PREFIX}{similar[0]}" if similar else ""
            unknown.append(UnknownSetting(name, place, suggestion))
    return unknown
