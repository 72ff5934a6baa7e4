"""Carries out a schedule on a running system, and notes each disturbance in the history."""

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import redis

from faults.history import History
from faults.proxy import Link
from faults.schedule import Disturbance
from faults.system import System
from vtox.pipeline.store.server.partition_table import served

# A target that does not run just now is waited for.
PATIENCE_S = 10.0
DELAY_S = 0.1
CUT_AFTER_BYTES = 3000
FLAP_EVERY_S = 0.4


class Disturber:
    """Threads, one for each disturbance that is on."""

    def __init__(self, system: System, history: History) -> None:
        self.system = system
        self.history = history
        self._threads: list[threading.Thread] = []
        self._over = threading.Event()
        self._errors: list[Exception] = []

    def run(self, schedule: Sequence[Disturbance], began: float) -> None:
        """Begin each disturbance when it is due; return when all have ended."""
        for d in schedule:
            self._over.wait(max(0.0, began + d.at_s - time.monotonic()))
            if self._over.is_set():
                break
            thread = threading.Thread(target=self._one, args=(d,), name=str(d), daemon=True)
            thread.start()
            self._threads.append(thread)
        for thread in self._threads:
            thread.join()
        if self._errors:  # a schedule that was not carried out proves nothing
            raise self._errors[0]

    def cancel(self) -> None:
        """End every disturbance now."""
        self._over.set()

    def _one(self, d: Disturbance) -> None:
        try:
            self._carry_out(d)
        except Exception as error:  # `run` raises it
            self._errors.append(error)

    def _carry_out(self, d: Disturbance) -> None:
        if d.kind in ("kill", "term", "stop"):
            self._process(d)
        elif d.kind == "lapse":
            self._lapse(d)
        else:
            self._link(d, self._link_of(d.target))

    def _link_of(self, target: str) -> Link:
        """Return a target's link; under `vtox up` only the sender has one."""
        links = self.system.links.by_name
        return links.get(self.system.link_of(target)) or links["sender"]

    def _lapse(self, d: Disturbance) -> None:
        """End the leases of the owners, as a clock that steps does."""
        self.history.add("disturb", n=d.n, kind=d.kind, target=d.target)
        with suppress(redis.RedisError), self.system.client() as client:
            client.delete(*(p.lease for p in served(client)))
        self.history.add("calm", n=d.n)

    def _process(self, d: Disturbance) -> None:
        end = time.monotonic() + PATIENCE_S * self.system.slowness
        while (pid := self.system.pid_of(d.target)) is None and time.monotonic() < end:
            time.sleep(0.1)
        if pid is None:
            self.history.add("missed", n=d.n, kind=d.kind, target=d.target)
            return
        part = self.system.part_of(d.target)
        sent = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}[d.kind]
        if part and d.kind != "stop":
            part.start_at = time.monotonic() + d.lasts_s
        self.history.add("disturb", n=d.n, kind=d.kind, target=d.target, pid=pid)
        with suppress(ProcessLookupError):
            os.kill(pid, sent)
        self._over.wait(d.lasts_s)
        if d.kind == "stop":
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.history.add("calm", n=d.n)

    def _link(self, d: Disturbance, link: Link) -> None:
        self.history.add("disturb", n=d.n, kind=d.kind, target=d.target)
        match d.kind:
            case "cut":
                link.cut()
            case "cut_message":
                link.cut_after(CUT_AFTER_BYTES)
            case "freeze" | "half_open":
                (link.freeze if d.kind == "freeze" else link.half_open)()
                self._over.wait(d.lasts_s)
                link.thaw()
            case "delay":
                link.delay_s = DELAY_S
                self._over.wait(d.lasts_s)
                link.delay_s = 0.0
            case "down":
                link.refusing = True
                link.cut()
                self._over.wait(d.lasts_s)
                link.refusing = False
            case "flap":
                self._flap(link, d.lasts_s)
        self.history.add("calm", n=d.n)

    def _flap(self, link: Link, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            link.refusing = not link.refusing
            link.cut()
            self._over.wait(FLAP_EVERY_S)
        link.refusing = False
