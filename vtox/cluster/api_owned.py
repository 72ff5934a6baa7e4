"""With `VTOX_CLUSTER_ENABLED=true` one API process of a host brings up the whole cluster.

Which one is decided by a file lock, which ends with its holder; the others look every second.
"""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Self

import structlog

from vtox.cluster import processes
from vtox.cluster.file_lock import try_lock
from vtox.cluster.supervisor import GAVE_UP, STEADY_S
from vtox.errors import SettingsError
from vtox.settings import Settings

log = structlog.get_logger()

LOOK_S = 1.0
# `vtox up` stops its processes within 9 s.
STOP_S = 12.0
# The cluster of an owner that was killed is gone by then; one that stays is somebody else's.
TAKE_OVER_S = STOP_S
BACKOFF_MAX_S = 30.0
# A server that loads a long log needs this long, one that is started anew a second.
SERVER_S = 30.0
ASK_S = 0.1


class Cluster:
    """Elected or not, inside its `with`; does nothing unless it is enabled."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # What the cluster said when it ended because it cannot start as it is configured.
        self.refusal = ""
        self._last_words = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)

    def __enter__(self) -> Self:
        if self.settings.cluster_enabled:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    async def server_up(self, answers: Callable[[], bool]) -> bool:
        """Return whether the server answers, giving the cluster time to bring it up."""
        deadline = time.monotonic() + (SERVER_S if self.settings.cluster_enabled else 0.0)
        while not await asyncio.to_thread(answers):
            if self.refusal or time.monotonic() > deadline:
                return False
            await asyncio.sleep(ASK_S)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._own()
            # No data folder any more, no memory for another process.
            except (SettingsError, OSError) as error:
                self.refusal = str(error)
                log.error("the cluster cannot start", reason=self.refusal, again_in_s=BACKOFF_MAX_S)
                self._stop.wait(BACKOFF_MAX_S)
            self._stop.wait(LOOK_S)

    def _own(self) -> None:
        """Keep the cluster running, unless another process does."""
        held = try_lock(self.settings.data_dir / "api-cluster.lock")
        if held is None:
            return
        log.info("this process owns the cluster")
        try:
            self._await_predecessor()
            self._keep()
        finally:
            os.close(held)

    def _await_predecessor(self) -> None:
        """Give the cluster of an owner that died the time it takes to end."""
        deadline = time.monotonic() + TAKE_OVER_S
        waiting = False
        while not self._stop.is_set() and time.monotonic() < deadline:
            free = try_lock(self.settings.data_dir / "cluster.lock")
            if free is not None:
                os.close(free)
                return
            if not waiting:
                waiting = True
                log.info("another cluster runs on this data folder, waiting for its end")
            self._stop.wait(ASK_S)

    def _keep(self) -> None:
        pause_s = LOOK_S
        while not self._stop.is_set():
            began = time.monotonic()
            code = self._run_once()
            if self._stop.is_set():
                return
            if time.monotonic() - began > STEADY_S:
                pause_s = LOOK_S
            if code == GAVE_UP:
                self.refusal = self._last_words
                log.error("the cluster cannot start", reason=self.refusal, again_in_s=pause_s)
            else:
                log.warning("the cluster ended, starting it again", exit_status=code, in_s=pause_s)
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, BACKOFF_MAX_S)

    def _run_once(self) -> int:
        child = subprocess.Popen(
            processes.cluster_command(self.settings),
            env=processes.environment(self.settings),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # Ctrl-C reaches this process, which stops its child in order.
            start_new_session=True,
        )
        assert child.stderr
        reader = threading.Thread(target=self._pass_on, args=(child.stderr,), daemon=True)
        reader.start()
        while child.poll() is None and not self._stop.wait(0.2):
            pass
        if child.poll() is None:
            child.terminate()
        try:
            code = child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            code = child.wait()
        # A grandchild may hold the pipe open: then its end is not waited for.
        reader.join(LOOK_S)
        return code

    def _pass_on(self, lines: IO[str]) -> None:
        """Let the child's complaints through, and keep the last one."""
        with lines:
            for line in lines:
                if line.strip():
                    self._last_words = line.strip().removeprefix("vtox: ")
                sys.stderr.write(line)
                sys.stderr.flush()
