"""All machines as the list of the fleet needs them, kept by one API process and brought up to date.

It reads the changes since its last look at the server (`vtox.pipeline.store.machines.fleet`), at
most once in `REFRESH_S`; a request for the list costs no extra command.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.state.fleet_list import FleetRow, count_states
from vtox.motor.alarms.coverage.coverage import LatestState, coverage
from vtox.motor.alarms.health.assessment import Assessment, present_state
from vtox.motor.values.domain import Reason, State
from vtox.pipeline.store.machines import fleet
from vtox.pipeline.store.machines.fleet import FleetMachine, FleetState
from vtox.pipeline.store.server.client import Client

# Lists are at most so old; five open pages cost the server one look.
REFRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class FleetView:
    """The whole fleet at one moment: the same object until a row changes."""

    rows: dict[str, FleetRow]
    states: dict[State, int]
    silent: dict[State, int]
    seen: int
    sites: Sequence[str]


class FleetIndex:
    """Safe between the threads that serve requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._machines: dict[str, FleetMachine] = {}
        self._state: FleetState | None = None
        self._looked_t = -REFRESH_S
        self._view = _view_of({})

    @property
    def is_read(self) -> bool:
        """Whether the fleet was read once."""
        return self._state is not None

    def view(self, client: Client, silence_after_s: float) -> FleetView:
        """Return the fleet, at most `REFRESH_S` old."""
        with self._lock:
            if time.monotonic() - self._looked_t >= REFRESH_S:
                self._refresh(client, silence_after_s)
                self._looked_t = time.monotonic()
            return self._view

    @property
    def last(self) -> FleetView:
        """The fleet as it was read last."""
        return self._view

    def _refresh(self, client: Client, silence_after_s: float) -> None:
        before = self._state
        state = fleet.fleet_state(client, silence_after_s, before)
        if before is None or before.epoch != state.epoch:
            self._machines = {}
        stale = self._read_changes(client, before, state)
        silent_before = before.silent if before else {}
        stale |= {m for m, _ in silent_before.items() ^ state.silent.items()}
        removed = self._view.rows.keys() - self._machines.keys()
        self._state = state
        if stale or removed or before is None:
            self._show(stale, state)

    def _read_changes(
        self, client: Client, before: FleetState | None, state: FleetState
    ) -> set[str]:
        """Read the machines that changed; return their ids."""
        stale: set[str] = set()
        if self._machines and before and before.change != state.change:
            stale = set(fleet.changed_machines(client, before.change))
        if len(self._machines) != state.listed or stale - self._machines.keys():
            listed = set(fleet.listed_machines(client))
            self._machines = {m: x for m, x in self._machines.items() if m in listed}
            stale = (stale & listed) | (listed - self._machines.keys())
        found = fleet.read_machines(client, sorted(stale))
        self._machines |= {m.machine_id: m for m in found}
        return stale

    def _show(self, stale: Iterable[str], state: FleetState) -> None:
        rows = {m: r for m, r in self._view.rows.items() if m in self._machines}
        for m in stale:
            if m in self._machines:
                rows[m] = _row(self._machines[m], state.silent.get(m))
        self._view = _view_of(rows)


def _view_of(rows: dict[str, FleetRow]) -> FleetView:
    """Return a fleet of these machines."""
    sites = sorted({r.site for r in rows.values() if r.site})
    silent = count_states(r for r in rows.values() if r.silent_since is not None)
    seen = sum(bool(r.seen) for r in rows.values())
    return FleetView(rows, count_states(rows.values()), silent, seen, sites)


def _row(m: FleetMachine, silent_since: float | None) -> FleetRow:
    silent = silent_since is not None
    return FleetRow(
        machine_id=m.machine_id,
        vehicle_id=m.vehicle_id,
        site=m.site,
        asset_path=m.asset_path,
        state=present_state(m.health, silent=silent),
        health=m.health.health if m.health else None,
        faults={f: x.state for f, x in m.health.faults.items()} if m.health else {},
        seen=m.health.seen_faults if m.health else [],
        codes=_blind_codes(m.health, silent),
        silent_since=silent_since,
        supplied=fleet.supplied_machine(m),
        machine=m,
    )


def _blind_codes(health: Assessment | None, silent: bool) -> dict[str, str]:
    """Return fault -> why a machine is blind to it."""
    latest = {
        fault: LatestState(f.last or "unknown", Reason(f.code, {}))
        for fault, f in (health.faults if health else {}).items()
    }
    covered = coverage(latest, silent=silent)
    return {c.fault: c.why.code for c in covered if c.status == "blind"}
