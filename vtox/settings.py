"""All settings, checked at start and passed down. No other module reads the environment."""

import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from vtox.errors import ServerUnavailable, SettingsError

Mode = Literal["development", "testing", "production"]
SECRETS = frozenset({"redis_url"})
PREFIX = "VTOX_"
# In the environment too, but no settings: where to look for settings, and the pid that the
# parent watch reads, and the folder of recordings.
NO_SETTINGS = frozenset({"VTOX_CONFIG", "VTOX_PARENT_PID", "VTOX_RECORDINGS"})
# How alike a name must be to be suggested: REDIS is to REDIS_URL (0.71), BROKER_URL is not (0.63).
NEAR = 0.7
# The shortest limit there is on the path of a unix socket (macOS; Linux: 107).
SOCKET_PATH_BYTES = 103

# What a mode changes, unless a setting is given.
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
        None, description="Redis or Valkey by URL; none: the embedded one"
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("vtox", appauthor=False),
        description="server data, cluster.log, lock files",
    )
    redis_port: int = Field(
        0, ge=0, le=65535, description="embedded server; 0: any free port, kept"
    )
    redis_maxmemory_mb: int = Field(2048, ge=64, description="embedded server: refuse writes above")

    api_host: str = Field("127.0.0.1", description="address of API and page")
    api_port: int = Field(8000, ge=1, le=65535, description="port of API and page")
    coordinator_port: int = Field(
        8001, ge=1, le=65535, description="health and metrics of the bridge"
    )
    worker_port: int = Field(
        8002, ge=1, le=65535, description="health and metrics of the first worker"
    )
    flower_port: int = Field(5555, ge=1, le=65535, description="Flower")
    probe_host: str = Field(
        "127.0.0.1", description="address of the health and metrics ports of bridge and workers"
    )

    cluster_enabled: bool = Field(False, description="the API brings up the whole cluster")
    cluster_mode: Mode = Field("development", description="sets the defaults of the next three")
    cluster_workers: int = Field(3, ge=1, le=256, description="number of Celery workers")
    monitor_interval_s: float = Field(
        10.0, gt=0, description="between entries of performance_metrics"
    )

    stream_partitions: int = Field(
        1, ge=1, le=1, description="keys of the raw stream (one for now)"
    )
    retention_s: float = Field(60.0, ge=0, description="finished raw entries stay this long")
    in_flight_windows: int = Field(1024, ge=1, description="dispatched and unfinished, per family")
    in_flight_bytes: int = Field(128 << 20, ge=1 << 20, description="the same in bytes, per family")
    open_record_bytes: int = Field(
        1 << 30, ge=1 << 20, description="windows waiting in open records"
    )
    batch_windows: int = Field(64, ge=1, description="a task carries at most this many windows")
    batch_wait_ms: float = Field(
        40.0, ge=0, description="a window waits at most this long for others"
    )
    redispatch_after_s: float = Field(15.0, gt=0, description="idle record is dispatched again")
    max_attempts: int = Field(5, ge=1, description="starts without a result before dead_letters")
    reorder_windows: int = Field(3, ge=0, description="windows that may overtake a missing one")
    silence_after_s: float = Field(30.0, gt=0, description="a silent machine raises an alert")
    clock_tolerance_s: float = Field(300.0, gt=0, description="a sender's clock may be off by this")

    baseline_auto: bool = Field(
        True, description="learn a registered machine's baseline on the stream"
    )
    baseline_s: float = Field(40.0, ge=10, description="seconds without a finding it takes")

    results_hours: float = Field(24.0, gt=0, description="fault_diagnosis_results stay this long")
    results_mb: float = Field(40.0, gt=0, description="and up to this size")
    assessments_hours: float = Field(168.0, gt=0, description="assessments stay this long")
    assessments_mb: float = Field(16.0, gt=0, description="and up to this size")
    alerts_hours: float = Field(2160.0, gt=0, description="system_alerts stay this long")
    alerts_mb: float = Field(16.0, gt=0, description="and up to this size")
    metrics_hours: float = Field(168.0, gt=0, description="performance_metrics stay this long")
    metrics_mb: float = Field(16.0, gt=0, description="and up to this size")
    dead_letters_hours: float = Field(168.0, gt=0, description="dead_letters stay this long")
    dead_letters_mb: float = Field(64.0, gt=0, description="and up to this size")
    evidence_hours: float = Field(
        168.0, gt=0, description="waveforms of new warnings and faults stay this long"
    )
    evidence_mb: float = Field(64.0, gt=0, description="and up to this size")
    duplicate_horizon: int = Field(256, ge=8, description="windows remembered per machine")
    max_window_bytes: int = Field(8 << 20, ge=1024, description="larger windows are refused")
    max_samples: int = Field(1_000_000, ge=16, description="longer windows are refused")
    worker_port_span: int = Field(64, ge=1, description="ports tried from VTOX_WORKER_PORT on")

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
    def fixed_ports(self) -> frozenset[int]:
        """Ports that a process of ours needs, so that one free to choose leaves them alone."""
        return frozenset({self.api_port, self.coordinator_port, self.flower_port, self.redis_port})

    @property
    def server_file(self) -> Path:
        """Address and password of the embedded server, kept over its restarts (mode 0600)."""
        return self.data_dir / "server.json"

    @property
    def server_socket(self) -> Path | None:
        """Where the embedded server also listens for its neighbours; None: the path is too long."""
        path = self.data_dir.absolute() / "valkey.sock"
        return path if len(os.fsencode(path)) <= SOCKET_PATH_BYTES else None

    def samples_url(self) -> str:
        """Return the URL for those who move samples: the embedded server's socket, if it has one.

        A window by the socket costs the server a third less than by loopback (docs/BENCHMARKS.md).

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
        """Return the URL to connect to.

        Raises
        ------
        ServerUnavailable
            No URL is set and no embedded server has been started on this data folder, or where it
            listens cannot be read.
        """
        if self.redis_url:
            return self.redis_url
        file = self.server_file
        try:
            server = json.loads(file.read_text())
            return server_url(int(server["port"]), str(server["password"]))
        except FileNotFoundError:
            raise ServerUnavailable(
                f"no embedded server in {self.data_dir}: start one with `vtox up` or "
                "`vtox server`, or set VTOX_REDIS_URL"
            ) from None
        except OSError as error:
            raise ServerUnavailable(
                f"{file}, which tells where the embedded server of VTOX_DATA_DIR listens, cannot "
                f"be read ({error.strerror}): let this user read it, or set VTOX_DATA_DIR to "
                "another folder"
            ) from error
        except (ValueError, TypeError, KeyError) as error:
            raise ServerUnavailable(
                f"{file} does not tell where the embedded server listens (expected JSON with "
                "port and password): restart `vtox up` or `vtox server`, which write it anew"
            ) from error


def server_url(port: int, password: str) -> str:
    """Return the URL of an embedded server; its user is named because redis-cli needs a name."""
    return f"redis://default:{password}@127.0.0.1:{port}/0"


def load(**overrides: Any) -> Settings:
    """Return the settings of this process, with the defaults of its mode.

    Raises
    ------
    SettingsError
        A value cannot be used; the message names the setting and what was expected.
    """
    try:
        given = Settings(**overrides)
        defaults = MODE_DEFAULTS[given.cluster_mode]
        missing = {k: v for k, v in defaults.items() if k not in given.model_fields_set}
        return given.model_copy(update=missing)
    except ValidationError as error:
        lines = (
            f"VTOX_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']} (got {e['input']!r})"
            for e in error.errors()
        )
        raise SettingsError("\n".join(lines)) from error


def mistyped() -> list[str]:
    """Return what is given as a setting and is none, in words: it has no effect."""
    toml = TomlConfigSettingsSource(Settings, toml_file=_toml_files())
    given = {
        "the environment": set(os.environ),
        ".env": {k.upper() for k in DotEnvSettingsSource(Settings).env_vars},
        "a TOML file": {f"{PREFIX}{k.upper()}" for k in toml.toml_data},
    }
    known = [n.upper() for n in Settings.model_fields]
    words = []
    for place, names in given.items():
        for name in sorted(n for n in names if n.startswith(PREFIX)):
            if name.removeprefix(PREFIX) in known or name in NO_SETTINGS:
                continue
            near = get_close_matches(name.removeprefix(PREFIX), known, n=1, cutoff=NEAR)
            said = f"did you mean {PREFIX}{near[0]}?" if near else "`vtox config show` lists all"
            words.append(f"{name} in {place} is no setting and has no effect: {said}")
    return words
