"""One run: a system, its senders, their disturbances, and the resulting history."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from faults.disturber import Disturber
from faults.history import History, read
from faults.observer import Observer
from faults.reference import IDLE, Reference
from faults.schedule import Disturbance
from faults.sender import SMALL_WINDOW_S
from faults.system import Options, System
from vtox.motor.faults import FAMILIES
from vtox.motor.simulator.signals import WINDOW_S
from vtox.pipeline.configuration.groups.windows import WindowSettings

# Longer than any limit of a test, times the slowness of the box; work unfinished then is lost.
DRAIN_S = 120.0
# Beyond the time that an undisturbed sender takes.
SEND_S = 240.0
# A queue cannot have more tasks than windows may be in flight.
LIMITS = {"queue": float(WindowSettings().in_flight_windows), "drained_s": 60.0, "dead": 0.0}
# Limits of every test with disturbances. A record whose worker is gone is dispatched again after
# 15 s, and a worker that lost the server or its broker is back within the same time.
DISTURBED = LIMITS | {"recovery_s": 45.0, "progress": 0.2}
# For tests that kill the server. It loses writes that it confirms while its log is being synced,
# unless every write is synced. docs/explanation/persistence.md says how often.
ON_DISK = {"VTOX_REDIS_FSYNC": "always"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load: `windows` in all, sent in real time by as many machines as make the rate.

    A fifth of the machines sends by HTTP. With `daily` the windows are of many days of the past.
    """

    windows: int
    rate: float
    simulated: bool = False
    ballast: int = 0
    daily: bool = False

    @property
    def machines(self) -> int:
        """Number of machines."""
        return max(2, round(self.rate * (WINDOW_S if self.simulated else SMALL_WINDOW_S)))

    @property
    def http_from(self) -> int:
        """The first machine that sends by HTTP."""
        return self.machines - max(1, self.machines // 5)

    @property
    def span_s(self) -> float:
        """How long an undisturbed sender takes."""
        return self.windows / self.rate

    def stretched(self, times: float) -> "Load":
        """Return the same windows over a multiple of the time, of fewer machines."""
        return replace(self, rate=self.rate / times)

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
        flags = [f"--{name}" for name in ("simulated", "daily") if getattr(self, name)]
        line = [word for pair in values.items() for word in pair]
        return ["--machines", str(first), str(last), *line, *flags]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test: its load and schedule, the limits that the checker applies, and further steps."""

    __test__ = False

    name: str
    seed: int
    load: Load
    schedule: Sequence[Disturbance] = ()
    options: Options = field(default_factory=Options)
    limits: dict[str, float] = field(default_factory=dict)
    system: Callable[[Path, History, Options], System] = System
    # The missing requirement of the test, in words; empty: none.
    needs: str = ""
    # Before the start; after the schedule, while windows are sent; after the drain; at the end.
    prepare: Callable[[System], None] = lambda _: None
    during: Callable[[System, History], None] = lambda *_: None
    after: Callable[[System, History], None] = lambda *_: None
    finish: Callable[[System], None] = lambda _: None

    def stretched(self, times: float) -> "Test":
        """Return the same disturbances and windows over a multiple of the time."""
        schedule = [replace(d, at_s=d.at_s * times) for d in self.schedule]
        return replace(self, load=self.load.stretched(times), schedule=schedule)


def run(test: Test, folder: Path, reference: Reference = IDLE) -> Path:
    """Run a test in a folder, which is emptied before; return its history.

    `reference` has the figures of the box without faults.

    Raises
    ------
    TimeoutError
        The system did not start, or a sender did not end.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "history.jsonl"
    history = History(path)
    history.add(
        "run",
        test=test.name,
        seed=test.seed,
        families={name: list(f.faults) for name, f in FAMILIES.items()},
        limits=test.limits,
        reference=asdict(reference),
    )
    system = test.system(folder, history, test.options)
    system.slowness = reference.slowness
    test.prepare(system)
    try:
        observer = Observer(system.client, history, fails_over=lambda: system.group is not None)
        began = time.monotonic()
        with system.running(), observer.observing():
            seconds = time.monotonic() - began
            slowness = max(1.0, round(seconds / system.idle_start_s, 2))
            history.add("started", seconds=round(seconds, 2), slowness=slowness)
            _send(test, system, history)
            last_ack = time.monotonic()
            if _drained(observer, DRAIN_S * reference.slowness):
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
    by_redis = load.arguments(0, load.http_from, began, t0)
    by_http = load.arguments(load.http_from, load.machines, began, t0)
    senders = [system.add_sender(by_redis), system.add_sender(by_http, http=True)]
    disturber = Disturber(system, history)
    patience_s = load.span_s + SEND_S
    try:
        # On a busy box a sender may take longer to start than half the schedule.
        system.wait(lambda: _acknowledged(history.path), "acknowledged window")
        disturber.run(test.schedule, time.monotonic())
        test.during(system, history)
        system.wait(lambda: not any(s.wanted for s in senders), "end of the senders", patience_s)
    finally:
        disturber.cancel()


def _acknowledged(history: Path) -> bool:
    return any(e["event"] == "ack" for e in read(history))


def _drained(observer: Observer, patience_s: float) -> bool:
    end = time.monotonic() + patience_s
    while observer.unfinished() != 0:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
