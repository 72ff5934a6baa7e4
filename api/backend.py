"""What one API process holds open: the client, the sampler of throughput, the last snapshot."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

import redis
import structlog
from sqlalchemy import Connection, Engine

from api.alarm_list import AlarmLists
from api.fleet_index import FleetIndex, FleetView
from vtox.errors import ServerUnavailable, TooBusy
from vtox.history import database
from vtox.monitoring.throughput import READING_EVERY_S, Reading, Sampler
from vtox.settings import Settings
from vtox.store import apikeys
from vtox.store.alarm_book import BookReader
from vtox.store.client import Client, check, connect, loading_error
from vtox.store.fleet import MachineNames
from vtox.store.open_alerts import OpenAlerts
from vtox.store.partition_table import Addresses
from vtox.store.status import Snapshot, snapshot

log = structlog.get_logger()
T = TypeVar("T")

# So that a hundred dashboards cost the server one snapshot.
SNAPSHOT_LIFE_S = 0.25
# A command each time would cost a sender a twentieth of its rate.
KEYS_ASKED_EVERY_S = 0.1
USE_NOTED_EVERY_S = 60.0
# A spectrum of a long record holds some 100 MB while it is computed, and a core.
COMPUTATIONS = 2
# What is counted over all machines: 0.1 s for a thousand of them.
KEPT_S = 10.0
COMPUTATION_WAIT_S = 10.0


class Backend:
    """Opened by the lifespan; safe between the threads that serve requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        if settings.redis_urls:
            settings.working_url()  # which of them, it must be told
        self._lock = threading.Lock()
        self._url = ""
        self._client: Client = None
        self._addresses = Addresses(None)
        self._snapshot_lock = threading.Lock()
        self._snapshot: Snapshot | ServerUnavailable | None = None
        self._snapshot_t = 0.0
        self._sampler = Sampler()
        self.fleet_index = FleetIndex()
        self._engine: Engine | None = None
        self._has_history = False
        self.alarms = BookReader()
        self.alarm_lists = AlarmLists()
        self.machine_names = MachineNames()
        self.open_alerts = OpenAlerts()
        self._stop = threading.Event()
        self._keys_exist = False
        self._keys_t = -KEYS_ASKED_EVERY_S
        self._uses: dict[str, float] = {}
        self._kept_lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}
        self._computations = threading.BoundedSemaphore(COMPUTATIONS)
        self._thread = threading.Thread(target=self._sample, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=1.0)
        with self._lock:
            if self._client is not None:
                self._client.close()
            if self._engine is not None:
                self._engine.dispose()

    def client(self) -> Client:
        """Return the client, connecting to where the server is now.

        The embedded server may start after this process, or anew at another address.

        Raises
        ------
        ServerUnavailable
            No URL is set and no embedded server has ever run on the data folder.
        """
        url = self.settings.working_url()
        with self._lock:
            if url != self._url:
                self._client, self._url = connect(url, "api", patient=False), url
                self._addresses = Addresses(self._client)
            return self._client

    def stream_of(self, machine_id: str) -> str:
        """Return the stream to which the windows of a machine go."""
        self.client()
        return self._addresses.raw(machine_id)

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
        """Return whether the server takes commands now."""
        try:
            check(self.client())
        except ServerUnavailable:
            return False
        return True

    def keys_exist(self) -> bool:
        """Return whether an API key exists, or did `KEYS_ASKED_EVERY_S` ago.

        Of a server that does not answer, the last answer. One that has never answered this process
        gives away nothing: the pages may open, and show that it does not answer.
        """
        now = time.monotonic()
        if now - self._keys_t > KEYS_ASKED_EVERY_S:
            with suppress(redis.ConnectionError, redis.TimeoutError, ServerUnavailable):
                self._keys_exist, self._keys_t = apikeys.any_exist(self.client()), now
        return self._keys_exist

    def note_use(self, key_id: str) -> None:
        """Keep the time of a key's use, at most once in `USE_NOTED_EVERY_S`."""
        now = time.monotonic()
        if now - self._uses.get(key_id, -USE_NOTED_EVERY_S) < USE_NOTED_EVERY_S:
            return
        self._uses[key_id] = now
        # A server that takes no writes is no reason to refuse a reader.
        with suppress(redis.RedisError):
            apikeys.note_use(self.client(), key_id)

    def snapshot(self) -> Snapshot:
        """Return the state of the system, at most `SNAPSHOT_LIFE_S` old.

        Raises
        ------
        ServerUnavailable
            The server does not answer; callers that waited for the same snapshot get the same.
        """
        client = self.client()
        with self._snapshot_lock:
            if self._snapshot is None or time.monotonic() - self._snapshot_t > SNAPSHOT_LIFE_S:
                try:
                    self._snapshot = snapshot(client)
                except redis.BusyLoadingError:
                    self._snapshot = loading_error(client)
                except (redis.ConnectionError, redis.TimeoutError) as error:
                    self._snapshot = ServerUnavailable(f"no answer from the server: {error}")
                self._snapshot_t = time.monotonic()
            if isinstance(self._snapshot, ServerUnavailable):
                raise ServerUnavailable(*self._snapshot.args)
            return self._snapshot

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
        return self.fleet_index.view(self.client(), self.settings.silence_after_s)

    def readings(self) -> list[Reading]:
        """Return the last readings of the stream's activity."""
        return self._sampler.readings()

    def _sample(self) -> None:
        silent = False
        while True:
            try:
                self._sampler.take(self.client())
                if not self.fleet_index.is_read:  # so that no first page waits for it
                    self.fleet()
                silent = False
            except (redis.RedisError, ServerUnavailable) as error:
                if not silent:
                    log.warning("the server does not answer", reason=str(error))
                silent = True
            if self._stop.wait(READING_EVERY_S):
                return
