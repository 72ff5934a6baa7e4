"""Adds windows that count as accepted only once they are on disk, or on replicas."""

from typing import Any

import redis

from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import NotOnDisk, NotReplicated
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.window_log import Fields, add_with

# Below the time-outs of the sockets. Every second is a sync, and one may take a while.
ON_DISK_TIMEOUT_MS = 1800
REPLICAS_TIMEOUT_MS = 1800
# Valkey 8.1 and 9.1.2 confirm by WAITAOF data that no sync has written yet, Redis 8.0.2 does not.
REDIS_MIN = 8
ANSWERS_LATER = (
    "set `appendfsync always` on that server and VTOX_ACK=server: it then answers when a "
    "window is on disk"
)


def add_window_on_disk(
    client: Client, fields: Fields, replicas: int = 0, raw: str = keys.RAW
) -> str:
    """Add a window; return the id of its entry once it is on the server's disk and on replicas'.

    Raises `NotOnDisk`: the server cannot say (nothing is added then), or it is not on disk in time.
    """
    _require_confirmation(client)
    pipe = client.pipeline(transaction=False)
    add_with(pipe, fields, raw)
    pipe.waitaof(1, replicas, ON_DISK_TIMEOUT_MS)
    entry_id, reply = pipe.execute(raise_on_error=False)
    if isinstance(entry_id, redis.RedisError):
        raise entry_id
    if isinstance(reply, redis.RedisError):
        raise NotOnDisk(
            f"window {entry_id.decode()} is stored, whether on disk is unknown: {reply}"
        )
    if not reply[0] or reply[1] < replicas:
        where = f"here and on {replicas} replicas " if replicas else ""
        raise NotOnDisk(
            f"window {entry_id.decode()} is stored, but was not on disk {where}within "
            f"{ON_DISK_TIMEOUT_MS / 1000:g} s",
            remedy="send it again unchanged: it counts once",
        )
    return str(entry_id.decode())


def add_window_on_replicas(
    client: Client, fields: Fields, replicas: int, raw: str = keys.RAW
) -> str:
    """Add a window and return the id of its entry once this many replicas have it in memory.

    Raises `NotReplicated`: they do not have it in time.
    """
    pipe = client.pipeline(transaction=False)
    add_with(pipe, fields, raw)
    pipe.wait(replicas, REPLICAS_TIMEOUT_MS)
    entry_id, having = pipe.execute()
    if having < replicas:
        raise NotReplicated(
            f"window {entry_id.decode()} is stored, but {having} of {replicas} replicas had it "
            f"within {REPLICAS_TIMEOUT_MS / 1000:g} s",
            remedy="send it again unchanged: it counts once",
        )
    return str(entry_id.decode())


def on_replicas(client: Client, replicas: int, timeout_ms: int) -> bool:
    """Return whether this many replicas have all that was written over this connection."""
    return int(client.wait(replicas, timeout_ms)) >= replicas


def _require_confirmation(client: Client) -> None:
    try:
        info: dict[str, Any] = client.info("server")
    except redis.exceptions.NoPermissionError as error:
        raise NotOnDisk(f"whether windows are on disk is unknown: {error}") from error
    product = "valkey" if "valkey_version" in info else "redis"
    version = str(info[f"{product}_version"])
    if product == "valkey" or int(version.partition(".")[0]) < REDIS_MIN:
        what = f"{product} {version} does not say reliably when a window is on disk"
        raise NotOnDisk(what, remedy=ANSWERS_LATER)
