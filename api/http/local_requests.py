"""Whether a request comes from this host to a service that only this host reaches.

Such requests need no API key while none exists. The sockets decide, not the settings: uvicorn may
be started with any `--host`.
"""

import psutil
from starlette.types import Scope

from vtox.pipeline.store.system.wrong_keys import is_loopback

# A proxy on this host connects from loopback for clients that are elsewhere.
PROXY_HEADERS = (b"forwarded", b"via", b"x-real-ip")
PROXY_PREFIX = b"x-forwarded-"


def is_local(scope: Scope) -> bool:
    """Whether a request is of this host: no other host reaches its port, and no proxy sent it.

    HTTP/1.0 counts as sent by a proxy: nginx speaks it to its upstream unless configured otherwise,
    and then it adds no header.
    """
    client, server = scope.get("client"), scope.get("server")
    if scope["http_version"] == "1.0" or not (client and server):
        return False
    if any(name in PROXY_HEADERS or name.startswith(PROXY_PREFIX) for name, _ in scope["headers"]):
        return False
    # Looked up once a port: whether this process listens there on loopback alone.
    only_loopback: dict[int | None, bool] = scope["app"].state.only_loopback
    port = server[1]
    if port not in only_loopback:
        only_loopback[port] = all(is_loopback(ip) for ip, of in listening_at() if of == port)
    return is_loopback(client[0]) and is_loopback(server[0]) and only_loopback[port]


def listening_at() -> list[tuple[str, int]]:
    """Return the addresses and ports at which this process listens."""
    return [
        (c.laddr.ip, c.laddr.port)
        for c in psutil.Process().net_connections("tcp")
        if c.status == psutil.CONN_LISTEN
    ]
