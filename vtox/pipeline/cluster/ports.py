"""Ports of this host: whether one is free, which process has it, and whether it responds."""

import errno
import socket
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException

import psutil

from vtox.pipeline.errors import PortTaken, SettingsError

LOOPBACK = "127.0.0.1"
# The processes of a cluster that was killed with -9 end by themselves within this time.
ORPHANS_END_S = 6.0
POLL_S = 0.2
RESPONSE_TIMEOUT_S = 1.0
# Even a busy process responds within this time.
LIVENESS_TIMEOUT_S = 5.0
# Errors of this host, which say nothing about the server that was to be probed.
_OWN_ERRORS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
# No proxy from the environment: it would look for our loopback address on its own host.
_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Listener:
    """The address of a process, and the setting that moves it."""

    setting: str
    host: str
    port: int


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether `port` can be bound now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_distinct_ports(ports: Mapping[str, int]) -> None:
    """Check that no two settings (name -> port) name the same port.

    Raises `SettingsError`: Naming both.
    """
    first: dict[int, str] = {}
    for setting, port in ports.items():
        if port in first:
            raise SettingsError(
                f"{first[port]} and {setting} are both {port}",
                remedy="give each its own port",
            )
        first[port] = setting


def require_free_ports(listeners: Iterable[Listener]) -> None:
    """Check that every port can be bound, waiting for the orphans of a killed cluster to end.

    Raises `PortTaken`: Naming the port, the process that has it and the setting that moves it.
    """
    deadline = time.monotonic() + ORPHANS_END_S
    for listener in listeners:
        port, setting = listener.port, listener.setting
        while not port_is_free(port, listener.host):
            process = process_on_port(port)
            if not (process and _is_orphan(process)) or time.monotonic() > deadline:
                name = f"{process.name()} (pid {process.pid})" if process else "another program"
                raise PortTaken(
                    f"port {port} is in use by {name}",
                    remedy=f"stop that (another vtox?), or set {setting} to a free port",
                )
            time.sleep(POLL_S)


def process_on_port(port: int) -> psutil.Process | None:
    """Return the process that listens on `port`, None if this user cannot see it."""
    try:
        for c in psutil.net_connections("tcp"):
            if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port and c.pid:
                return psutil.Process(c.pid)
    except psutil.Error:
        pass  # macOS shows it only to root
    return None


def listens(pid: int, port: int) -> bool:
    """Whether a process of ours listens on `port`."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in found)


def is_vtox_process(process: psutil.Process) -> bool:
    """Whether it is a process of VTOX by its command line."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(
        w in ("vtox", "vtox.pipeline.cluster.parent_watch", "api.main:app") or w.endswith("/vtox")
        for w in words
    )


def _connect_address(host: str) -> str:
    """Return the address to connect to for a server that listens on `host`."""
    return {"0.0.0.0": LOOPBACK, "": LOOPBACK, "::": "::1"}.get(host, host)


def base_url(host: str, port: int) -> str:
    """Return the URL of an HTTP server that listens on `host`, as a person would open it."""
    host = _connect_address(host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def accepts_connections(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((_connect_address(host), port), RESPONSE_TIMEOUT_S):
            return True
    except OSError:
        return False


def responds(url: str, timeout_s: float = RESPONSE_TIMEOUT_S) -> bool:
    """Whether an HTTP GET of `url` succeeds."""
    return _get(url, timeout_s, on_own_error=False)


def is_live(url: str, timeout_s: float = LIVENESS_TIMEOUT_S) -> bool:
    """Whether an HTTP GET of `url` succeeds, or cannot be tried because of an error here.

    Otherwise a supervisor without a free file descriptor would kill all its children at once.
    """
    return _get(url, timeout_s, on_own_error=True)


def _get(url: str, timeout_s: float, *, on_own_error: bool) -> bool:
    try:
        with _WITHOUT_PROXY.open(url, timeout=timeout_s) as reply:
            return bool(reply.status < 400)
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        return on_own_error and getattr(cause, "errno", None) in _OWN_ERRORS


def _is_orphan(process: psutil.Process) -> bool:
    try:
        return process.ppid() == 1 and "vtox.pipeline.cluster.parent_watch" in process.cmdline()
    except psutil.Error:
        return True
