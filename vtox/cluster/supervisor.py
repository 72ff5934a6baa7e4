"""Starts the processes of a cluster in order, keeps them running, and stops them in order.

It serves `vtox up`, `vtox demo` and the cluster that the API brings up.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from vtox.cluster import parent_watch, processes
from vtox.cluster.child_process import EXIT_LOOK_S, Signals, exited, how_ended, sweep
from vtox.cluster.cluster_log import Journal
from vtox.cluster.processes import Role
from vtox.errors import SystemStateError, VtoxError
from vtox.settings import Settings

Status = Literal["waiting", "starting", "ready", "restarting", "finished", "stopped"]

# Restart after this long, doubled each time up to the most; a process that ran steadily for a
# while has its past forgiven.
BACKOFF_S = 0.5
BACKOFF_MAX_S = 30.0
STEADY_S = 30.0
# Longer than Celery and scipy take to load on a small busy machine.
READY_S = 60.0
LOOK_S = 0.1
# A process that serves is asked for its pulse this often; one that misses so many in a row (each
# after 5 s: 30 s in all) hangs or was stopped, and is killed and started again.
PULSE_S = 5.0
MISSES_MAX = 3
# How long each rank of leavers has: API and bridge, workers, server. In all less than 10 s.
LEAVE_S = (2.5, 3.5, 2.0)
LINE_BYTES = 1 << 20
# What has ended so often without having served even once will not serve the next time.
STARTS_MAX = 5
# A process of ours that cannot start as it was told says so with this code.
GAVE_UP = 2


@dataclass(slots=True)
class State:
    """How one process is doing."""

    role: Role
    status: Status = "waiting"
    pid: int = 0
    restarts: int = 0
    was_ready: bool = False
    last_line: str = ""


class Supervisor:
    """Runs `plan`; `request_stop` (also by SIGTERM and SIGINT) ends it all.

    `admit` is asked once the server answers and before anything else starts; a `VtoxError` of it
    ends the run. `on_ready` is called when everything serves.
    """

    def __init__(
        self,
        plan: Sequence[Role],
        settings: Settings,
        journal: Journal,
        *,
        admit: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.journal = journal
        self.admit = admit
        self.on_ready = on_ready
        self.states = {r.name: State(r) for r in plan}
        self.failure = ""
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        """Start all, keep all, and return when all are gone.

        Raises
        ------
        SystemStateError
            A process could not start as it was told; the error carries what it said.
        """
        self._loop = asyncio.get_running_loop()
        keepers: list[asyncio.Task[None]] = []
        with Signals(self._on_signal):
            try:
                await self._start(keepers)
                await self._stop.wait()
            finally:
                self._stop.set()
                await self._drain()
                await asyncio.gather(*keepers)
        if self.failure:
            raise SystemStateError(self.failure)

    async def _start(self, keepers: list[asyncio.Task[None]]) -> None:
        admitted = False
        for rank, group in itertools.groupby(self.plan, key=lambda r: r.rank):
            if rank > 0 and not admitted:
                admitted = await self._ask_admission()
            if self._stop.is_set():
                return
            batch = [self.states[r.name] for r in group]
            keepers += [asyncio.create_task(self._keep(s)) for s in batch]
            while not self._stop.is_set() and not all(s.was_ready for s in batch):
                await asyncio.sleep(LOOK_S)
        if not self._stop.is_set():
            self.on_ready()

    @property
    def stopping(self) -> bool:
        """Whether the end has been asked for."""
        return self._stop.is_set()

    def request_stop(self) -> None:
        """End everything in order; asked a second time, at once. Safe from any thread."""
        self._loop.call_soon_threadsafe(self._on_signal)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    async def _keep(self, state: State) -> None:
        pause_s = BACKOFF_S
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                code = await self._run_once(state)
                how = f"ended ({how_ended(code)})"
            except OSError as error:  # no data folder any more, no memory for another process
                state.last_line = str(error)
                code, how = 1, f"cannot be started ({error})"
            if self._stop.is_set():
                break
            if state.role.once and code == 0:
                state.status, state.was_ready = "finished", True
                return
            if self._hopeless(state, code):
                self.failure = f"{state.role.name} does not start: {state.last_line}"
                self._stop.set()
                break
            if time.monotonic() - began > STEADY_S:
                pause_s = BACKOFF_S
            state.status = "restarting"
            state.restarts += 1
            self.journal.say(
                f"{state.role.name} {how}, starts again in {pause_s:g} s",
                level="warning",
                process=state.role.name,
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause_s)
            pause_s = min(2 * pause_s, BACKOFF_MAX_S)
        state.status = "stopped"

    def _hopeless(self, state: State, code: int) -> bool:
        if state.was_ready:
            return False
        return code == GAVE_UP or state.restarts + 1 >= STARTS_MAX

    async def _run_once(self, state: State) -> int:
        home = self.settings.data_dir / "run"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        process = await asyncio.create_subprocess_exec(
            *parent_watch.wrapped(*state.role.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=processes.environment(self.settings),
            cwd=home,
            limit=LINE_BYTES,
            # Ctrl-C is for the supervisor, which stops its children in order.
            start_new_session=True,
        )
        self._processes[state.role.name] = process
        if self._stop.is_set():  # too late to be among those that are asked to leave
            process.kill()
        state.pid, state.status = process.pid, "starting"
        reader = asyncio.create_task(self._read(state, process))
        watch = asyncio.create_task(self._watch(state, process))
        code = await exited(process)
        watch.cancel()
        sweep(process.pid)
        await asyncio.wait([reader], timeout=1.0)
        reader.cancel()
        return code

    async def _read(self, state: State, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:  # a line beyond the limit: its rest follows
                continue
            if not raw:
                return
            line = raw.decode("utf-8", "replace")
            if line.strip():
                state.last_line = line.strip()
            self.journal.take(state.role.name, line)

    async def _ask_admission(self) -> bool:
        try:
            await asyncio.to_thread(self.admit)
        except VtoxError as error:
            self.failure = str(error)
            self._stop.set()
        return True

    async def _watch(self, state: State, process: asyncio.subprocess.Process) -> None:
        """Note when the process serves; kill it where it has a pulse no longer."""
        await self._until_ready(state, process.pid)
        misses = 0
        while not self._stop.is_set():
            await asyncio.sleep(PULSE_S)
            live = await asyncio.to_thread(state.role.live, process.pid)
            misses = 0 if live else misses + 1
            if misses == MISSES_MAX and not self._stop.is_set():
                self.journal.say(
                    f"{state.role.name} (pid {process.pid}) hangs or was stopped: "
                    f"{misses} times in a row it did not answer; killing it",
                    level="error",
                )
                with suppress(ProcessLookupError):
                    process.kill()
                return

    async def _until_ready(self, state: State, pid: int) -> None:
        deadline = time.monotonic() + READY_S
        warned = False
        while not self._stop.is_set():
            if await asyncio.to_thread(state.role.ready, pid):
                if state.was_ready:
                    self.journal.say(f"{state.role.name} serves again")
                state.status, state.was_ready = "ready", True
                return
            if time.monotonic() > deadline and not warned:
                warned = True
                self.journal.say(
                    f"{state.role.name} is not ready after {READY_S:g} s: {state.last_line}",
                    level="warning",
                )
            await asyncio.sleep(LOOK_S)

    async def _drain(self) -> None:
        for leave, budget_s in enumerate(LEAVE_S):
            leavers = [
                p
                for name, p in self._processes.items()
                if self.states[name].role.leave == leave and p.returncode is None
            ]
            for p in leavers:
                with suppress(ProcessLookupError):
                    p.terminate()
            await self._gone(leavers, budget_s)
            for p in leavers:
                if p.returncode is None:
                    with suppress(ProcessLookupError):
                        p.kill()

    async def _gone(self, leavers: Sequence[asyncio.subprocess.Process], budget_s: float) -> None:
        deadline = time.monotonic() + budget_s
        while any(p.returncode is None for p in leavers):
            if self._hurry.is_set() or time.monotonic() > deadline:
                return
            await asyncio.sleep(EXIT_LOOK_S)
