"""The seam: every command of a client of the product passes here, inside the client's retries.

A transaction is one command, as it is one step of the server. Any other pipeline is one too.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

import redis
from hiredis import pack_command

from faults.interleavings import events
from faults.interleavings.events import Event
from faults.interleavings.scheduler import Process
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.scripts import source

Args = tuple[Any, ...]
# Sees a command and the name of its process, empty once that has given it up.
Observe = Callable[["Command", str], Callable[[Any], None] | None]
# Steps of the server's clock are this many times those of a host's clock.
CLOCK_SHARE = 4.0
# Answers of the server if a script fails, which none may.
OF_SCRIPTS = ("ERR Error running", "user_script", "ERR user_script")
READS = frozenset(
    """
    PING TIME INFO GET MGET HGET HMGET HGETALL HLEN HKEYS HEXISTS XRANGE XREVRANGE XPENDING XLEN
    ZRANGE ZCARD ZSCORE ZMSCORE SMEMBERS EXISTS TTL
    machine_states backlog unassigned_entries family_progress
    """.split()
) | {"XINFO STREAM", "XINFO GROUPS", "MEMORY USAGE", "SCRIPT LOAD", "CLIENT LIST"}


@cache
def _names() -> dict[str, str]:
    """Return the name of each script by its digest."""
    return {sha1(text.encode()).hexdigest(): name for name, text in _sources()}


def _sources() -> list[tuple[str, str]]:
    folder = files("vtox.pipeline.store.server") / "lua"
    names = sorted(f.name.removesuffix(".lua") for f in folder.iterdir() if f.name.endswith(".lua"))
    return [(n, source(n, shared=s)) for n in names if n != "_shared" for s in (False, True)]


def load_scripts(plain: redis.Redis) -> None:
    """Load every script into a server, unless it has them."""
    if not all(plain.script_exists(*_names())):
        for _, text in _sources():
            with suppress(redis.ResponseError):  # one that needs the shared functions, without
                plain.script_load(text)


class Command:
    """One command, or those of a pipeline: `name` is the one that decides the possible events."""

    def __init__(self, parts: Sequence[Args]) -> None:
        self.parts = parts
        self.block_ms: int | None = None
        if len(parts) == 1 and parts[0][0] == "XREADGROUP":
            self.parts = [self._unblocked(parts[0])]
        names = [_name(p) for p in self.parts]
        writes = [n for n in names if n not in READS]
        self.name = (writes or names)[0]
        self.is_write = bool(writes)
        self.adds = self.name == "move" or "XADD" in names

    @property
    def keys(self) -> list[str]:
        """The keys of a script."""
        args = self.parts[0]
        return [_text(k) for k in args[3 : 3 + int(args[2])]]

    @property
    def argv(self) -> list[Any]:
        """The arguments of a script."""
        args = self.parts[0]
        return list(args[3 + int(args[2]) :])

    def _unblocked(self, args: Args) -> Args:
        """Return a read without its wait, which would be one of real time."""
        at = next((i for i, a in enumerate(args) if a in (b"BLOCK", "BLOCK")), None)
        if at is None:
            return args
        self.block_ms = int(args[at + 1])
        return args[:at] + args[at + 2 :]


def _name(args: Args) -> str:
    return _names().get(args[1], "script") if args[0] == "EVALSHA" else str(args[0])


def _text(x: Any) -> str:
    return x.decode() if isinstance(x, bytes) else str(x)


def hold_connection(client: redis.Redis) -> None:
    """Let a client, which has one command at a time, hold one connection.

    Pools look whether a server has closed an idle one, for a tenth of the time of a run.
    """
    pool = client.connection_pool
    make, held = pool.get_connection, list[Any]()

    def get_connection(*_: Any, **__: Any) -> Any:
        if not held:
            held.append(make())
        elif held[0]._sock is None:
            held[0].connect()
        return held[0]

    pool.get_connection = get_connection
    pool.release = lambda connection: None


def ask(client: redis.Redis, *commands: Args) -> list[Any]:
    """Return the plain replies to some commands, all in one round trip."""
    connection = client.connection_pool.get_connection()
    connection.send_packed_command([pack_command(c) for c in commands])
    return [connection.read_response() for _ in commands]


class Seam:
    """Makes the events of a run happen at the commands of its processes.

    `observe` sees a command before the server has it, and returns a function for its reply.
    """

    def __init__(
        self,
        plain: redis.Redis,
        observe: Observe,
        set_clock: Callable[[float], None],
        normal: Callable[[str], str],
    ) -> None:
        self.plain = plain
        self.observe = observe
        self.set_clock = set_clock
        self.normal = normal
        # How many commands may have added windows: only then a reader has more to read.
        self.added = 0

    def attach(self, process: Process, client: Client) -> Client:
        """Return the client, each of whose commands is one of the process from now on."""
        send, make = client._send_command_parse_response, client.pipeline

        def send_one(conn: Any, name: str, *args: Any, **options: Any) -> Any:
            command = Command([args])
            return self.run(
                process, command, lambda: send(conn, name, *command.parts[0], **options)
            )

        def pipeline(*args: Any, **options: Any) -> Any:
            pipe = make(*args, **options)
            for method in ("_execute_transaction", "_execute_pipeline"):
                run = getattr(pipe, method)

                def run_all(conn: Any, commands: Any, raises: bool, run: Any = run) -> Any:
                    command = Command([c[0] for c in commands])
                    return self.run(process, command, lambda: run(conn, commands, raises))

                setattr(pipe, method, run_all)
            return pipe

        client._send_command_parse_response = send_one
        client.pipeline = pipeline
        hold_connection(client)
        # A time-out is an event. On a busy host the server may take longer, which is none.
        client.connection_pool.connection_kwargs["socket_timeout"] = None
        process.to_close.append(client.connection_pool.disconnect)
        return client

    def run(self, process: Process, command: Command, execute: Callable[[], Any]) -> Any:
        """Execute a command of a process, with its event."""
        event = process.happens(command.name, events.possible(command.name, command.is_write))
        if event:
            self._before(process, command, event)
        reply = self._executed(process, command, execute)
        if command.block_ms is not None and not reply:
            added = self.added
            process.sleep(command.block_ms / 1000)
            if self.added > added:
                reply = self._executed(process, command, execute)
        if event and event.kind == events.DIE_AFTER:
            process.die()
        if event and event.kind == events.LOST:
            raise redis.ConnectionError("the reply is lost")
        return reply

    def _before(self, process: Process, command: Command, event: Event) -> None:
        kind, size_s = event.kind, event.size_s
        if kind == events.DELAY:
            process.sleep(size_s)
        elif kind == events.CUT:
            raise redis.ConnectionError("the connection is cut")
        elif kind == events.LATE:
            process.scheduler.put(size_s, lambda: self._execute_late(process, command))
            raise redis.TimeoutError("no reply in time")
        elif kind == events.DIE:
            process.die()
        elif kind == events.REFUSED:
            raise redis.ResponseError("MISCONF the server has no disk for writes")
        elif kind == events.CLOCK:
            self.set_clock(CLOCK_SHARE * (size_s - events.LONGEST_S / 4))
        elif kind == events.HOST_CLOCK:
            process.clock_off_s = size_s - events.LONGEST_S / 4

    def _executed(
        self, process: Process, command: Command, execute: Callable[[], Any], late: bool = False
    ) -> Any:
        process.scheduler.tick()
        # Measurements of the monitor are of this host: memory, its pid.
        said = "" if process.name == "monitor" else command.parts
        process.scheduler.note(self.normal(f"{process.name} {command.name} {said}"))
        self.added += command.adds
        answered = self.observe(command, "" if late else process.name)
        try:
            reply = execute()
        except redis.ResponseError as error:
            if not str(error).startswith(OF_SCRIPTS):
                raise
            raise AssertionError(f"{command.name} fails: {error}") from error
        if answered:
            answered(reply)
        return reply

    def _execute_late(self, process: Process, command: Command) -> None:
        """Execute a command that comes to the server when its sender has given up."""

        def execute() -> Any:
            if len(command.parts) == 1:
                # The reply is not read: the client would parse it by options that are not here.
                return ask(self.plain, command.parts[0])[0]
            pipe = self.plain.pipeline(transaction=True)
            for args in command.parts:
                pipe.execute_command(*args)
            return pipe.execute(raise_on_error=False)

        try:
            self._executed(process, command, execute, late=True)
        except redis.RedisError as error:  # a fence: no process gets the error
            process.scheduler.note(f"late: {type(error).__name__}")
