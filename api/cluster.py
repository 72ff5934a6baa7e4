"""With `VTOX_CLUSTER_ENABLED=true` one API process of a host brings up the whole cluster.

Which one is decided by a file lock, which ends with its holder; the others look every second.
"""

import os
import subprocess
import threading
from typing import Self

import structlog

from vtox import roles
from vtox.locks import try_lock
from vtox.settings import Settings

log = structlog.get_logger()

LOOK_S = 1.0
# `vtox up` stops its processes within 9 s.
STOP_S = 12.0
BACKOFF_MAX_S = 30.0


class Cluster:
    """Elected or not, inside its `with`; does nothing unless it is enabled."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
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

    def _run(self) -> None:
        while not self._stop.is_set():
            held = try_lock(self.settings.data_dir / "api-cluster.lock")
            if held is not None:
                log.info("this process owns the cluster")
                try:
                    self._keep()
                finally:
                    os.close(held)
            self._stop.wait(LOOK_S)

    def _keep(self) -> None:
        pause_s = LOOK_S
        while not self._stop.is_set():
            code = self._run_once()
            if self._stop.is_set():
                return
            log.warning("the cluster ended, starting it again", exit_status=code, in_s=pause_s)
            self._stop.wait(pause_s)
            pause_s = min(2 * pause_s, BACKOFF_MAX_S)

    def _run_once(self) -> int:
        child = subprocess.Popen(
            roles.cluster_command(self.settings),
            env=roles.environment(self.settings),
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches this process, which stops its child in order.
            start_new_session=True,
        )
        while child.poll() is None and not self._stop.wait(0.2):
            pass
        if child.poll() is None:
            child.terminate()
        try:
            return child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
