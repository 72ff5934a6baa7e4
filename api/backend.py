"""What one process holds open: the servers, the history, and what is made of them at times."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Self, TypeVar

import redis
import structlog
from sqlalchemy import Connection, Engine

from api.alarm_list import AlarmLists
from api.fleet_index import FleetView
from api.key_reader import KeyReader
from api.server import Server
from api.servers import AllServers, Answers
from api.whole_book import WholeBook
from api.whole_fleet import FleetLists, WholeFleet
from vtox.alarms.book import Book
from vtox.alarms.life import Alarm
from vtox.errors import ServerUnavailable, SettingsError, TooBusy
from vtox.history import database
from vtox.monitoring.throughput import READING_EVERY_S
from vtox.partitions import Place, server_number
from vtox.settings import Settings
from vtox.store.client import SOCKET_TIMEOUT_S, Client, check
from vtox.store.status import Snapshot

log = structlog.get_logger()
T = TypeVar("T")

# A spectrum of a long record holds some 100 MB while it is computed, and a core.
COMPUTATIONS = 2
# What is counted over all machines: 0.1 s for a thousand of them.
KEPT_S = 10.0
COMPUTATION_WAIT_S = 10.0


class Backend:
    """Opened by the lifespan; safe between the threads that serve requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.servers = AllServers(_servers(settings))
        self.keys = KeyReader(self.servers)
        self.fleet_lists = FleetLists()
        self.alarm_lists = AlarmLists()
        self._whole_fleet = WholeFleet()
        self._whole_book = WholeBook()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._has_history = False
        self._stop = threading.Event()
        self._kept_lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}
        self._computations = threading.BoundedSemaphore(COMPUTATIONS)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for server in self.servers.all:
            looked = threading.Event()
            thread = threading.Thread(
                target=self._sample, args=(server, looked), name="sampler", daemon=True
            )
            thread.start()
            self._threads.append(thread)
            if self.servers.several:  # no request goes to one that has another place
                looked.wait(SOCKET_TIMEOUT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=1.0)
        for server in self.servers.all:
            server.close()
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()

    def client(self, machine_id: str) -> Client:
        """Return the client of the server that has a machine.

        Raises
        ------
        ServerUnavailable
            It is known not to answer; or none has ever run on the data folder.
        """
        return self.servers.of(machine_id).client()

    def now_s(self) -> float:
        """Return the time (s) of the first server that answers."""
        return self.servers.now_s()

    @contextmanager
    def history(self) -> Iterator[Connection | None]:
        """Open the history for reading, one state of it; None where nothing was ever recorded.

        Raises
        ------
        HistoryUnavailable
            Its database does not answer.
        """
        settings = self.settings
        if not settings.database_url and not settings.history_file.exists():
            yield None
            return
        with self._lock:
            if self._engine is None:
                self._engine = database.engine_to_read(settings)
        with database.explain_errors(settings), self._engine.begin() as db:
            self._has_history = self._has_history or database.has_tables(db)
            yield db if self._has_history else None

    def server_responds(self) -> bool:
        """Return whether the server with the API keys takes commands now."""
        try:
            check(self.keys.client())
        except ServerUnavailable:
            return False
        return True

    def snapshots(self) -> Answers[Snapshot]:
        """Return the state of each server, at most `SNAPSHOT_LIFE_S` old.

        Raises
        ------
        ServerUnavailable
            None answers; callers that waited for the same snapshot get the same.
        """
        return self.servers.ask(Server.snapshot)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Hold one of the few places for computations.

        Raises
        ------
        TooBusy
            None became free in `COMPUTATION_WAIT_S`.
        """
        if not self._computations.acquire(timeout=COMPUTATION_WAIT_S):
            raise TooBusy(f"{COMPUTATIONS} computations are in progress")
        try:
            yield
        finally:
            self._computations.release()

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """Return a value made at most `KEPT_S` ago: made once, however many ask for it."""
        with self._kept_lock:
            made_t, value = self._kept.get(name, (-KEPT_S, None))
            if time.monotonic() - made_t >= KEPT_S:
                value = make()
                self._kept[name] = time.monotonic(), value
            found: T = value
            return found

    def fleet(self) -> FleetView:
        """Return all machines as the list of the fleet shows them, at most a second old."""
        return self.fleets()[0]

    def fleets(self) -> tuple[FleetView, Answers[FleetView]]:
        """Return the same, with what each server answered."""
        answers = self.servers.ask(Server.fleet)
        if not self.servers.several:
            return next(iter(answers)), answers
        parts = {s.number: (view, True) for s, view in answers.found}
        parts |= {s.number: (s.fleet_index.last, False) for s, _ in answers.away}
        return self._whole_fleet.view([parts[s.number] for s in self.servers.all]), answers

    def book(self) -> tuple[Book, int]:
        """Return all alarms as they are now, with the time (ms, server clock)."""
        book, now_ms, _ = self.books()
        return book, now_ms

    def books(self) -> tuple[Book, int, Answers[tuple[Book, int]]]:
        """Return the same, with what each server answered; of one that is away, its last book."""
        answers = self.servers.ask(lambda s: s.alarms.read(s.client()))
        parts = {s.number: book for s, (book, _) in answers.found}
        parts |= {s.number: s.alarms.last for s, _ in answers.away}
        now_ms = max(ms for _, ms in answers)
        return self._whole_book.book([parts[s.number] for s in self.servers.all]), now_ms, answers

    def servers_of_alarm(self, alarm_id: str) -> list[Server]:
        """Return the servers that have an alarm: of the system, two may have one of the same id."""
        if not self.servers.several:
            return list(self.servers.all)
        *_, answers = self.books()
        found = [s for s, (book, _) in answers.found if alarm_id in book.alarms]
        machine_id = alarm_id.rpartition(":")[0].rpartition(":")[0]
        return found or [self.servers.of(machine_id)]

    def number_of_alarm(self, alarm: Alarm) -> int | None:
        """Return the number of the server that an alarm is of, from 1; None where there is one."""
        if not self.servers.several:
            return None
        if alarm.machine_id:
            return server_number(alarm.machine_id, len(self.servers)) + 1
        have = (s.number + 1 for s in self.servers.all if alarm.id in s.alarms.last.alarms)
        return next(have, None)

    def _sample(self, server: Server, looked: threading.Event) -> None:
        silent = False
        while True:
            try:
                server.sample()
                silent = False
            except (redis.RedisError, ServerUnavailable, SettingsError) as error:
                if not silent:
                    number = {"server": server.number + 1} if self.servers.several else {}
                    log.warning("the server does not answer", reason=str(error), **number)
                silent = True
            looked.set()
            if self._stop.wait(READING_EVERY_S):
                return


def _servers(settings: Settings) -> list[Server]:
    silence_s = settings.silence_after_s
    if not settings.several_servers or settings.redis_url:
        return [Server(Place(), settings.working_url, silence_s)]
    urls = settings.server_urls()
    return [Server(Place(i, len(urls)), partial(str, url), silence_s) for i, url in enumerate(urls)]
