"""The lists in which Celery's tasks wait on Redis, one for each queue."""

from vtox import keys
from vtox.store.client import Client


def oldest_messages(client: Client, queue: str, limit: int) -> list[bytes]:
    """Return the messages that have waited longest in a queue, the oldest first."""
    newest_first: list[bytes] = client.lrange(keys.CELERY_PREFIX + queue, -limit, -1)
    return newest_first[::-1]
