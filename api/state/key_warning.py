"""Says in the terminal how to get in, if other hosts reach this service and no key exists."""

import asyncio
import time

import redis
import structlog

from api.http.local_requests import listening_at
from api.state.backend import Backend
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.wrong_keys import is_loopback

log = structlog.get_logger()

# The sockets open after the application has started: all of them within this time.
POLL_S, SOCKETS_OPEN_S = 0.5, 10.0


async def warn_missing_key(backend: Backend) -> None:
    """Wait until this service listens and its server answers, then say so once."""
    deadline = time.monotonic() + SOCKETS_OPEN_S
    while not (found := await asyncio.to_thread(_public_addresses)):
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(POLL_S)
    while (missing := await asyncio.to_thread(_has_no_key, backend)) is None:
        await asyncio.sleep(POLL_S)
    if missing:
        log.warning(
            "other hosts reach this service, so that it answers no request without an API key, and "
            "there is none",
            address=", ".join(found),
            what_to_do=apikeys.MAKE_ONE,
        )


def _public_addresses() -> list[str]:
    return [f"{ip} port {port}" for ip, port in listening_at() if not is_loopback(ip)]


def _has_no_key(backend: Backend) -> bool | None:
    """Return whether there is no key; None if the server does not answer."""
    try:
        return not apikeys.any_exist(backend.server.client())
    except (ServerUnavailable, redis.RedisError):
        return None
