"""The one factory of Redis clients: time-outs, a client name, and readable errors."""

import ssl
import time
from collections.abc import Callable
from math import copysign
from typing import Any

import hiredis
import redis
from redis.backoff import ExponentialBackoff
from redis.connection import HiredisRespSerializer
from redis.retry import Retry
from redis.sentinel import SentinelConnectionPool

from vtox.pipeline.configuration.sentinel_urls import is_sentinel
from vtox.pipeline.configuration.server_urls import mask
from vtox.pipeline.errors import ServerLoading, ServerNotTrusted, ServerUnavailable, SettingsError
from vtox.pipeline.store.server.connections import Connections
from vtox.pipeline.store.server.hanging import Hang
from vtox.pipeline.store.server.overlimit import OverLimit
from vtox.pipeline.store.server.sentinels import primary_client

# redis-py types every reply as a union of all protocols' shapes, which no caller can narrow without
# casts everywhere. So replies are `Any` here, and the integration tests check the shapes.
Client = Any

# A blocking read waits at most this long. redis-py retries a read that outlasts its socket time-out
# ten times. A block of 8 s against the default of 5 s came back after 59.6 s.
MAX_BLOCK_MS = 1000
SOCKET_TIMEOUT_S = 5.0
# The time-out of a client that is not patient: with the rest of a request, less than 3 s.
HURRIED_TIMEOUT_S = 2.0
# A loading server answers after every 1024 commands of its log, in some tenths of a second.
LOADING_POLL_S = 0.2
FREE_DISK = "free space on the disk of the server's data folder; it then goes on by itself"
# One system call takes a dozen windows; over TCP more than the default of 64 kB gains nothing.
SOCKET: dict[str, Any] = {"socket_read_size": 1 << 20}


class _Packer(HiredisRespSerializer):
    """Packs commands; redis-py's own looks at each argument in Python before, for as long again."""

    def pack(self, *args: Any) -> list[bytes]:
        """Return a command as it is sent; its name may be of two words."""
        try:
            return [hiredis.pack_command((*args[0].split(), *args[1:]))]
        except TypeError:  # an argument that redis-py converts, or names in its error
            packed: list[bytes] = super().pack(*args)
            return packed


def connect(
    url: str, name: str, *, retries: int = 1, patient: bool = True, report_loss: bool = False
) -> Client:
    """Return a client whose connections carry `name` in CLIENT LIST. Opens nothing yet.

    One quick retry hides a dropped idle connection; commands must be harmless when they run twice.
    The bridge has no retry: a second `XREADGROUP` would continue after the windows of a reply that
    was lost. One that is not `patient` gives a server that hangs `HURRIED_TIMEOUT_S` and no second
    time, and refuses the next commands at once (`Hang`).
    """
    again = (redis.ConnectionError, redis.TimeoutError) if patient else (redis.ConnectionError,)
    timeout_s = SOCKET_TIMEOUT_S if patient else HURRIED_TIMEOUT_S
    tcp = {"socket_connect_timeout": timeout_s, "socket_keepalive": True}
    connections = Connections(report_loss=report_loss)
    make: Callable[..., Client] = primary_client if is_sentinel(url) else OverLimit.from_url
    try:
        client = make(
            url,
            client_name=f"vtox-{name}",
            socket_timeout=timeout_s,
            **(SOCKET if url.startswith("unix:") else tcp),
            health_check_interval=10,
            command_packer=_Packer(),
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries, supported_errors=again),
            redis_connect_func=connections,
        )
        client.connections = connections
        if not patient:
            client.asking = Hang().asking
        return client
    except (ValueError, KeyError):
        # Not `from error`: its text may hold a piece of the password.
        raise SettingsError(f"{mask(url)} is not the URL of a Redis or Valkey server") from None


def server_time(client: Client) -> float:
    """Return the server's time, s since 1970."""
    seconds, micros = client.time()
    return float(seconds + micros / 1e6)


def server_time_ms(client: Client) -> int:
    """Return the server's time, ms since 1970, as in the ids of its stream entries."""
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def clock_offset_s(before: float, server_t: float, after: float) -> float:
    """Return by how much a host's clock is ahead of the server's at least, s.

    The server's time was taken at an unknown moment between `before` and `after` of the host: the
    uncertainty from this is no offset.
    """
    offset_s = (before + after) / 2 - server_t
    return copysign(max(abs(offset_s) - (after - before) / 2, 0.0), offset_s)


def own_clock_offset_s(client: Client) -> float:
    """Return the same for this host, now."""
    before = time.time()
    server_t = server_time(client)
    return clock_offset_s(before, server_t, time.time())


def server_start_t(client: Client) -> float:
    """Return when the server was started, by its clock, s since 1970; 0 if INFO is denied."""
    try:
        uptime_s = client.info("server")["uptime_in_seconds"]
    except redis.exceptions.NoPermissionError:
        return 0.0
    return server_time(client) - float(uptime_s)


def server_thread_s(client: Client) -> float | None:
    """Return the CPU time of the server's thread since its start, s; None if it does not say."""
    try:
        cpu = client.info("cpu")
        return float(cpu["used_cpu_user_main_thread"] + cpu["used_cpu_sys_main_thread"])
    except (redis.exceptions.NoPermissionError, KeyError):
        return None


def replicas_of(client: Client) -> int:
    """Return how many replicas the server has; 0 if it does not say."""
    try:
        return int(client.info("replication").get("connected_slaves", 0))
    except redis.exceptions.NoPermissionError:
        return 0


def server_info(client: Client) -> dict[str, Any]:
    """Return the server's reply to INFO."""
    info: dict[str, Any] = client.info()
    return info


def check(client: Client) -> None:
    """Raise `ServerUnavailable`, saying why, unless the server takes commands."""
    try:
        client.ping()
    except redis.BusyLoadingError as error:
        raise loading_error(client) from error
    except redis.RedisError as error:
        if str(error).startswith("MISCONF"):
            what = f"the server refuses writes: {error}"
            raise ServerUnavailable(what, remedy=FREE_DISK) from error
        pool = client.connection_pool
        kw = pool.connection_kwargs
        sentinels = isinstance(pool, SentinelConnectionPool)
        place = "" if sentinels else kw.get("path") or f"{kw.get('host')}:{kw.get('port')}"
        tls = issubclass(pool.connection_class, redis.SSLConnection)
        raise unavailable(error, place, tls=tls) from error


def check_when_loaded(client: Client) -> None:
    """Do the same, but wait for a server that is loading its log, however long that takes."""
    while True:
        try:
            return check(client)
        except ServerLoading:
            time.sleep(LOADING_POLL_S)


def loading_error(client: Client) -> ServerLoading:
    """Return the error that says how far the server has loaded its log."""
    try:
        info = client.info("persistence")
        share, size = float(info["loading_loaded_perc"]), int(info["loading_total_bytes"])
        left_s = int(info["loading_eta_seconds"])
        progress = f"loading: {share:.0f} % of {size / 1e6:.0f} MB, about {left_s} s left"
    except (redis.RedisError, KeyError):  # INFO is denied, or all is loaded meanwhile
        progress = "loading"
    return ServerLoading(f"the server is {progress}", remedy="wait until it has loaded its log")


def unavailable(error: Exception, where: str = "", *, tls: bool = False) -> ServerUnavailable:
    """Return why the server cannot be used, from the error of a client of Redis or of Celery."""
    refusal = _cause(error, ssl.SSLError)
    if not refusal and tls:
        # A server that misses a certificate says so after the handshake and closes: the reset may
        # discard its message (TLS 1.3).
        refusal = _cause(error, ConnectionResetError, BrokenPipeError)
    if not refusal:
        return ServerUnavailable(f"no server at {where}: {error}" if where else str(error))
    place = where or "VTOX_REDIS_URL"
    if not isinstance(refusal, ssl.SSLCertVerificationError):
        what = getattr(refusal, "reason", None) or refusal
        return ServerNotTrusted(
            f"no TLS connection to the server at {place} ({what})",
            remedy="does it expect TLS on that port (rediss://), and a client's certificate "
            "(ssl_certfile and ssl_keyfile in VTOX_REDIS_URL)?",
        )
    why = refusal.verify_message
    return ServerNotTrusted(
        f"the certificate of the server at {place} is refused: {why}", remedy=_remedy(why)
    )


def _remedy(why: str) -> str:
    if "expired" in why or "not yet valid" in why:
        return "give the server a valid one; are the clocks right?"
    if "not valid for" in why or "mismatch" in why:  # the name, or the address by number
        return "write the host in VTOX_REDIS_URL as the certificate names it"
    return "add ssl_ca_certs=FILE to VTOX_REDIS_URL, the file (PEM) of the CA that signed it"


def _cause(error: BaseException | None, *kinds: type[OSError]) -> OSError | None:
    """Return the error of one of these kinds behind an error, None if it has another cause."""
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__ or error.__context__
    return error
