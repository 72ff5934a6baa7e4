"""Clients whose writes the server accepts above its memory limit too, except new windows.

At `maxmemory` a server refuses every command that may take memory, also the ones that finish
windows and free memory. It accepts a script with the flag `allow-oom`: a refused command is
repeated inside one. Only new windows stay refused, which makes senders wait.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import redis
from redis.client import NEVER_DECODE, Pipeline
from redis.exceptions import ExecAbortError, OutOfMemoryError

from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.connections import Connections
from vtox.pipeline.windows.partitions import is_raw

# Commands inside a script reply in RESP 2, whatever the client speaks.
_SHAPES: dict[str, Any] = redis.Redis(protocol=2).response_callbacks

# Around each command: nothing, or `Hang.asking`.
Asking = Callable[[], AbstractContextManager[None]]
Commands = list[tuple[tuple[Any, ...], dict[str, Any]]]


class OverLimit(redis.Redis):
    """A client that repeats commands in a script if the server refuses them for want of memory."""

    connections: Connections
    asking: Asking = nullcontext

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute one command.

        Raises `OutOfMemoryError`: the server is full, and the command adds a window.
        """
        try:
            with self.asking():
                return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except OutOfMemoryError:
            if _must_wait([args]):
                raise
        return _execute_over_limit(self, [(args, options)])[0]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """Return a pipeline; as a transaction it is accepted above the limit too."""
        pipe = OverLimitPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipe.asking = self.asking
        return pipe


class OverLimitPipeline(Pipeline):
    """The same for a transaction, which a full server refuses as a whole."""

    asking: Asking = nullcontext

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Execute the queued commands.

        Raises `OutOfMemoryError`: the server is full, and a command adds a window (or it is no
        transaction).
        """
        commands: Commands = list(self.command_stack)
        try:
            with self.asking():
                return super().execute(raise_on_error)
        except (OutOfMemoryError, ExecAbortError) as error:
            # Refused while it is queued, or, when memory ran out meanwhile, at its EXEC.
            if not isinstance(error, OutOfMemoryError) and "OOM" not in str(error):
                raise
            whole = bool(self.transaction)
            if not whole or _must_wait(args for args, _ in commands):
                raise OutOfMemoryError(str(error)) from error
        return _execute_over_limit(self, commands)


def _must_wait(commands: Iterable[tuple[Any, ...]]) -> bool:
    """Whether a command adds a window, or is a script, which cannot be run inside another."""
    return any(
        c[0] in ("EVAL", "EVALSHA") or (c[0] == "XADD" and is_raw(str(c[1]))) for c in commands
    )


def _execute_over_limit(client: redis.Redis, commands: Commands) -> list[Any]:
    flat: list[Any] = []
    for (name, *rest), _ in commands:
        words = [*name.split(), *rest]  # `XGROUP CREATE` is one name to redis-py
        flat += [len(words), *words]
    plain: Any = redis.Redis(connection_pool=client.connection_pool)
    replies = plain.execute_command("EVAL", scripts.source("execute_over_limit"), 0, *flat)
    return [_shape(*c, reply) for c, reply in zip(commands, replies, strict=True)]


def _shape(args: tuple[Any, ...], options: dict[str, Any], reply: Any) -> Any:
    """Return a reply as redis-py gives that of the plain command."""
    callback_options = {k: v for k, v in options.items() if k not in ("keys", NEVER_DECODE)}
    return _SHAPES[args[0]](reply, **callback_options) if args[0] in _SHAPES else reply
