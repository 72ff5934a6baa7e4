"""Starts the processes of a cluster in order, keeps them running, and stops them in order.

It serves `vtox up`, `vtox demo` and the cluster that the API brings up.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from math import inf

import redis

from vtox.motor.errors import SystemStateError, VtoxError
from vtox.pipeline.cluster import child_process, parent_watch, processes
from vtox.pipeline.cluster.child_process import exit_description, exit_status, kill_process_group
from vtox.pipeline.cluster.cluster_log import ClusterLog
from vtox.pipeline.cluster.data_folder import make_private
from vtox.pipeline.cluster.probing import ProcessState, probe
from vtox.pipeline.cluster.processes import ProcessSpec
from vtox.pipeline.cluster.restart import CANNOT_START, RunEnd, keep_running, pause
from vtox.pipeline.cluster.signal_handlers import SignalHandlers
from vtox.pipeline.configuration.settings import Settings

FIRST_PAUSE_S = 0.5
# A process that has never been ready is given up after this many starts. An optional one is tried
# again after each pause, and the others go on without it.
STARTS_MAX = 5
ABSENT_PAUSE_S = 60.0
# A task that runs next to the processes and fails begins again after a pause. Its failure is shown
# for a while.
BACKGROUND_PAUSE_S, BACKGROUND_SHOWN_S = 5.0, 60.0
POLL_S = 0.1
# Time to stop for each stop order: bridge and API, workers, server. Idle ones end within a second;
# a worker finishes its batch, which may take 14 s on a slow host, and the server writes its log.
# They take less than 30 s in all, the limit of most who run a container or a service.
STOP_TIMEOUTS_S = (4.0, 18.0, 6.0)
LAST_OUTPUT_S = 1.0


class Supervisor:
    """Runs the processes of `specs` until SIGTERM, SIGINT or `request_stop`.

    `preflight` is called once the server responds and before the processes that need it start; a
    `VtoxError` from it ends the run. `on_ready` is called when every process is ready.
    `server_responds` says whether the server responds, which all processes but those of start
    order 0 need. Processes that do not start while it is away start again, as often as that takes.
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
        self._background_tasks: list[asyncio.Task[None]] = []
        # Name -> when it failed last, and why.
        self._failed: dict[str, tuple[float, str]] = {}

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
                for task in self._background_tasks:
                    task.cancel()
                await asyncio.gather(*self._background_tasks, return_exceptions=True)
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

    def run_background(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run something else until all stops; call it in the event loop."""
        self._background_tasks.append(asyncio.create_task(self._keep(name, work)))

    def problems(self) -> dict[str, str]:
        """Return name -> why, of optional processes that do not start and of other failures."""
        absent = {s.spec.name: s.problem for s in list(self.states.values()) if s.problem}
        since_t = time.monotonic() - BACKGROUND_SHOWN_S
        return absent | {name: why for name, (t, why) in self._failed.items() if t > since_t}

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` to its end; if it fails, say so and begin again."""
        while not self._stop.is_set():
            try:
                return await work()
            except Exception as error:
                self._failed[name] = time.monotonic(), repr(error)
                self.log.write_own(f"{name} failed, and begins again: {error!r}", level="error")
            await pause(self._stop, BACKGROUND_PAUSE_S)

    def add(self, spec: ProcessSpec) -> None:
        """Start another process, and keep it running."""
        state = self.states[spec.name] = ProcessState(spec)
        self._start(state)

    def drain(self) -> None:
        """Let workers finish their tasks and the bridge hand over, then stop everything.

        A request to stop ends the waiting. Call it in the event loop.
        """
        if self.draining or self._stop.is_set():
            return
        self.draining = True
        self._tasks.append(asyncio.create_task(self._drain()))

    async def _drain(self) -> None:
        # Processes that have not begun to start yet no longer do.
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
        by_order = itertools.groupby(self.specs, key=lambda s: s.start_order)
        groups: list[tuple[float, list[ProcessSpec]]] = [(n, list(g)) for n, g in by_order]
        for order, group in [*groups, (inf, [])]:
            if order > 0 and not checked:
                await self._await_ready(1)
                await self._run_preflight()
                checked = True
            await self._await_ready(order)
            if self.draining or self._stop.is_set():
                return
            for spec in group:
                self._start(self.states[spec.name])
        self.on_ready()

    async def _await_ready(self, order: float) -> None:
        """Wait for the processes that this order needs, or until all is to stop."""
        names = [s.name for s in self.specs if s.must_be_ready(order)]
        needed = [state for name in names if (state := self.states.get(name))]
        while not all(s.was_ready or s.problem for s in needed):
            if self.draining or self._stop.is_set():
                return
            await asyncio.sleep(POLL_S)

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
        first = [s for s in self.states.values() if s.spec.is_first]
        restarted = any(s.status != "ready" or s.ready_t > since_t for s in first)
        return restarted or not await asyncio.to_thread(self.server_responds)

    def _start(self, state: ProcessState) -> None:
        state.status = "starting"
        work = self._keep(f"supervision of {state.spec.name}", lambda: self._keep_running(state))
        self._tasks.append(asyncio.create_task(work))

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
        if self._must_start(state) and not (end.was_ready or state.lacked_server):
            state.failed_starts += 1
            if end.exit_status == CANNOT_START or state.failed_starts >= STARTS_MAX:
                return self._skip_optional(state)
        state.status = "restarting"
        state.restarts += 1
        self.log.write_own(
            f"{name} {end.description}, starts again in {pause_s:g} s",
            level="warning",
            process=name,
        )
        return True

    def _must_start(self, state: ProcessState) -> bool:
        """Whether starts in vain are counted: one that has run is otherwise tried for ever."""
        return state.spec.optional or not state.was_ready

    def _skip_optional(self, state: ProcessState) -> bool:
        """Return True if the process is optional; otherwise stop everything."""
        what = f"{state.spec.name} does not start: {state.last_line}"
        if not state.spec.optional:
            self.failure = what
            self._stop.set()
            return False
        if state.problem != state.last_line:
            self.log.write_own(f"{what}; the others go on without it", level="error")
        state.status, state.problem = "restarting", state.last_line or "it ends without a word"
        state.restarts += 1
        return True

    async def _run_once(self, state: ProcessState) -> RunEnd:
        if state.problem:
            await pause(self._stop, ABSENT_PAUSE_S)
        if state.retired:  # while it paused before its next start
            return RunEnd(0, "is not wanted any longer", was_ready=False)
        began_t, state.lacked_server = time.monotonic(), False
        try:
            status = await self._run_process(state)
        except OSError as error:  # the data folder is gone, or no memory for another process
            state.last_line = str(error)
            return RunEnd(1, f"cannot be started ({error})", was_ready=False)
        if self._must_start(state) and state.status != "ready" and not state.spec.is_first:
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
            env={**processes.environment(self.settings), **state.spec.variables},
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
        probing = asyncio.create_task(
            self._keep(
                f"the probe of {state.spec.name}",
                lambda: probe(state, process, self.log, self._stop),
            )
        )
        status = await exit_status(process)
        probing.cancel()
        kill_process_group(process.pid)
        await asyncio.wait([reader], timeout=LAST_OUTPUT_S)
        reader.cancel()
        return status

    def _take_line(self, state: ProcessState, line: str) -> None:
        if line.strip():
            state.last_line = line.strip()
        self.log.write_line_of(state.spec.name, line)

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
