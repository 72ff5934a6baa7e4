"""The fleet of all servers that share the machines, and its lists, each made once until it changes.

Machines of a server that does not answer stay in it as unknown, as far as this process knows them.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

from api.fleet_index import FleetView, view_of
from api.fleet_list import Filter, FleetList, FleetRow, Grouping, Order, fleet_list
from vtox.faults import FAULTS

# Filters and orders in use at a time, of several pages.
KEPT_LISTS = 16
# Why nothing is known of a machine whose server does not answer.
AWAY_CODE = "server_away"

# The fleet of a server, and whether that answers.
Part = tuple[FleetView, bool]


class WholeFleet:
    """Puts the fleets of several servers together; safe between the threads that serve requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: Sequence[Part] = ()
        self._view = view_of({})

    def view(self, parts: Sequence[Part]) -> FleetView:
        """Return the fleet: the same object until one of the parts is another one."""
        with self._lock:
            same = len(parts) == len(self._parts) and all(
                new is old and answers == answered
                for (new, answers), (old, answered) in zip(parts, self._parts, strict=True)
            )
            if not same:
                rows: dict[str, FleetRow] = {}
                for part, answers in parts:
                    rows |= part.rows if answers else {m: _away(r) for m, r in part.rows.items()}
                self._parts, self._view = parts, view_of(rows)
            return self._view


class FleetLists:
    """Lists of a fleet, each made once for all that ask for it; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: FleetView | None = None
        self._lists: dict[tuple[Filter, Order, Grouping], FleetList] = {}

    def list(self, view: FleetView, wanted: Filter, order: Order, grouping: Grouping) -> FleetList:
        """Return the list of a view."""
        key = wanted, order, grouping
        with self._lock:
            if self._of is not view:
                self._of, self._lists = view, {}
            elif key in self._lists:
                return self._lists[key]
        made = fleet_list(view.rows.values(), wanted, order, grouping)
        with self._lock:
            if self._of is view:
                if len(self._lists) >= KEPT_LISTS:
                    self._lists.pop(next(iter(self._lists)))
                self._lists[key] = made
        return made


def is_away(r: FleetRow) -> bool:
    """Return whether the server of a machine does not answer."""
    return AWAY_CODE in r.codes.values()


def _away(r: FleetRow) -> FleetRow:
    """Return a machine of which nothing is known now."""
    codes = dict.fromkeys(FAULTS, AWAY_CODE)
    return replace(r, state="unknown", health=None, faults={}, codes=codes, silent_since=None)
