"""The list of alarms as a page asks for it, made once until an alarm or the fleet changes."""

import threading
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from api.schemas.alarms import (
    AlarmFilter,
)
from api.state.fleet_index import FleetView
from vtox.motor.alarms.book import Book
from vtox.motor.alarms.life import Alarm
from vtox.motor.alarms.precedence import Precedence, precedence
from vtox.motor.alarms.priority import ActionTime, Priority
from vtox.motor.alarms.supplies import SupplyAlarm, group_ids, supply_alarms
from vtox.pipeline.store.machines.fleet import priorities_of

# Filters in use at a time, of several pages.
KEPT_LISTS = 16


@dataclass(frozen=True, slots=True)
class AlarmList:
    """Alarms that match a filter, the most urgent first, with the alarms of supplies.

    `priorities` is alarm id -> priority, of all that are open. `group_of` is alarm id -> id of its
    supply's alarm, of all alarms; `groups` are those with a member that matches. The counts are of
    alarms that match in any state: by state, of open ones by state and level, and of open ones.
    The last count takes all open alarms of one supply as one.
    """

    alarms: Sequence[Alarm]
    groups: Sequence[SupplyAlarm]
    priorities: Mapping[str, Priority]
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
        self,
        book: Book,
        fleet: FleetView,
        wanted: AlarmFilter,
        *,
        grouped: bool,
        action: ActionTime | None = None,
    ) -> AlarmList:
        """Return the list; `grouped` leaves out members of a supply's alarm.

        `action` leaves only open alarms that need action then.
        """
        key = *(getattr(wanted, name) for name in AlarmFilter.model_fields), grouped, action
        with self._lock:
            if self._of[0] is not book or self._of[1] is not fleet:
                self._of, self._lists = (book, fleet), {}
            elif key in self._lists:
                return self._lists[key]
        made = _alarm_list(book, fleet, wanted, grouped, action)
        with self._lock:
            if self._of[0] is book and self._of[1] is fleet:
                if len(self._lists) >= KEPT_LISTS:
                    self._lists.pop(next(iter(self._lists)))
                self._lists[key] = made
        return made


def priorities(book: Book, fleet: FleetView) -> dict[str, Priority]:
    """Return alarm id -> priority of the open alarms of a book."""
    return priorities_of(book.alarms.values(), {m: r.machine for m, r in fleet.rows.items()})


def _alarm_list(
    book: Book, fleet: FleetView, wanted: AlarmFilter, grouped: bool, action: ActionTime | None
) -> AlarmList:
    groups = supply_alarms(book.alarms.values(), (r.supplied for r in fleet.rows.values()))
    of = group_ids(groups)
    others = [a for a in book.alarms.values() if wanted.matches(a, of, whatever_state=True)]
    urgent = priorities(book, fleet)
    matching = [a for a in others if wanted.matches(a, of)]
    if action:
        matching = [a for a in matching if a.id in urgent and urgent[a.id].action == action]
    group_matches = {of[a.id] for a in matching if a.id in of}
    rows = (a for a in matching if not (grouped and a.id in of))

    def key(a: Alarm | SupplyAlarm) -> Precedence:
        return precedence(a, urgent)

    return AlarmList(
        alarms=sorted(rows, key=key),
        groups=sorted((g for g in groups if g.id in group_matches), key=key),
        priorities=urgent,
        group_of=of,
        counts=Counter(a.state for a in others),
        open_by_level=Counter((a.state, a.level) for a in others if a.open),
        assignees=Counter(a.assignee for a in others if a.open),
        open=sum(a.open for a in others),
        open_grouped=len({of.get(a.id, a.id) for a in others if a.open}),
    )
