"""Whether alarms grow, from the history: worked out at most once a minute for each."""

import time
from collections import OrderedDict
from contextlib import suppress
from threading import Lock

from api.schemas.alarms import Growth
from api.shapes.explanation import advice, sentence
from api.state.backend import Backend
from vtox.alarms.health.growth import Growth as GrowthOf
from vtox.alarms.life import Alarm
from vtox.errors import HistoryUnavailable
from vtox.records.history.growth import alarm_growth
from vtox.records.history.retention import oldest_kept

LIFE_S, REMEMBERED = 60.0, 2000
_LEVELS = ("then_db", "now_db", "slope_db", "low_db", "high_db")


class Growths:
    """What was worked out lately; safe between the threads that serve requests."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[float, GrowthOf | None]] = OrderedDict()
        self._lock = Lock()

    def shape(self, backend: Backend, a: Alarm) -> Growth | None:
        """Return whether an alarm grows; None where it has ended, or is about no fault."""
        found = self._of(backend, a) if a.active and a.machine_id else None
        if found is None:
            return None
        return Growth(
            course=found.course,
            urgency=found.urgency,
            code=found.why.code,
            values=dict(found.why.values),
            sentence=sentence(found.why.code, found.why.values),
            urgency_sentence=sentence(found.urgency, {}),
            what_to_do=advice(found.urgency),
            **{name: getattr(found, name) for name in _LEVELS},
        )

    def _of(self, backend: Backend, a: Alarm) -> GrowthOf | None:
        key, now = (a.id, a.level), time.monotonic()
        with self._lock:
            made_t, found = self._kept.get(key, (-LIFE_S, None))
        if now - made_t < LIFE_S:
            return found
        now_s = backend.now_s()
        oldest = oldest_kept(backend.settings, round(1000 * now_s))
        of = (a.machine_id, a.fault, a.level, a.t, now_s, oldest)
        found = alarm_growth(None, *of)
        with suppress(HistoryUnavailable), backend.history() as db:
            found = alarm_growth(db, *of)
        with self._lock:
            self._kept[key] = now, found
            self._kept.move_to_end(key)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return found
