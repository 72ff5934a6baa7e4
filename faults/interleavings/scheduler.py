"""One process at a time runs, until it waits or the seed puts others first; time is virtual.

Each simulated process has its own thread, which waits unless the scheduler releases it. Threads
keep objects that belong to one (connections to SQLite), and need no change of the product.
"""

import hashlib
import heapq
import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from faults.interleavings import virtual
from faults.interleavings.events import Event, Events
from faults.interleavings.virtual import BEGIN_S

# Time of a command, s.
COMMAND_S = 1e-4
RESTART_S = 1.0


class Killed(BaseException):
    """Ends a simulated process at once; no handler of the product may see it."""


class Process:
    """One simulated process, which `body` runs; it begins again after each of its deaths."""

    def __init__(
        self, scheduler: "Scheduler", name: str, body: Callable[["Process"], None]
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self.body = body
        self.commands = 0
        self.lives = 0
        self.dying = False
        self.clock_off_s = 0.0
        self.to_close: list[Callable[[], None]] = []
        # Work that its body has done in all its lives, and an object of this life.
        self.done = 0
        self.here: Any = None
        self.diagnosis_s = 0.0
        # Number of the turn that it waits for: earlier turns are void.
        self.turn = 0
        self.parked = False
        self._go = threading.Lock()
        self._go.acquire()
        self.chance = Random(f"{scheduler.events.seed} {name}")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the process; it begins when its turn comes."""
        self._thread.start()
        self.scheduler.put(0.0, self)

    def wall_s(self) -> float:
        """As `virtual.Asked`."""
        return BEGIN_S + self.scheduler.now_s + self.clock_off_s

    def monotonic_s(self) -> float:
        """As `virtual.Asked`; a process does not begin at 0."""
        return 1000.0 + self.scheduler.now_s

    def urandom(self, n: int) -> bytes:
        """As `virtual.Asked`."""
        return self.chance.randbytes(n)

    def sleep(self, seconds: float) -> None:
        """As `virtual.Asked`."""
        self._check_alive()
        self.scheduler.put(max(seconds, 0.0), self)
        self.scheduler.switch(self)
        self._check_alive()

    def park(self, most_s: float) -> None:
        """Wait until woken, at most `most_s`."""
        self.parked = True
        try:
            self.sleep(most_s)
        finally:
            self.parked = False

    def wake(self) -> None:
        """Continue the process if it is parked."""
        if self.parked:
            self.scheduler.put(0.0, self)

    def happens(self, command: str, possible: tuple[str, ...]) -> Event | None:
        """Count a command, and return its event."""
        self._check_alive()
        place = self.name, self.commands
        self.commands += 1
        return self.scheduler.happens(place, command, possible)

    def die(self) -> None:
        """End this life."""
        self.dying = True
        raise Killed

    def _check_alive(self) -> None:
        if self.dying or self.scheduler.ended:
            self.dying = True
            raise Killed

    def go(self) -> None:
        """Release the thread of the process; the caller waits next."""
        self._go.release()

    def stand(self) -> None:
        """Wait until `go`."""
        self._go.acquire()

    def join(self) -> None:
        """Wait for the end of its thread."""
        self._thread.join()

    def _run(self) -> None:
        self.stand()
        virtual.local.asked = self
        while not self.scheduler.ended:
            self.dying = False
            self.lives += 1
            try:
                self.body(self)
                break
            except Killed:
                pass
            except BaseException as error:  # of the product, or of a check
                self.scheduler.fail(error)
            finally:
                self.dying = True
                self._close()
            self.dying = self.scheduler.ended
            if not self.scheduler.ended:
                self.scheduler.put(RESTART_S, self)
                self.scheduler.switch(self)
        self.scheduler.leave()

    def _close(self) -> None:
        """Close everything that the kernel closes when a process ends."""
        for close in reversed(self.to_close):
            close()
        self.to_close.clear()


class Scheduler:
    """The order of the processes. `on_time` is called with each new time, s since the run began."""

    def __init__(self, events: Events, on_time: Callable[[float], None]) -> None:
        self.events = events
        self.now_s = 0.0
        self.ended = False
        self.disturbed = True
        self.failure: BaseException | None = None
        self.history = hashlib.blake2b(digest_size=16)
        self.log: list[str] | None = None
        # Command and event, `-` for none -> how often.
        self.reached: Counter[tuple[str, str]] = Counter()
        self._on_time = on_time
        self._order = count()
        self._heap: list[tuple[float, int, Process | Callable[[], None], int]] = []
        self._main = threading.Lock()
        self._main.acquire()

    def put(self, after_s: float, what: Process | Callable[[], None]) -> None:
        """Continue a process, or run a function, after a delay in s."""
        turn = 0
        if isinstance(what, Process):
            turn = what.turn = what.turn + 1
        heapq.heappush(self._heap, (self.now_s + after_s, next(self._order), what, turn))

    def tick(self) -> None:
        """Let the time of a command pass."""
        self.now_s += COMMAND_S
        self._on_time(self.now_s)

    def note(self, text: str) -> None:
        """Add to the history of the run."""
        self.history.update(text.encode())
        if self.log is not None:
            self.log.append(f"{self.now_s:10.4f} {text}")

    def happens(
        self, place: tuple[str, int], command: str, possible: tuple[str, ...]
    ) -> Event | None:
        """Return the event at a command."""
        event = self.events.at(place, command, possible) if self.disturbed else None
        self.reached[command, event.kind if event else "-"] += 1
        if event:
            self.note(f"{place} {command} {event}")
        return event

    def switch(self, process: Process) -> None:
        """Release the next process, and wait until it is the turn of `process` again."""
        following = self._next()
        if following is not process:
            following.go() if following else self._main.release()
            process.stand()

    def leave(self) -> None:
        """Let the next one run; the caller's thread ends."""
        following = self._next()
        following.go() if following else self._main.release()

    def run(self) -> None:
        """Run until the end, in the main thread."""
        following = self._next()
        if following:
            following.go()
            self._main.acquire()

    def end(self) -> None:
        """End all processes; the running one goes on until it next waits."""
        self.ended = True

    def fail(self, error: BaseException) -> None:
        """End the run with an error."""
        self.failure = self.failure or error
        self.end()

    def _next(self) -> Process | None:
        """Return the process that runs next; after the end each in turn, then None."""
        while self._heap:
            t, _, what, turn = heapq.heappop(self._heap)
            if isinstance(what, Process) and turn != what.turn:
                continue
            if not self.ended and t > self.now_s:
                self.now_s = t
                self._on_time(t)
            if isinstance(what, Process):
                return what
            if not self.ended:
                try:
                    what()
                except BaseException as error:  # of a check
                    self.fail(error)
        return None
