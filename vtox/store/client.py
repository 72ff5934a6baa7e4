"""The one factory of Redis clients: time-outs, a client name, and readable errors."""

from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from vtox.errors import ServerUnavailable, SettingsError
from vtox.store.overlimit import OverLimit

# redis-py types every reply as a union of all protocols' shapes, which no caller can narrow
# without casts everywhere: replies are `Any` here, and the integration tests check the shapes.
Client = Any

# A blocking read waits at most this long. redis-py retries a read that outlasts its socket
# time-out ten times: a block of 8 s against the default of 5 s came back after 59.6 s.
MAX_BLOCK_MS = 1000
SOCKET_TIMEOUT_S = 5.0
TCP: dict[str, Any] = {"socket_connect_timeout": SOCKET_TIMEOUT_S, "socket_keepalive": True}
# One system call takes a dozen windows; over TCP more than the default of 64 kB gains nothing.
SOCKET: dict[str, Any] = {"socket_read_size": 1 << 20}


def connect(url: str, name: str, *, retries: int = 1) -> Client:
    """Return a client whose connections carry `name` in CLIENT LIST. Opens nothing yet.

    One quick retry hides a dropped idle connection; commands must be harmless when they run twice.
    The bridge has no retry: a second `XREADGROUP` would continue after the windows of a reply that
    was lost.
    """
    try:
        return OverLimit.from_url(
            url,
            client_name=f"vtox-{name}",
            socket_timeout=SOCKET_TIMEOUT_S,
            **(SOCKET if url.startswith("unix:") else TCP),
            health_check_interval=10,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries),
        )
    except ValueError as error:
        raise SettingsError(f"VTOX_REDIS_URL: {error}") from error


def server_time(client: Client) -> float:
    """Return the server's time, s since 1970."""
    seconds, micros = client.time()
    return float(seconds + micros / 1e6)


def server_time_ms(client: Client) -> int:
    """Return the server's time, ms since 1970, as in the ids of its stream entries."""
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def server_info(client: Client) -> dict[str, Any]:
    """Return what INFO says of the server."""
    info: dict[str, Any] = client.info()
    return info


def check(client: Client) -> None:
    """Raise `ServerUnavailable`, saying why, unless the server answers."""
    try:
        client.ping()
    except redis.RedisError as error:
        kw = client.connection_pool.connection_kwargs
        where = kw.get("path") or f"{kw.get('host')}:{kw.get('port')}"
        raise ServerUnavailable(f"no server at {where}: {error}") from error
