"""Whether faults and alarms grow, from the history: computed at most once a minute for each."""

import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection

from api.schemas.growth import FaultTime, Growth
from api.state.backend import Backend
from vtox.motor.alarms.health.growth import FaultGrowth as FaultGrowthOf
from vtox.motor.alarms.health.growth import Growth as GrowthOf
from vtox.motor.alarms.life import Alarm
from vtox.reporting.history.errors import HistoryUnavailable
from vtox.reporting.history.growth import alarm_growth, machine_growth
from vtox.reporting.history.retention import Oldest, oldest_kept

LIFE_S, REMEMBERED = 60.0, 2000
T = TypeVar("T")


class Growths:
    """Growths computed lately; safe between the threads that serve requests."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[float, Any]] = OrderedDict()
        self._lock = Lock()

    def shape(self, backend: Backend, a: Alarm) -> Growth | None:
        """Return whether an alarm grows; None if it has ended, or is about no fault."""
        if not a.active or not a.machine_id:
            return None

        def make(db: Connection | None, now_s: float, oldest: Oldest) -> GrowthOf | None:
            return alarm_growth(db, a.machine_id, a.fault, a.t, now_s, oldest)

        found = self._of(backend, (a.id, a.level), make)
        return None if found is None else Growth.of(found)

    def of_machine(self, backend: Backend, machine_id: str) -> list[FaultTime]:
        """Return every fault of a machine over time."""

        def make(db: Connection | None, now_s: float, oldest: Oldest) -> list[FaultGrowthOf]:
            return machine_growth(db, machine_id, now_s, oldest)

        return list(map(FaultTime.of, self._of(backend, (machine_id, ""), make)))

    def _of(
        self,
        backend: Backend,
        key: tuple[str, str],
        make: Callable[[Connection | None, float, Oldest], T],
    ) -> T:
        now = time.monotonic()
        with self._lock:
            made_t, kept = self._kept.get(key, (-LIFE_S, None))
        if now - made_t < LIFE_S:
            found: T = kept
            return found
        now_s = backend.now_s()
        oldest = oldest_kept(backend.settings, round(1000 * now_s))
        found = make(None, now_s, oldest)
        with suppress(HistoryUnavailable), backend.history() as db:
            found = make(db, now_s, oldest)
        with self._lock:
            self._kept[key] = now, found
            self._kept.move_to_end(key)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return found
