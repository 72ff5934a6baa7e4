"""Lets the number of workers of this host follow the load, within `vtox up`."""

import asyncio
import os
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from statistics import fmean

import redis

from vtox.pipeline.cluster import processes
from vtox.pipeline.cluster.cluster_log import ClusterLog
from vtox.pipeline.cluster.scaling import Bounds, Decision, ScalingState, Workload, decide
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.cluster.worker_allocation import removable_worker
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.errors import ServerUnavailable
from vtox.pipeline.store.ledger import heartbeats
from vtox.pipeline.store.ledger.backlog import oldest_records_s
from vtox.pipeline.store.ledger.heartbeats import HostScaling, live_workers
from vtox.pipeline.store.server.client import Client, connect, server_time

EVERY_S = 5.0
# Workers are at work by fits and starts: a share of less time says little.
BUSY_AVERAGE_S = 30.0
# A worker finishes its batch within this time, as at a stop.
RETIRE_TIMEOUT_S = 60.0


class Scaler:
    """Adds and removes workers of one supervisor; `run` next to it."""

    def __init__(
        self, settings: Settings, queues: Sequence[str], supervisor: Supervisor, log: ClusterLog
    ) -> None:
        self.settings = settings
        self.queues = tuple(queues)
        self.supervisor = supervisor
        self.log = log
        self.bounds = Bounds(
            least=settings.cluster_workers.least, most=settings.cluster_workers.most
        )
        self.trend = ScalingState(changed_t=time.monotonic())
        self.changed: tuple[int, float] | None = None
        self._busy_s: deque[tuple[float, dict[int, float]]] = deque()
        self._said = ""

    async def run(self) -> None:
        """Look every `EVERY_S` until the supervisor stops, or it is cancelled."""
        try:
            while not (self.supervisor.stopping or self.supervisor.draining):
                await asyncio.sleep(EVERY_S)
                try:
                    await self._look()
                except (redis.RedisError, ServerUnavailable) as error:
                    # While the server is away the load is unknown.
                    self._say("server", f"the number of workers does not follow: {error}")
        finally:
            # The report runs out by itself.
            with suppress(redis.RedisError, ServerUnavailable), self._connect() as client:
                heartbeats.remove_host(client, socket.gethostname())

    async def _look(self) -> None:
        with self._connect() as client:
            load = await asyncio.to_thread(self._observe, client)
            count = len(self.allocated())
            decision, self.trend = decide(load, count, self.trend, self.bounds)
            self._act(decision)
            await asyncio.to_thread(self._report, client, decision)

    def _connect(self) -> Client:
        """Return a client of the server as it is now: an embedded one starts after this."""
        return connect(self.settings.working_url(), "scaler")

    def allocated(self) -> dict[str, tuple[str, ...]]:
        """Return worker -> its queues, for each that is to run."""
        return {
            name: tuple(state.spec.command[-1].split(","))
            for name, state in list(self.supervisor.states.items())
            if "worker" in state.spec.command and not state.retired
        }

    def _observe(self, client: Client) -> Workload:
        now = time.monotonic()
        pids = {s.pid for s in list(self.supervisor.states.values())}
        host = socket.gethostname()
        busy_s = {w.pid: w.busy_s for w in live_workers(client) if w.host == host}
        age_s = {f: age for f, age in oldest_records_s(client).items() if f in self.queues}
        self._busy_s.append((now, busy_s))
        while now - self._busy_s[0][0] > BUSY_AVERAGE_S:
            self._busy_s.popleft()
        since, before = self._busy_s[0]
        shares = [
            max(at_work_s - before[pid], 0.0) / (now - since)
            for pid, at_work_s in busy_s.items()
            if pid in pids and pid in before and now > since
        ]
        return Workload(t=now, age_s=age_s, busy=min(fmean(shares), 1.0) if shares else None)

    def _act(self, decision: Decision) -> None:
        allocated = self.allocated()
        if decision.change > 0:
            name = next(n for i in range(1, 999) if (n := _name(i)) not in self.supervisor.states)
            states = self.supervisor.states.values()
            taken = {s.spec.listener.port for s in states if s.spec.listener}
            spec = processes.worker(self.settings, name, self.queues, taken)
            self.supervisor.add(replace(spec, optional=True))
        elif decision.change < 0:
            place = removable_worker(list(allocated.values()))
            if place is None:
                return
            name = list(allocated)[place]
            self.supervisor.retire(name, RETIRE_TIMEOUT_S)
        else:
            if decision.why.code == "workers_at_most":
                self._say(decision.why.code, f"no worker is added: {decision.why.sentence}")
            else:
                self._said = ""
            return
        self._said = ""
        self.changed = (decision.change, time.monotonic())
        self._busy_s.clear()
        what = "one worker more" if decision.change > 0 else "one worker fewer"
        count = len(self.allocated())
        self.log.write_own(f"{what}: {decision.why.sentence}", workers=count, worker=name)

    def _say(self, what: str, text: str) -> None:
        """Log a condition once while it lasts."""
        if what != self._said:
            self.log.write_own(text, level="warning")
        self._said = what

    def _report(self, client: Client, decision: Decision) -> None:
        t = server_time(client)
        change, changed_at = self.changed or (0, None)
        heartbeats.send(
            client,
            HostScaling(
                host=socket.gethostname(),
                pid=os.getpid(),
                last_seen_t=t,
                workers=len(self.allocated()),
                least=self.bounds.least,
                most=self.bounds.most,
                code=decision.why.code,
                values=dict(decision.why.values),
                change=change,
                changed_t=None if changed_at is None else t - (time.monotonic() - changed_at),
            ),
        )


def _name(i: int) -> str:
    return "shared" if i == 1 else f"shared-{i}"
