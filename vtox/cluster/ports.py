"""Ports of this host: whether one is free, who has it, and what to set when it is not."""

import errno
import socket
import time
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException

import psutil

from vtox.errors import PortTaken, SettingsError

LOOPBACK = "127.0.0.1"
# Processes of a cluster that was killed with -9 end by themselves within this time.
LEAVING_S = 6.0
PROBE_S = 1.0
# A busy process answers within this.
PULSE_TIMEOUT_S = 5.0
# What keeps us from asking tells nothing of who would have answered.
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
# Whatever proxy the environment names: it would look for our loopback on its own host.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether `port` can be bound now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_distinct(wanted: Mapping[str, int]) -> None:
    """Check that no two settings (name -> port) ask for the same port.

    Raises
    ------
    SettingsError
        Naming both.
    """
    first: dict[int, str] = {}
    for setting, port in wanted.items():
        if port in first:
            raise SettingsError(
                f"{first[port]} and {setting} are both {port}: give each a port of its own"
            )
        first[port] = setting


def require_free(wanted: Mapping[str, tuple[str, int]]) -> None:
    """Check that every port can be bound, waiting for orphans of a killed cluster to leave.

    Parameters
    ----------
    wanted
        Name of the setting -> address and port.

    Raises
    ------
    PortTaken
        Naming the port, who has it and the setting that moves it.
    """
    deadline = time.monotonic() + LEAVING_S
    for setting, (host, port) in wanted.items():
        while not port_is_free(port, host):
            who = holder(port)
            if not (who and _leaving(who)) or time.monotonic() > deadline:
                name = f"{who.name()} (pid {who.pid})" if who else "another program"
                raise PortTaken(
                    f"port {port} is in use by {name}; another vtox? set {setting} to a free port"
                )
            time.sleep(0.2)


def holder(port: int) -> psutil.Process | None:
    """Return the process that listens on `port`, where this user may know."""
    try:
        for c in psutil.net_connections("tcp"):
            if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port and c.pid:
                return psutil.Process(c.pid)
    except psutil.Error:
        pass  # macOS tells this only to root
    return None


def is_ours(process: psutil.Process) -> bool:
    """Whether it is a process of VTOX by its command line."""
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any(
        w in ("vtox", "vtox.cluster.parent_watch", "api.main:app") or w.endswith("/vtox")
        for w in words
    )


def reachable(host: str) -> str:
    """Return the address to connect to for a server that listens on `host`."""
    return {"0.0.0.0": LOOPBACK, "": LOOPBACK, "::": "::1"}.get(host, host)


def url(host: str, port: int) -> str:
    """Return the base URL of an HTTP server on `host`, as a person would open it."""
    host = reachable(host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((reachable(host), port), PROBE_S):
            return True
    except OSError:
        return False


def answers(address: str, within_s: float = PROBE_S) -> bool:
    """Whether an HTTP GET of `address` succeeds."""
    return _asked(address, within_s, in_doubt=False)


def pulse(address: str, within_s: float = PULSE_TIMEOUT_S) -> bool:
    """Whether an HTTP GET of `address` succeeds, or could not be tried for want of means of ours.

    Else a supervisor without a free file descriptor would kill all its children at once.
    """
    return _asked(address, within_s, in_doubt=True)


def _asked(address: str, within_s: float, *, in_doubt: bool) -> bool:
    try:
        with _DIRECT.open(address, timeout=within_s) as reply:
            return bool(reply.status < 400)
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", error)
        return in_doubt and getattr(cause, "errno", None) in _OURS


def _leaving(process: psutil.Process) -> bool:
    try:
        return process.ppid() == 1 and "vtox.cluster.parent_watch" in process.cmdline()
    except psutil.Error:
        return True
