"""One API process of a host runs the whole cluster, unless a server is set or a cluster runs.

A file lock decides which one; it ends with its holder, and the others try it every second.
`VTOX_CLUSTER_ENABLED` forces or forbids it.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import structlog

from vtox.pipeline.cluster import child_process, processes, restart
from vtox.pipeline.cluster.child_process import exit_description, exit_status
from vtox.pipeline.cluster.file_lock import try_lock
from vtox.pipeline.cluster.restart import CANNOT_START, RunEnd, keep_running, pause
from vtox.pipeline.configuration.settings import Settings

log = structlog.get_logger()

POLL_S = 1.0
# `vtox up` stops its processes within 28 s.
STOP_TIMEOUT_S = 30.0
# A killed owner's cluster has ended by then; one that still runs has another owner.
TAKE_OVER_S = STOP_TIMEOUT_S
# A cluster that has run this long counts as ready: by then it has refused anything it cannot run
# with.
READY_AFTER_S = 30.0
# A restarted server needs a second; one that loads a long log needs this long.
SERVER_START_S = 30.0
SERVER_POLL_S = 0.1


class ApiOwnedCluster:
    """Inside its `async with`: runs the cluster if enabled and if this process holds the lock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.enabled = settings.cluster_enabled
        if self.enabled is None:
            self.enabled = settings.redis_url is None
        # The last line of a cluster that cannot start as it is configured.
        self.start_error = ""
        self._last_line = ""
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self.enabled:
            self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._task:
            await self._task

    async def wait_for_server(self, responds: Callable[[], bool]) -> bool:
        """Return whether the server responds, giving the cluster time to start it."""
        deadline = time.monotonic() + (SERVER_START_S if self.enabled else 0.0)
        while not await asyncio.to_thread(responds):
            if self.start_error or time.monotonic() > deadline:
                return False
            await asyncio.sleep(SERVER_POLL_S)
        return True

    def server_problem(self) -> str:
        """Return this API's part in a server that does not answer, empty if it has none."""
        if self.start_error:
            return f"the cluster of this API cannot start: {self.start_error}"
        if self.enabled:
            return "this API is starting it"
        if self.settings.cluster_enabled is False and not self.settings.redis_url:
            return "this API starts none: VTOX_CLUSTER_ENABLED is false"
        return ""

    async def _run(self) -> None:
        while self.enabled and not self._stop.is_set():
            try:
                await self._run_if_owner()
            # The data folder is gone, memory for another process is missing, or another fault: no
            # other process would start the cluster again.
            except Exception as error:
                self._report_start_error(str(error), restart.PAUSE_MAX_S)
                await pause(self._stop, restart.PAUSE_MAX_S)
            await pause(self._stop, POLL_S)

    async def _run_if_owner(self) -> None:
        """Keep the cluster running, unless another process of this host does."""
        lock = try_lock(self.settings.data_dir / "api-cluster.lock")
        if lock is None:
            return
        try:
            if not await self._is_free() and self.settings.cluster_enabled is None:
                log.info("a cluster runs on this data folder already: this process reports only")
                self.enabled = False
                return
            await keep_running(
                self._run_once,
                self._stop,
                first_pause_s=POLL_S,
                restart_after=self._report_end,
            )
        finally:
            os.close(lock)

    async def _is_free(self) -> bool:
        """Return whether no other process uses the data folder.

        The cluster of a killed owner gets the time it takes to end.
        """
        deadline = time.monotonic() + TAKE_OVER_S
        reported = False
        while in_use := self._is_in_use():
            if self._stop.is_set() or time.monotonic() > deadline:
                break
            if not reported:
                reported = True
                log.info("another cluster runs on this data folder, waiting for its end")
            await pause(self._stop, SERVER_POLL_S)
        return not in_use

    def _is_in_use(self) -> bool:
        for name in ("cluster.lock", "server.lock"):
            lock = try_lock(self.settings.data_dir / name)
            if lock is None:
                return True
            os.close(lock)
        return False

    def _report_end(self, end: RunEnd, pause_s: float) -> bool:
        if end.exit_status == CANNOT_START:
            self._report_start_error(self._last_line, pause_s)
        else:
            log.warning(
                "the cluster ended, starting it again", exit_status=end.exit_status, in_s=pause_s
            )
        return True

    def _report_start_error(self, reason: str, pause_s: float) -> None:
        self.start_error = reason
        log.error("the cluster cannot start", reason=reason, again_in_s=pause_s)

    async def _run_once(self) -> RunEnd:
        log.info("this process starts the cluster")
        self.start_error = ""
        began = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            *processes.cluster_command(self.settings),
            env=processes.environment(self.settings),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=child_process.LINE_MAX_BYTES,
            # Ctrl-C reaches this process, which stops its child in order.
            start_new_session=True,
        )
        reader = asyncio.create_task(child_process.read_lines(child.stderr, self._take_line))
        stop = asyncio.create_task(self._stop.wait())
        end = asyncio.create_task(exit_status(child))
        await asyncio.wait([stop, end], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not end.done():
            with suppress(ProcessLookupError):
                child.terminate()
            await asyncio.wait([end], timeout=STOP_TIMEOUT_S)
        if not end.done():
            with suppress(ProcessLookupError):
                child.kill()
        status = await end
        # A grandchild may hold the pipe open: its end is not waited for.
        await asyncio.wait([reader], timeout=POLL_S)
        reader.cancel()
        was_ready = time.monotonic() - began > READY_AFTER_S
        return RunEnd(status, exit_description(status), was_ready)

    def _take_line(self, line: str) -> None:
        """Pass the child's messages on, and keep the last one."""
        if line.strip():
            self._last_line = line.strip().removeprefix("vtox: ")
        sys.stderr.write(line)
        sys.stderr.flush()
