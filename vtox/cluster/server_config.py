"""Where the embedded server listens, what opens it, and its whole configuration."""

import hashlib
import json
import os
import random
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from vtox.cluster.ports import LOOPBACK, port_is_free
from vtox.errors import PortTaken
from vtox.settings import Settings, server_url

# Below the ephemeral range of Linux (32768) and macOS (49152): a client that reconnects to a dead
# loopback port inside that range sooner or later connects to itself and takes the port.
PORTS = range(20_000, 32_000)
# What the client of the embedded server may not do: nothing in VTOX, Celery or Flower needs
# FLUSHALL, KEYS, CONFIG, SHUTDOWN, MODULE, RESTORE and their like; INFO and CLIENT LIST only look.
ACL = "~* &* +@all -@dangerous +info +client|list"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the embedded server listens and what opens it."""

    port: int
    password: str
    pid: int = 0

    @property
    def url(self) -> str:
        """The address as a URL."""
        return server_url(self.port, self.password)


def config(address: Address, folder: Path, socket: Path | None, maxmemory_mb: int) -> str:
    """Return the server's configuration: everything that matters is said, nothing is left open."""
    unix = f"unixsocket {_quoted(socket)}\nunixsocketperm 700\n" if socket else ""
    key = hashlib.sha256(address.password.encode()).hexdigest()
    return f"""\
bind {LOOPBACK}
port {address.port}
{unix}protected-mode yes
user default reset on #{key} {ACL}
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
dir {_quoted(folder)}

# Nobody's data are evicted: at the limit writes are refused and readers drain.
maxmemory {maxmemory_mb}mb
maxmemory-policy noeviction
# The largest reply is a task's windows (64 MB and a few), the largest request one window.
client-output-buffer-limit normal 512mb 256mb 30
client-output-buffer-limit pubsub 64mb 16mb 60
client-output-buffer-limit replica 256mb 64mb 60
client-query-buffer-limit 256mb
proto-max-bulk-len 64mb
stream-node-max-bytes 4096
stream-node-max-entries 100

# Every acknowledged write is with the kernel before its reply, on disk within a second.
save ""
appendonly yes
appendfsync everysec
no-appendfsync-on-rewrite no
aof-load-truncated yes
aof-use-rdb-preamble yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 256mb
# Samples do not compress: trying costs the fork's time (docs/OPERATIONS.md, "Persistence").
rdbcompression no
"""


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def read_address(settings: Settings) -> Address | None:
    """Return the remembered address of the embedded server, if there is one that can be read."""
    try:
        known = json.loads(settings.server_file.read_text())
        return Address(int(known["port"]), str(known["password"]), int(known.get("pid", 0)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_address(settings: Settings, address: Address) -> None:
    """Remember the address, readable by the owner alone, never half written."""
    draft = settings.server_file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(address), file)
    draft.replace(settings.server_file)


def choose_address(settings: Settings) -> Address:
    """Return the address to listen on: as set, else as remembered, else any free port.

    Raises
    ------
    PortTaken
        The port that is set, or every port tried, is in use.
    """
    known = read_address(settings)
    password = known.password if known else secrets.token_urlsafe(32)
    if settings.redis_port:
        wanted = [settings.redis_port]
    else:
        wanted = [known.port] if known else []
        wanted += random.sample(PORTS, 50)
        wanted = [p for p in wanted if p not in settings.fixed_ports | {settings.worker_port}]
    for port in wanted:
        if port_is_free(port):
            return Address(port, password)
    raise PortTaken(f"port {wanted[0]} is in use: set VTOX_REDIS_PORT to a free one")
