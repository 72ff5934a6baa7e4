"""Lists of the fleet, each made once until the fleet changes."""

import threading

from api.state.fleet_index import FleetView
from api.state.fleet_list import Filter, FleetList, Grouping, Order, fleet_list

# Filters and orders in use at a time, of several pages.
KEPT_LISTS = 16


class FleetLists:
    """Each list is made once for all that ask for it; safe between threads."""

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
