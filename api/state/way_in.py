"""Says in the terminal how to get in, where other hosts reach this service and no key exists."""

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


async def print_way_in(backend: Backend) -> None:
    """Wait until this service listens and its server answers, then say so once."""
    deadline = time.monotonic() + SOCKETS_OPEN_S
    while not (found := await asyncio.to_thread(_open_to_others)):
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(POLL_S)
    while (missing := await asyncio.to_thread(_has_no_key, backend)) is None:
        await asyncio.sleep(POLL_S)
    if missing:
        log.warning(
            "other hosts reach this service, so that it answers nobody without an API key, and "
            "there is none",
            address=", ".join(found),
            what_to_do=apikeys.MAKE_ONE,
        )


def _open_to_others() -> list[str]:
    return [f"{ip} port {port}" for ip, port in listening_at() if not is_loopback(ip)]


def _has_no_key(backend: Backend) -> bool | None:
    """Return whether there is no key; None where the server does not say."""
    try:
        return not apikeys.any_exist(backend.server.client())
    except (ServerUnavailable, redis.RedisError):
        return None
