"""One run: a system, its senders, what disturbs them, and the history that comes of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.disturber import Disturber
from faults.history import History
from faults.observer import Observer
from faults.schedule import Disturbance
from faults.system import Options, System
from vtox.faults import FAMILIES

# Longer than any limit of a test: what is not finished then is lost.
DRAIN_S = 120.0
SEND_S = 300.0
# More tasks than windows may be in flight, a queue cannot hold.
LIMITS = {"queue": 1024.0, "drained_s": 60.0, "dead": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: `windows` in all, of which machines from `http_from` on go by HTTP."""

    windows: int
    rate: float
    machines: int = 20
    http_from: int | None = 16
    simulated: bool = False
    ballast: int = 0

    @property
    def span_s(self) -> float:
        """How long an undisturbed sender takes."""
        return self.windows / self.rate

    def arguments(self, first: int, last: int, began: float, t0: float) -> list[str]:
        """Return the command line of the sender of some machines."""
        share = (last - first) / self.machines
        values = {
            "--windows": str(round(self.windows * share)),
            "--rate": str(self.rate * share),
            "--began": str(began),
            "--t0": str(t0),
            "--ballast": str(self.ballast),
        }
        flags = ["--simulated"] if self.simulated else []
        line = [word for pair in values.items() for word in pair]
        return ["--machines", str(first), str(last), *line, *flags]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test: its load and schedule, the limits that the checker holds it to, and more to do."""

    __test__ = False

    name: str
    seed: int
    load: Load
    schedule: Sequence[Disturbance] = ()
    options: Options = field(default_factory=Options)
    limits: dict[str, float] = field(default_factory=dict)
    # What the place lacks for it, in words; empty: nothing.
    needs: str = ""
    # Before the start; after the schedule, while windows are sent; after the drain; at the end.
    prepare: Callable[[System], None] = lambda _: None
    during: Callable[[System, History], None] = lambda *_: None
    after: Callable[[System, History], None] = lambda *_: None
    finish: Callable[[System], None] = lambda _: None


def run(test: Test, folder: Path) -> Path:
    """Run a test in a folder; return its history.

    Raises
    ------
    TimeoutError
        The system did not start, or a sender did not end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "history.jsonl"
    path.unlink(missing_ok=True)
    history = History(path)
    history.add(
        "run",
        test=test.name,
        seed=test.seed,
        families={name: list(f.faults) for name, f in FAMILIES.items()},
        limits=test.limits,
    )
    system = System(folder, history, test.options)
    test.prepare(system)
    try:
        with system.running(), Observer(system.client, history).observing() as observer:
            _send(test, system, history)
            last_ack = time.monotonic()
            if _drained(observer):
                history.add("drained", seconds=round(time.monotonic() - last_ack, 2))
            test.after(system, history)
            observer.finish(system.executions)
    finally:
        test.finish(system)
        history.close()
    return path


def _send(test: Test, system: System, history: History) -> None:
    load = test.load
    began, t0 = time.monotonic() + 1.0, time.time()
    redis_machines = load.machines if load.http_from is None else load.http_from
    senders = []
    if redis_machines:
        senders.append(system.add_sender(load.arguments(0, redis_machines, began, t0)))
    if redis_machines < load.machines:
        arguments = load.arguments(redis_machines, load.machines, began, t0)
        senders.append(system.add_sender(arguments, http=True))
    disturber = Disturber(system, history)
    try:
        disturber.run(test.schedule, began)
        test.during(system, history)
        system.wait(lambda: not any(s.wanted for s in senders), "end of the senders", SEND_S)
    finally:
        disturber.cancel()


def _drained(observer: Observer) -> bool:
    end = time.monotonic() + DRAIN_S
    while observer.unfinished() != 0:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
