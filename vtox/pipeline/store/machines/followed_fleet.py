"""The fleet as one process follows it: changed, new, gone and silent machines."""

from collections.abc import Iterable
from dataclasses import dataclass

from vtox.pipeline.store.machines import fleet
from vtox.pipeline.store.machines.fleet import FleetMachine, FleetState
from vtox.pipeline.store.server.client import Client


@dataclass(frozen=True, slots=True)
class FleetNews:
    """The changes since the last look; `gone` are the ids of machines that are no more."""

    changed: list[FleetMachine]
    gone: set[str]


class FollowedFleet:
    """All machines by their ids; a look reads only the changes. `known` were known before."""

    def __init__(self, client: Client, silence_after_s: float, known: Iterable[str] = ()) -> None:
        self._client = client
        self._silence_after_s = silence_after_s
        self._known = set(known)
        self._state: FleetState | None = None
        self.machines: dict[str, FleetMachine] = {}

    @property
    def silent(self) -> dict[str, float]:
        """The silent machines, with the arrival of their last window."""
        return self._state.silent if self._state else {}

    def look(self) -> FleetNews:
        """Read the changes; the returned machines count as known."""
        before = self._state
        state = fleet.fleet_state(self._client, self._silence_after_s, before, only_reads=True)
        same = before is not None and before.epoch == state.epoch
        # Under another numbering all may be other ones.
        stale = self._stale(before, state) if before and same else set(self.machines)
        gone: set[str] = set()
        if not same or stale - self.machines.keys() or state.listed != len(self.machines):
            listed = set(fleet.listed_machines(self._client))
            gone = (self._known | self.machines.keys()) - listed
            stale = (stale & listed) | (listed - self.machines.keys())
        changed = fleet.read_machines(self._client, sorted(stale))
        self.machines = {m: x for m, x in self.machines.items() if m not in gone}
        self.machines |= {m.machine_id: m for m in changed}
        self._state, self._known = state, set()
        return FleetNews(changed, gone)

    def _stale(self, before: FleetState, now: FleetState) -> set[str]:
        """Return the machines that have changed, have become silent, or send again."""
        changed: set[str] = set()
        if before.change != now.change:
            changed = set(fleet.changed_machines(self._client, before.change))
        return changed | {m for m, _ in before.silent.items() ^ now.silent.items()}
