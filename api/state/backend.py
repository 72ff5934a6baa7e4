"""Resources of one process: the server, the history, and values computed from them at times."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import redis
import structlog
from sqlalchemy import Connection, Engine

from api.state.alarm_list import AlarmLists
from api.state.fleet_lists import FleetLists
from api.state.key_reader import KeyReader
from api.state.server import Server
from vtox.motor.alarms.book import Book
from vtox.motor.errors import SystemStateError
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.tables import Oidc
from vtox.pipeline.configuration.version import install_command
from vtox.pipeline.errors import ServerUnavailable, TooBusy
from vtox.pipeline.monitoring.throughput import READING_EVERY_S
from vtox.pipeline.store.server.client import check, server_time
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.wrong_keys import WrongKeys
from vtox.reporting.history import database

if TYPE_CHECKING:
    from api.state.provider import Provider

log = structlog.get_logger()
T = TypeVar("T")

# A spectrum of a long record holds some 100 MB while it is computed, and a core.
COMPUTATIONS = 2
# Life of counts over all machines: counting takes 0.1 s for a thousand of them.
KEPT_S = 10.0
COMPUTATION_WAIT_S = 10.0


class Backend:
    """Opened by the lifespan; safe between the threads that serve requests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.needs_keys = apikeys.required(settings) or settings.oidc.is_set
        self.own_names = {settings.api_host, *settings.allowed_hosts}
        self.server = Server(settings)
        # The client of the server, as `Server.client` says.
        self.client = self.server.client
        self.keys = KeyReader(self.client)
        self.wrong_keys = WrongKeys()
        self.failed_sign_ins = WrongKeys("sign-ins failed at the provider")
        self.provider = _provider(settings.oidc)
        self.fleet_lists = FleetLists()
        self.alarm_lists = AlarmLists()
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._has_history = False
        self._stop = threading.Event()
        self._kept_lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}
        self._computations = threading.BoundedSemaphore(COMPUTATIONS)
        self._sampler = threading.Thread(target=self._sample, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._sampler.join(timeout=1.0)
        self.server.close()
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()

    def now_s(self) -> float:
        """Return the server's time, s since 1970."""
        return server_time(self.client())

    @contextmanager
    def history(self) -> Iterator[Connection | None]:
        """Open the history for reading, one state of it; None if nothing was ever recorded.

        Raises `HistoryUnavailable`: its database does not answer.
        """
        settings = self.settings
        if not settings.database_url and not settings.history_file.exists():
            yield None
            return
        with database.explain_errors(settings), self._lock:
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

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Hold one of the few places for computations.

        Raises `TooBusy`: none became free in `COMPUTATION_WAIT_S`.
        """
        if not self._computations.acquire(timeout=COMPUTATION_WAIT_S):
            raise TooBusy(f"{COMPUTATIONS} computations are in progress")
        try:
            yield
        finally:
            self._computations.release()

    def keep(self, name: str, make: Callable[[], T]) -> T:
        """Return a value made at most `KEPT_S` ago: made once for all requests."""
        with self._kept_lock:
            made_t, value = self._kept.get(name, (-KEPT_S, None))
            if time.monotonic() - made_t >= KEPT_S:
                value = make()
                self._kept[name] = time.monotonic(), value
            found: T = value
            return found

    def book(self) -> tuple[Book, int]:
        """Return all alarms as they are now, with the time (ms, server clock)."""
        return self.server.alarms.read(self.client())

    def _sample(self) -> None:
        silent = False
        while True:
            try:
                self.server.sample()
                silent = False
            except (redis.RedisError, ServerUnavailable) as error:
                if not silent:
                    log.warning("the server does not answer", reason=str(error))
                silent = True
            except Exception:  # an end would be for good: nobody would see that the server answers
                log.exception("the sampler failed and tries again")
            if self._stop.wait(READING_EVERY_S):
                return


def _provider(settings: Oidc) -> "Provider | None":
    """Return the provider at which people sign in, None if they use keys."""
    if not settings.is_set:
        return None
    # Not at the top: the library is an optional extra.
    try:
        from api.state.provider import Provider
    except ImportError as error:
        problem = SystemStateError(
            f"VTOX_OIDC needs {error.name}, which is not installed", remedy=install_command("oidc")
        )
        # The framework repeats it at the end of a traceback.
        log.error("the API does not start", reason=str(problem))
        raise problem from None
    return Provider(settings)
