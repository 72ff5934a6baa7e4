"""One run: the processes that a seed chooses, disturbed for a while, then left alone to finish."""

import random
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import redis

from faults.interleavings import daily, processes, reached, recording
from faults.interleavings.aims import aim_of, aimed
from faults.interleavings.commands import Seam, hold_connection, load_scripts
from faults.interleavings.events import Event, Events, Place
from faults.interleavings.http_sender import http_sender
from faults.interleavings.mutants import REACHED
from faults.interleavings.processes import Parts
from faults.interleavings.scheduler import Process, Scheduler
from faults.interleavings.server import FrozenClock
from faults.interleavings.truth import Broken, Truth
from faults.interleavings.virtual import BEGIN_S
from faults.interleavings.watching import Watch
from faults.interleavings.workload import (
    DISTURBED_S,
    DRAINED_WITHIN_S,
    RETIRING,
    Workload,
    workload,
)
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.partition_table import set_number
from vtox.pipeline.windows.partitions import Partition

LOOKS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run: `broken` is the rule that does not hold, empty if all do."""

    seed: int
    broken: str
    what: str
    history: str
    commands: int
    virtual_s: float
    happened: Mapping[Place, tuple[str, Event]]
    reached: Mapping[tuple[str, str], int]
    # Numbers of guards that mattered, if there are probes of them.
    guards: Set[int] = frozenset()
    log: list[str] | None = None


class Run:
    """The processes of one seed over an empty server."""

    def __init__(
        self,
        url: str,
        clock: FrozenClock,
        folder: Path,
        seed: int,
        plan: Mapping[Place, Event] | None = None,
        *,
        keep_log: bool = False,
    ) -> None:
        self.clock = clock
        self.clock_off_s = 0.0
        clock.begin()
        self.work: Workload = aimed(seed, workload(seed))
        self.plain = redis.Redis.from_url(url)
        hold_connection(self.plain)
        if names := list(self.plain.scan_iter(count=1000)):
            self.plain.unlink(*names)
        if self.work.knows_scripts:
            load_scripts(self.plain)
        else:
            self.plain.script_flush()
        random.seed(seed)
        reached.guards.clear()
        aim = aim_of(seed)
        events = Events(seed, plan, aim.chances if aim else None)
        self.scheduler = Scheduler(events, self._show_time)
        if keep_log:
            self.scheduler.log = []
        settings = self.work.settings_for(url, folder)
        self.truth = Truth(self.plain, settings.duplicate_horizon, retires=self.work.keeps_s < 2)
        self._folder = str(folder)
        watch = Watch(self.plain, self.truth, self._server_s)
        seam = Seam(self.plain, watch.observe, self._set_clock, self._normal)
        self.parts = Parts(url, settings, seam, self.truth, self.work)
        self.told = recording.Told()
        recording.begin(folder, settings)
        self.processes: list[Process] = []
        self._show_time(0.0)

    def run(self) -> Outcome:
        """Run until all is finished, or something does not hold."""
        set_number(self.plain, self.work.partitions)
        self._start()
        self.scheduler.put(LOOKS_EVERY_S, self._look)
        self.scheduler.run()
        for p in self.processes:
            p.join()
        error = self.scheduler.failure
        if error is None:
            try:
                self._check()
            except Broken as broken:
                error = broken
        self._note_end()
        guards = reached.guards | {int(n) for n in self.plain.smembers(REACHED)}
        self.plain.close()
        rule = error.rule if isinstance(error, Broken) else type(error).__name__ if error else ""
        s = self.scheduler
        return Outcome(
            seed=s.events.seed,
            broken=rule,
            what=str(error) if error else "",
            history=s.history.hexdigest(),
            commands=sum(p.commands for p in self.processes),
            virtual_s=s.now_s,
            happened=s.events.happened,
            reached=s.reached,
            guards=guards,
            log=s.log,
        )

    def _start(self) -> None:
        w, parts = self.work, self.parts
        most = max([w.partitions, *(n for _, n in w.repartitions)])
        for name in "A" if w.lone else "AB":
            for p in map(Partition, range(most)):
                self._add(
                    f"bridge-{name}{p.number or ''}", partial(processes.bridge, parts, p, w.ends_s)
                )
        for i in range(w.workers):
            for family in FAMILIES:
                self._add(f"{family}-{i}", partial(processes.worker, parts, [family]))
        for i, steps in enumerate(w.senders):
            send = http_sender if w.by_http and i == 0 else processes.sender
            self._add(f"sender-{i}", partial(send, parts, steps))
        if w.records:
            for name in "AB":
                self._add(f"recorder-{name}", partial(recording.recorder, parts))
                self._add(f"notifier-{name}", partial(recording.notifier, parts, self.told))
            self._add("monitor", partial(recording.monitor, parts))
        if deeds := self._deeds():
            self._add("operator", partial(processes.operator, parts, deeds))

    def _deeds(self) -> list[tuple[float, Callable[[Client], None]]]:
        w = self.work
        deeds = [(t, partial(recording.retire, RETIRING, self.truth)) for t in w.retires]
        deeds += [(t, partial(recording.repartition, n)) for t, n in w.repartitions]
        deeds += [(t, recording.resend) for t in w.resends]
        deeds += [(t, partial(recording.delete_pending, self.truth)) for t in w.deletions]
        names = ("acknowledge", "comment", "close")
        deeds += [
            (t, partial(recording.acknowledge, n)) for t, n in zip(w.acts, names, strict=False)
        ]
        return sorted(deeds, key=lambda deed: deed[0])

    def _add(self, name: str, body: processes.Body) -> None:
        process = Process(self.scheduler, name, body)
        self.processes.append(process)
        process.start()

    def _look(self) -> None:
        """Check the rules now and then, and end once all is finished."""
        s = self.scheduler
        if s.disturbed and s.now_s >= DISTURBED_S:
            s.disturbed = False
            for p in self.processes:
                p.clock_off_s = 0.0
        waiting = {p.name for p in self.processes if p.name.startswith(("sender", "operator"))}
        waiting -= self.parts.finished_senders
        if not waiting or not s.disturbed:
            self.truth.read_results()
            what = f"{sorted(waiting)} wait" if waiting else self._unfinished()
            if not what:
                return s.end()
            if s.now_s > DISTURBED_S + DRAINED_WITHIN_S:
                raise Broken("finishes", what)
        s.put(LOOKS_EVERY_S, self._look)

    def _unfinished(self) -> str:
        what = self.truth.unfinished()
        if not what and self.work.records:
            return recording.unrecorded(self.plain, self.parts.settings)
        return what

    def _check(self) -> None:
        self.truth.check(self.scheduler.events.happened)
        recording.check_alerts(self.plain)
        daily.check_days(self.plain)
        if self.work.records:
            recording.check_history(self.plain, self.parts.settings)
            recording.check_told(self.plain, self.told)

    def _show_time(self, now_s: float) -> None:
        self.clock.set(BEGIN_S + now_s + self.clock_off_s, now_s)

    def _server_s(self) -> float:
        return BEGIN_S + self.scheduler.now_s + self.clock_off_s

    def _set_clock(self, off_s: float) -> None:
        self.clock_off_s = off_s
        self._show_time(self.scheduler.now_s)

    def _note_end(self) -> None:
        """Add the content of the server to the history."""
        for key in sorted(self.plain.scan_iter(count=1000)):
            kind = self.plain.type(key)
            measured = key == keys.METRICS.encode()
            content = "" if measured or kind != b"stream" else self.plain.xrange(key)
            self.scheduler.note(self._normal(f"{key!r} {kind!r} {content}"))

    def _normal(self, text: str) -> str:
        """Return a text without the name of the folder, which is new for each command."""
        return text.replace(self._folder, "FOLDER")
