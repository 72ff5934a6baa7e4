"""Address and password of the embedded server, and its whole configuration."""

import json
import os
import random
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vtox.pipeline.cluster.ports import LOOPBACK, port_is_free
from vtox.pipeline.cluster.server_users import ROLES, admin_line, role_line, role_password, sha256
from vtox.pipeline.configuration.server_urls import server_url
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import PortTaken

# Below the ephemeral range of Linux (32768) and macOS (49152). A client that reconnects to a dead
# loopback port inside that range sooner or later connects to itself and takes the port.
PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Address:
    """Port and password of the embedded server, and its pid while it runs."""

    port: int
    password: str = field(repr=False)
    pid: int = 0

    @property
    def url(self) -> str:
        """The address as a URL."""
        return server_url(self.port, self.password)

    def role_url(self, role: str) -> str:
        """Return the address for the user of a role."""
        return server_url(self.port, role_password(self.password, role), role)


def config(settings: Settings, address: Address, folder: Path) -> str:
    """Return the server's configuration; it sets all that matters and relies on no default."""
    socket = settings.server_socket
    unix = f"unixsocket {_quote(socket)}\nunixsocketperm 700\n" if socket else ""
    admin = admin_line("default", sha256(address.password))
    users = "\n".join(role_line(r, sha256(role_password(address.password, r))) for r in ROLES)
    return f"""\
bind {LOOPBACK}
port {address.port}
{unix}protected-mode yes
{admin}
{users}
enable-debug-command no
enable-module-command no
enable-protected-configs no
databases 1
tcp-keepalive 60
timeout 0
daemonize no
supervised no
loglevel notice
logfile ""
dir {_quote(folder)}

# No data are evicted: at the limit writes are refused until readers have made room.
maxmemory {settings.redis_maxmemory_mb}mb
maxmemory-policy noeviction
# The largest reply is a task's windows (64 MB and a few), the largest request one window.
client-output-buffer-limit normal 512mb 256mb 30
client-output-buffer-limit pubsub 64mb 16mb 60
client-output-buffer-limit replica 256mb 64mb 60
client-query-buffer-limit 256mb
proto-max-bulk-len 64mb
stream-node-max-bytes 4096
stream-node-max-entries 100

# always: every write is on disk before its reply. everysec: it is with the kernel before its reply
# and on disk within a second, but while a sync runs it waits in the process, replied to, for up
# to two seconds (docs/explanation/persistence.md).
save ""
appendonly yes
appendfsync {settings.redis_fsync}
no-appendfsync-on-rewrite no
aof-load-truncated yes
aof-use-rdb-preamble yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 256mb
# Samples do not compress: trying costs the fork's time (docs/explanation/persistence.md).
rdbcompression no
"""


def _quote(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def read_address(settings: Settings) -> Address | None:
    """Return the stored address of the embedded server, None if there is none to be read."""
    try:
        stored = json.loads(settings.server_file.read_text())
        return Address(int(stored["port"]), str(stored["password"]), int(stored.get("pid", 0)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_address(settings: Settings, address: Address) -> None:
    """Store the address, readable by the owner alone, never half written."""
    draft = settings.server_file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(address), file)
    draft.replace(settings.server_file)


def choose_address(settings: Settings) -> Address:
    """Return the address to listen on: the port that is set, else the stored one, else a free one.

    Raises `PortTaken`: the port that is set, or every candidate, is in use.
    """
    stored = read_address(settings)
    password = stored.password if stored else secrets.token_urlsafe(32)
    if settings.redis_port:
        candidates = [settings.redis_port]
    else:
        candidates = [stored.port] if stored else []
        candidates += random.sample(PORTS, 50)
        candidates = [
            p for p in candidates if p not in settings.fixed_ports | {settings.worker_port}
        ]
    for port in candidates:
        if port_is_free(port):
            return Address(port, password)
    raise PortTaken(f"port {candidates[0]} is in use", remedy="set VTOX_REDIS_PORT to a free one")
