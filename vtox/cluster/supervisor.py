"""Starts the processes of a cluster in order, keeps them running, and stops them in order.

It serves `vtox up`, `vtox demo` and the cluster that the API brings up.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Literal

import redis

from vtox.cluster import child_process, parent_watch, processes
from vtox.cluster.child_process import exit_description, exit_status, kill_process_group
from vtox.cluster.cluster_log import ClusterLog
from vtox.cluster.data_folder import make_private
from vtox.cluster.processes import ProcessSpec
from vtox.cluster.restart import CANNOT_START, RunEnd, keep_running
from vtox.cluster.signal_handlers import SignalHandlers
from vtox.errors import SystemStateError, VtoxError
from vtox.settings import Settings

Status = Literal["waiting", "starting", "ready", "restarting", "finished", "stopped"]

FIRST_PAUSE_S = 0.5
# A process that has never been ready is given up after so many starts.
STARTS_MAX = 5
# Celery and scipy load within this time even on a small busy machine.
READY_WARN_S = 60.0
POLL_S = 0.1
# A process that is ready is probed this often; one that fails so often in a row (each probe
# takes up to 5 s: 30 s in all) hangs or was stopped, and is killed and started again.
LIVENESS_INTERVAL_S = 5.0
LIVENESS_FAILURES_MAX = 3
# Time to stop for each stop order: bridge and API, workers, server. Idle ones end within a second;
# a worker finishes its batch, which may take 14 s on a slow host, and the server writes its log.
# Less than 30 s in all, which is what most who run a container or a service allow.
STOP_TIMEOUTS_S = (4.0, 18.0, 6.0)
LAST_OUTPUT_S = 1.0


@dataclass(slots=True)
class ProcessState:
    """How one process is doing."""

    spec: ProcessSpec
    status: Status = "waiting"
    pid: int = 0
    restarts: int = 0
    was_ready: bool = False
    ready_t: float = -inf
    # Starts after which it was never ready, without those that lacked the server.
    failed_starts: int = 0
    lacked_server: bool = False
    last_line: str = ""
    # It was taken out on purpose: once it has ended it is not started again.
    retired: bool = False


class Supervisor:
    """Runs the processes of `specs` until SIGTERM, SIGINT or `request_stop`.

    `preflight` is called once the server responds and before anything else starts; a `VtoxError`
    from it ends the run. `on_ready` is called when every process is ready. `server_responds` says
    whether the server does that all but those of start order 0 need: what does not start while it
    is away starts again, as often as that takes.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        settings: Settings,
        log: ClusterLog,
        *,
        preflight: Callable[[], None] = lambda: None,
        on_ready: Callable[[], None] = lambda: None,
        server_responds: Callable[[], bool] = lambda: True,
    ) -> None:
        self.specs = specs
        self.settings = settings
        self.log = log
        self.preflight = preflight
        self.on_ready = on_ready
        self.server_responds = server_responds
        self.states = {s.name: ProcessState(s) for s in specs}
        self.failure = ""
        self.draining = False
        self._stop = asyncio.Event()
        self._kill = asyncio.Event()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Start all processes, keep them running, and return when all have ended.

        Raises
        ------
        SystemStateError
            A process cannot start as configured; the error carries its last line.
        """
        self._loop = asyncio.get_running_loop()
        with SignalHandlers(self._on_stop_request, self.drain):
            try:
                await self._start_all()
                await self._stop.wait()
            finally:
                self._stop.set()
                await self._stop_all()
                await asyncio.gather(*self._tasks)
        if self.failure:
            raise SystemStateError(self.failure)

    @property
    def stopping(self) -> bool:
        """Whether a stop has been requested."""
        return self._stop.is_set()

    def request_stop(self) -> None:
        """Stop everything in order; a second request kills it. Safe from any thread."""
        self._loop.call_soon_threadsafe(self._on_stop_request)

    def _on_stop_request(self) -> None:
        if self._stop.is_set():
            self._kill.set()
        self._stop.set()

    def add(self, spec: ProcessSpec) -> None:
        """Start another process, and keep it running."""
        state = self.states[spec.name] = ProcessState(spec)
        self._start(state)

    def drain(self) -> None:
        """Let workers finish what they have and the bridge hand over, then stop everything.

        A request to stop ends the waiting. Call it in the event loop.
        """
        if self.draining or self._stop.is_set():
            return
        self.draining = True
        self._tasks.append(asyncio.create_task(self._drain()))

    async def _drain(self) -> None:
        # What has not begun to start yet no longer does.
        begun = [(n, s.spec.command) for n, s in self.states.items() if s.status != "waiting"]
        names = [name for name, command in begun if name == "bridge" or "worker" in command]
        self.log.write_own(f"draining: {', '.join(names) or 'no worker and no bridge'} may finish")
        await asyncio.gather(*(self._drain_one(name) for name in names))
        self._stop.set()

    async def _drain_one(self, name: str) -> None:
        began = time.monotonic()
        await self.retire(name)
        did = "has handed over" if name == "bridge" else "has finished what it had"
        self.log.write_own(f"{name} {did} after {time.monotonic() - began:.1f} s")

    def retire(self, name: str, timeout_s: float | None = None) -> asyncio.Task[None]:
        """End one process by SIGTERM and start it no more; the task ends with it.

        One that has not ended after `timeout_s` is killed.
        """
        self.states[name].retired = True
        task = asyncio.create_task(self._retire(name, timeout_s))
        self._tasks.append(task)
        return task

    async def _retire(self, name: str, timeout_s: float | None) -> None:
        state, process = self.states[name], self._processes.get(name)
        if process and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await self._wait_for_exit([process], timeout_s)
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
        while state.status not in ("stopped", "finished"):
            await asyncio.sleep(child_process.POLL_S)
        self.states.pop(name, None)
        self._processes.pop(name, None)

    async def _start_all(self) -> None:
        checked = False
        for order, group in itertools.groupby(self.specs, key=lambda s: s.start_order):
            if order > 0 and not checked:
                await self._run_preflight()
                checked = True
            if self.draining or self._stop.is_set():
                return
            states = [self.states[s.name] for s in group]
            for state in states:
                self._start(state)
            while not all(s.was_ready for s in states):
                if self.draining or self._stop.is_set():
                    return
                await asyncio.sleep(POLL_S)
        self.on_ready()

    async def _run_preflight(self) -> None:
        while not self._stop.is_set():
            began_t = time.monotonic()
            try:
                return await asyncio.to_thread(self.preflight)
            except (VtoxError, redis.RedisError) as error:
                if not await self._server_was_away(began_t):
                    if not isinstance(error, VtoxError):
                        raise
                    self.failure = str(error)
                    self._stop.set()
            await asyncio.sleep(POLL_S)

    async def _server_was_away(self, since_t: float) -> bool:
        """Whether the server does not respond, or has not all the time."""
        first = [s for s in self.states.values() if s.spec.start_order == 0]
        restarted = any(s.status != "ready" or s.ready_t > since_t for s in first)
        return restarted or not await asyncio.to_thread(self.server_responds)

    def _start(self, state: ProcessState) -> None:
        state.status = "starting"
        self._tasks.append(asyncio.create_task(self._keep_running(state)))

    async def _keep_running(self, state: ProcessState) -> None:
        await keep_running(
            lambda: self._run_once(state),
            self._stop,
            first_pause_s=FIRST_PAUSE_S,
            restart_after=lambda end, pause_s: self._restart_after(state, end, pause_s),
        )
        if state.status != "finished":
            state.status = "stopped"

    def _restart_after(self, state: ProcessState, end: RunEnd, pause_s: float) -> bool:
        name = state.spec.name
        if state.retired:
            return False
        if state.spec.one_shot and end.exit_status == 0:
            state.status, state.was_ready = "finished", True
            return False
        if not state.was_ready and not state.lacked_server:
            state.failed_starts += 1
            if end.exit_status == CANNOT_START or state.failed_starts >= STARTS_MAX:
                self.failure = f"{name} does not start: {state.last_line}"
                self._stop.set()
                return False
        state.status = "restarting"
        state.restarts += 1
        self.log.write_own(
            f"{name} {end.description}, starts again in {pause_s:g} s",
            level="warning",
            process=name,
        )
        return True

    async def _run_once(self, state: ProcessState) -> RunEnd:
        if state.retired:  # while it paused before its next start
            return RunEnd(0, "is not wanted any longer", was_ready=False)
        began_t, state.lacked_server = time.monotonic(), False
        try:
            status = await self._run_process(state)
        except OSError as error:  # the data folder is gone, or no memory for another process
            state.last_line = str(error)
            return RunEnd(1, f"cannot be started ({error})", was_ready=False)
        if not state.was_ready and state.spec.start_order > 0:
            state.lacked_server = await self._server_was_away(began_t)
        description = f"ended ({exit_description(status)})"
        return RunEnd(status, description, was_ready=state.status == "ready")

    async def _run_process(self, state: ProcessState) -> int:
        folder = self.settings.data_dir / "run"
        make_private(folder)
        process = await asyncio.create_subprocess_exec(
            *parent_watch.command_watching_parent(*state.spec.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=processes.environment(self.settings) | state.spec.variables,
            cwd=folder,
            limit=child_process.LINE_MAX_BYTES,
            # Ctrl-C is for the supervisor, which stops its children in order.
            start_new_session=True,
        )
        self._processes[state.spec.name] = process
        # Started too late for `_stop_all` or `_retire` to see it; it has no work yet.
        if self._stop.is_set() or state.retired:
            process.kill()
        state.pid, state.status = process.pid, "starting"
        reader = asyncio.create_task(
            child_process.read_lines(process.stdout, lambda line: self._take_line(state, line))
        )
        probe = asyncio.create_task(self._probe(state, process))
        status = await exit_status(process)
        probe.cancel()
        kill_process_group(process.pid)
        await asyncio.wait([reader], timeout=LAST_OUTPUT_S)
        reader.cancel()
        return status

    def _take_line(self, state: ProcessState, line: str) -> None:
        if line.strip():
            state.last_line = line.strip()
        self.log.write_line_of(state.spec.name, line)

    async def _probe(self, state: ProcessState, process: asyncio.subprocess.Process) -> None:
        """Note when the process is ready; kill it when it is no longer live."""
        await self._wait_until_ready(state, process.pid)
        failures = 0
        while not self._stop.is_set():
            await asyncio.sleep(LIVENESS_INTERVAL_S)
            live = await asyncio.to_thread(state.spec.is_live, process.pid)
            failures = 0 if live else failures + 1
            if failures == LIVENESS_FAILURES_MAX and not self._stop.is_set():
                self.log.write_own(
                    f"{state.spec.name} (pid {process.pid}) hangs or was stopped: "
                    f"{failures} liveness probes in a row failed; killing it",
                    level="error",
                )
                with suppress(ProcessLookupError):
                    process.kill()
                return

    async def _wait_until_ready(self, state: ProcessState, pid: int) -> None:
        name = state.spec.name
        deadline = time.monotonic() + READY_WARN_S
        warned = False
        while not self._stop.is_set():
            if await asyncio.to_thread(state.spec.is_ready, pid):
                if state.was_ready:
                    self.log.write_own(f"{name} is ready again")
                state.status, state.was_ready, state.ready_t = "ready", True, time.monotonic()
                return
            if time.monotonic() > deadline and not warned:
                warned = True
                self.log.write_own(
                    f"{name} is not ready after {READY_WARN_S:g} s: {state.last_line}",
                    level="warning",
                )
            await asyncio.sleep(POLL_S)

    async def _stop_all(self) -> None:
        for order, timeout_s in enumerate(STOP_TIMEOUTS_S):
            running = [
                p
                for name, p in self._processes.items()
                if self.states[name].spec.stop_order == order and p.returncode is None
            ]
            for p in running:
                with suppress(ProcessLookupError):
                    p.terminate()
            await self._wait_for_exit(running, timeout_s)
            for p in running:
                if p.returncode is None:
                    with suppress(ProcessLookupError):
                        p.kill()

    async def _wait_for_exit(
        self, running: Sequence[asyncio.subprocess.Process], timeout_s: float | None
    ) -> None:
        deadline = inf if timeout_s is None else time.monotonic() + timeout_s
        while any(p.returncode is None for p in running):
            if self._kill.is_set() or time.monotonic() > deadline:
                return
            await asyncio.sleep(child_process.POLL_S)
