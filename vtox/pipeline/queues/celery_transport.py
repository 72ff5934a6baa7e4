"""Kombu's Redis transport, with writes that a server at its memory limit accepts.

Tasks carry ids only, and finishing them frees memory. A worker that starts on a full server must
also bind its queues: otherwise the server would stay full.

A member of a queue's list that is no message at all becomes an empty message, which the worker
refuses. Kombu would raise, and so end the worker.
"""

import uuid
from functools import cached_property, partial
from typing import Any

import orjson
import structlog
from kombu.transport import redis, virtual

from vtox.pipeline.store.server.overlimit import OverLimit, OverLimitPipeline
from vtox.pipeline.store.server.scripts import SHEBANG
from vtox.pipeline.store.server.sentinels import PrimaryConnection, PrimarySSLConnection

EMPTY = b"{}"
# A sentinel answers in less than a millisecond.
FOLLOW_EVERY_S = 2.0

log = structlog.get_logger()


class _Pipeline(redis.PrefixedRedisPipeline, OverLimitPipeline):
    pass


class _Client(redis.PrefixedStrictRedis, OverLimit):
    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Any:
        return _Pipeline(
            self.connection_pool,
            self.response_callbacks,
            transaction,
            shard_hint,
            global_keyprefix=self.global_keyprefix,
        )

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        reply = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name == "BRPOP" and reply and not _is_json(reply[1]):
            return reply[0], EMPTY
        return reply


def _is_json(member: bytes) -> bool:
    try:
        orjson.loads(member)
    except orjson.JSONDecodeError:
        return False
    return True


class _Message(virtual.Message):
    def __init__(self, payload: Any, channel: Any = None, **kwargs: Any) -> None:
        try:
            super().__init__(payload, channel, **kwargs)
        except Exception:  # of the many ways to be no message, each raises another error
            super().__init__({"properties": {"delivery_tag": uuid.uuid4().hex}}, channel, **kwargs)


class _Channel(redis.Channel):
    Message = _Message
    _sync: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        # Kombu makes a client for each message: a quarter of the cost of sending a task. One is as
        # good, until the pool of connections is another one.
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._sync is None or self._sync.connection_pool is not self.pool:
            self._sync = super()._create_client()
        return self._sync

    def _has_queue(self, queue: str, **_: Any) -> bool:
        # An empty queue has no key. Kombu looks for it under a name without the prefix besides.
        return True

    def _get_client(self) -> partial[_Client]:
        return partial(_Client, global_keyprefix=self.global_keyprefix)

    @cached_property
    def _refresh_binding(self) -> Any:
        return self._create_client().register_script(SHEBANG + redis.REFRESH_BINDING)


class _SentinelChannel(_Channel, redis.SentinelChannel):
    connection_class = PrimaryConnection
    connection_class_ssl = PrimarySSLConnection


class Transport(redis.Transport):
    """The transport of `redis://` and `rediss://` brokers."""

    Channel = _Channel


class SentinelTransport(redis.SentinelTransport):
    """The transport of `sentinel://` and `sentinels://` brokers.

    A worker that waits for tasks asks the sentinels if the primary hangs. By kombu's health checks
    it would notice that after 6 to 11 s for tasks and 16 s for remote control.
    """

    Channel = _SentinelChannel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Begin to receive, and to follow the primary."""
        super().register_with_event_loop(connection, loop)
        # Celery clears the timers of its loop before it connects again.
        loop.call_repeatedly(FOLLOW_EVERY_S, self.follow)

    def follow(self) -> None:
        """Leave connections to a primary that was replaced; kombu then connects to the new one."""
        for _, client, _ in list(self.cycle._chan_to_sock):
            connection = client.connection
            if connection is not None and connection.is_of_former_primary():
                log.warning("another server is the primary: connecting to it")
                connection.disconnect()
