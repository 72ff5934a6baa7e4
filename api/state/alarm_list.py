"""The list of alarms as a page asks for it, made once until an alarm or the fleet changes."""

import threading
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from api.schemas.alarms import AlarmFilter
from api.state.fleet_index import FleetView
from vtox.alarms.book import Book
from vtox.alarms.life import Alarm
from vtox.alarms.precedence import precedence
from vtox.alarms.supplies import SupplyAlarm, group_ids, supply_alarms

# Filters in use at a time, of several pages.
KEPT_LISTS = 16


@dataclass(frozen=True, slots=True)
class AlarmList:
    """Alarms that match a filter, the most urgent first, with the alarms of supplies.

    `group_of` is alarm id -> id of its supply's alarm, of all alarms; `groups` are those with a
    member that matches. The counts are of those that match whatever their state: by state, of open
    ones by state and level, open ones, and open ones with those of one supply as one.
    """

    alarms: Sequence[Alarm]
    groups: Sequence[SupplyAlarm]
    group_of: Mapping[str, str]
    counts: Counter[str]
    open_by_level: Counter[tuple[str, str]]
    assignees: Counter[str]
    open: int
    open_grouped: int


class AlarmLists:
    """Safe between the threads that serve requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: tuple[Book | None, FleetView | None] = None, None
        self._lists: dict[Hashable, AlarmList] = {}

    def list(
        self, book: Book, fleet: FleetView, wanted: AlarmFilter, *, grouped: bool
    ) -> AlarmList:
        """Return the list; `grouped` leaves out what is part of a supply's alarm."""
        key = *(getattr(wanted, name) for name in AlarmFilter.model_fields), grouped
        with self._lock:
            if self._of[0] is not book or self._of[1] is not fleet:
                self._of, self._lists = (book, fleet), {}
            elif key in self._lists:
                return self._lists[key]
        made = _alarm_list(book, fleet, wanted, grouped)
        with self._lock:
            if self._of[0] is book and self._of[1] is fleet:
                if len(self._lists) >= KEPT_LISTS:
                    self._lists.pop(next(iter(self._lists)))
                self._lists[key] = made
        return made


def _alarm_list(book: Book, fleet: FleetView, wanted: AlarmFilter, grouped: bool) -> AlarmList:
    groups = supply_alarms(book.alarms.values(), (r.supplied for r in fleet.rows.values()))
    of = group_ids(groups)
    others = [a for a in book.alarms.values() if wanted.matches(a, of, whatever_state=True)]
    matching = [a for a in others if wanted.matches(a, of)]
    group_matches = {of[a.id] for a in matching if a.id in of}
    rows = (a for a in matching if not (grouped and a.id in of))
    return AlarmList(
        alarms=sorted(rows, key=precedence),
        groups=sorted((g for g in groups if g.id in group_matches), key=precedence),
        group_of=of,
        counts=Counter(a.state for a in others),
        open_by_level=Counter((a.state, a.level) for a in others if a.open),
        assignees=Counter(a.assignee for a in others if a.open),
        open=sum(a.open for a in others),
        open_grouped=len({of.get(a.id, a.id) for a in others if a.open}),
    )
