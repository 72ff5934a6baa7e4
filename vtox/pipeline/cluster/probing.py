"""Probes one process of a supervisor: notes when it is ready, and kills one that hangs."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Literal

from vtox.pipeline.cluster.cluster_log import ClusterLog
from vtox.pipeline.cluster.processes import ProcessSpec

Status = Literal["waiting", "starting", "ready", "restarting", "finished", "stopped"]

# Celery and scipy load within this time even on a small busy machine.
READY_WARN_S = 60.0
POLL_S = 0.1
# A process that is ready is probed this often; one that fails so often in a row (each probe
# takes up to 5 s: 30 s in all) hangs or was stopped, and is killed and started again.
LIVENESS_INTERVAL_S = 5.0
LIVENESS_FAILURES_MAX = 3


@dataclass(slots=True)
class ProcessState:
    """The state of one process."""

    spec: ProcessSpec
    status: Status = "waiting"
    pid: int = 0
    restarts: int = 0
    was_ready: bool = False
    ready_t: float = -inf
    # Starts in a row after which it was never ready, without the ones that lacked the server.
    failed_starts: int = 0
    lacked_server: bool = False
    last_line: str = ""
    # Why it does not start, while the others go on without it.
    problem: str = ""
    # It was taken out on purpose: once it has ended it is not started again.
    retired: bool = False


async def probe(
    state: ProcessState, process: asyncio.subprocess.Process, log: ClusterLog, stop: asyncio.Event
) -> None:
    """Note when the process is ready; kill it when it is no longer live."""
    await _wait_until_ready(state, process.pid, log, stop)
    failures = 0
    while not stop.is_set():
        await asyncio.sleep(LIVENESS_INTERVAL_S)
        live = await asyncio.to_thread(state.spec.is_live, process.pid)
        failures = 0 if live else failures + 1
        if failures == LIVENESS_FAILURES_MAX and not stop.is_set():
            log.write_own(
                f"{state.spec.name} (pid {process.pid}) hangs or was stopped: "
                f"{failures} liveness probes in a row failed; killing it",
                level="error",
            )
            with suppress(ProcessLookupError):
                process.kill()
            return


async def _wait_until_ready(
    state: ProcessState, pid: int, log: ClusterLog, stop: asyncio.Event
) -> None:
    name = state.spec.name
    deadline = time.monotonic() + READY_WARN_S
    warned = False
    while not stop.is_set():
        if await asyncio.to_thread(state.spec.is_ready, pid):
            if state.was_ready or state.problem:
                log.write_own(f"{name} is ready again")
            state.status, state.was_ready, state.ready_t = "ready", True, time.monotonic()
            state.failed_starts, state.problem = 0, ""
            return
        if time.monotonic() > deadline and not warned:
            warned = True
            log.write_own(
                f"{name} is not ready after {READY_WARN_S:g} s: {state.last_line}",
                level="warning",
            )
        await asyncio.sleep(POLL_S)
