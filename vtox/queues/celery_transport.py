"""Kombu's Redis transport, with writes that a server at its memory limit accepts.

Tasks carry ids only, and finishing them frees memory. A worker that starts on a full server must
also bind its queues: otherwise the server would stay full.
"""

from functools import cached_property, partial
from typing import Any

from kombu.transport import redis

from vtox.store.overlimit import OverLimit, OverLimitPipeline
from vtox.store.scripts import SHEBANG


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


class _Channel(redis.Channel):
    def _get_client(self) -> partial[_Client]:
        return partial(_Client, global_keyprefix=self.global_keyprefix)

    @cached_property
    def _refresh_binding(self) -> Any:
        return self._create_client().register_script(SHEBANG + redis.REFRESH_BINDING)


class Transport(redis.Transport):
    """The transport of `redis://` and `rediss://` brokers."""

    Channel = _Channel
