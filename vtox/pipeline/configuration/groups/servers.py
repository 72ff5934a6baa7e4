"""The targets of samples, tasks, history and messages: servers, databases, and the data folder."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, Field

from vtox.pipeline.configuration import server_urls
from vtox.pipeline.errors import ServerUnavailable

Fsync = Literal["everysec", "always"]
# Longest path of a unix socket on macOS; on Linux 107.
SOCKET_PATH_MAX_BYTES = 103


class ServerSettings(BaseModel):
    """The server, databases and broker that VTOX uses, and the data folder with its own server."""

    redis_url: str | None = Field(
        None,
        description="URL of a Redis or Valkey server, or of its sentinels; none: the embedded one",
        repr=False,
        json_schema_extra={"when": "you run your own server, or VTOX on several hosts"},
    )
    broker_url: str | None = Field(
        None,
        description="URL of Celery's broker, amqp:// for RabbitMQ; none: the server above",
        repr=False,
        json_schema_extra={
            "when": "your team runs RabbitMQ, or tasks should not load the server of the streams"
        },
    )
    database_url: str | None = Field(
        None,
        description="URL of the history's database, postgresql://; none: SQLite in the data folder",
        repr=False,
        json_schema_extra={"when": "several hosts read the history, or you have PostgreSQL"},
    )
    mqtt_url: str | None = Field(
        None,
        description="URL of the MQTT broker, mqtt:// or mqtts://, for `vtox mqtt`",
        repr=False,
        json_schema_extra={"when": "sensors send to an MQTT broker"},
    )
    mqtt_mapping: Path | None = Field(
        None,
        description="description of its topics (TOML); with both set `vtox up` runs `vtox mqtt`",
        json_schema_extra={"when": "sensors send to an MQTT broker"},
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("vtox", appauthor=False),
        description="server data, cluster.log, lock files",
        json_schema_extra={"when": "the disk is another one, or a second VTOX runs on this host"},
    )
    redis_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="port of the embedded server; 0: any free port, chosen once",
        json_schema_extra={"when": "a firewall or another program needs a fixed port"},
    )
    redis_maxmemory_mb: int = Field(
        2048,
        ge=64,
        description="memory limit of the embedded server",
        json_schema_extra={"when": "the fleet needs more memory, or the host has less"},
    )
    redis_fsync: Fsync = Field(
        "everysec",
        description="the embedded server's log is on disk each second, or always",
        json_schema_extra={"when": "no window may be lost by a power failure"},
    )

    @property
    def server_file(self) -> Path:
        """Address and password of the embedded server, kept over its restarts (mode 0600)."""
        return self.data_dir / "server.json"

    @property
    def history_file(self) -> Path:
        """The history, if no `VTOX_DATABASE_URL` leads elsewhere (mode 0600)."""
        return self.data_dir / "history.sqlite"

    @property
    def server_socket(self) -> Path | None:
        """Unix socket of the embedded server for this host; None: the path is too long."""
        path = self.data_dir.absolute() / "valkey.sock"
        return path if len(os.fsencode(path)) <= SOCKET_PATH_MAX_BYTES else None

    def samples_url(self) -> str:
        """Return the URL for processes that move samples: the socket, if the server has one.

        A window costs the server a third less by socket than by loopback (docs/adr/0003).

        Raises `ServerUnavailable`: as `working_url`.
        """
        url, path = self.working_url(), self.server_socket
        if self.redis_url or path is None or not path.exists():
            return url
        return f"unix://{urlsplit(url).netloc.rpartition('@')[0]}@{quote(str(path))}?db=0"

    def working_url(self) -> str:
        """Return the URL to connect to, as all clients understand it.

        Raises `SettingsError`: `VTOX_REDIS_URL` cannot be used. `ServerUnavailable`: no URL is set,
        and no embedded server has been started on this data folder or its address cannot be read.
        """
        if self.redis_url:
            return server_urls.complete("VTOX_REDIS_URL", self.redis_url)
        file = self.server_file
        try:
            return _embedded_url(file, file.stat().st_mtime_ns)
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

        Raises `SettingsError`, `ServerUnavailable`: `VTOX_BROKER_URL` cannot be used; if there is
        none, as `working_url`.
        """
        if self.broker_url:
            return server_urls.complete_broker("VTOX_BROKER_URL", self.broker_url)
        return self.working_url()


@lru_cache(maxsize=8)
def _embedded_url(file: Path, changed_ns: int) -> str:
    """Return the URL of the embedded server, read again when its file has changed."""
    server = json.loads(file.read_text())
    return server_urls.server_url(int(server["port"]), str(server["password"]))
