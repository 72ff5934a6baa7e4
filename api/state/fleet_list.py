"""The fleet as a list: filtered, in order, in groups. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

from vtox.motor.alarms.priority import Priority, fault_priority
from vtox.motor.alarms.supplies import SuppliedMachine
from vtox.motor.faults import FAULTS
from vtox.motor.values.domain import State
from vtox.pipeline.store.machines.fleet import FleetMachine

Order = Literal[
    "priority",
    "-priority",
    "severity",
    "-severity",
    "name",
    "-name",
    "site",
    "-site",
    "fault",
    "-fault",
]
Grouping = Literal["", "site", "asset_1", "asset_2", "asset_path"]
Key = tuple[str | float, ...]

RANK: dict[State, int] = {"fault": 0, "warning": 1, "unknown": 2, "normal": 3}
DETECTED = ("fault", "warning")
# After every name: machines without a site come last.
_NO_NAME = "\U0010ffff"
_FAULTS = tuple(FAULTS)


@dataclass(frozen=True, kw_only=True)
class FleetRow:
    """One machine in the list.

    `state` is never normal while the machine is silent; `codes` has fault -> code of those to which
    it is blind.
    """

    machine_id: str
    vehicle_id: str
    site: str
    asset_path: str
    state: State
    health: float | None
    faults: dict[str, State]
    seen: list[str]
    codes: dict[str, str]
    silent_since: float | None
    supplied: SuppliedMachine
    machine: FleetMachine

    @cached_property
    def name_key(self) -> str:
        """The id with its numbers filled up, so that M2 comes before M10."""
        return re.sub(r"\d+", lambda m: m[0].zfill(20), self.machine_id.lower()) + self.machine_id

    @cached_property
    def text(self) -> str:
        """The text that is searched."""
        names = (self.machine_id, self.vehicle_id, self.site, self.asset_path)
        return "\n".join(names).lower()

    @cached_property
    def severity_key(self) -> Key:
        """The worst first; among equals those with a fault that is only seen."""
        health = 101.0 if self.health is None else self.health
        return RANK[self.state], health, not self.seen, self.name_key

    @cached_property
    def priority(self) -> Priority | None:
        """The highest priority of the faults with an open alert; None without one."""
        assessed = self.machine.health.faults if self.machine.health else {}
        found = (
            fault_priority(f, self.faults[f], assessed.get(f), self.machine.importance)
            for f in self.detected
        )
        return min(found, key=lambda p: p.order, default=None)

    @cached_property
    def priority_key(self) -> Key:
        """The most urgent first; without an open alert, the worst first."""
        return *(self.priority.order if self.priority else (0, 0.0)), *self.severity_key

    @property
    def detected(self) -> list[str]:
        """The faults with an open alert."""
        return [f for f in _FAULTS if self.faults.get(f) in DETECTED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The choice of machines; empty: all."""

    search: str = ""
    state: str = ""
    fault: str = ""
    seen: str = ""
    blind: str = ""
    watched: str = ""
    site: str = ""
    asset_path: str = ""
    action: str = ""

    def matches(self, row: FleetRow) -> bool:
        """Return whether a machine is wanted."""
        return (
            (not self.state or row.state == self.state)
            and (not self.search or self.search in row.text)
            and (not self.fault or row.faults.get(self.fault) in DETECTED)
            and (not self.seen or _is_among(self.seen, row.seen))
            and (not self.blind or _is_among(self.blind, row.codes))
            and (not self.watched or not _is_among(self.watched, row.codes))
            and (not self.action or (row.priority and row.priority.action) == self.action)
            and (not self.site or row.site == self.site)
            and (not self.asset_path or _is_below(row.asset_path, self.asset_path))
        )


@dataclass(frozen=True, slots=True)
class _Group:
    """Machines of one site or asset path, which are together from `start` on."""

    name: str
    start: int
    machines: int
    silent: int
    states: dict[State, int]


@dataclass(frozen=True, slots=True)
class FleetList:
    """The wanted machines in order, their groups, and how many are in each state."""

    rows: Sequence[FleetRow]
    groups: Sequence[_Group]
    states: dict[State, int]


def fleet_list(
    rows: Iterable[FleetRow], wanted: Filter, order: Order, grouping: Grouping
) -> FleetList:
    """Return the wanted machines in order; groups by name, in each of them the order asked for."""
    found = [r for r in rows if wanted.matches(r)]
    found.sort(key=_KEYS[order.lstrip("-")], reverse=order.startswith("-"))
    if grouping:
        group_of = _GROUPS[grouping]
        found.sort(key=lambda r: group_of(r) or _NO_NAME)
    return FleetList(found, _groups(found, grouping), count_states(found))


def count_states(rows: Iterable[FleetRow]) -> dict[State, int]:
    """Return how many machines are in each state."""
    counts: dict[State, int] = dict.fromkeys(RANK, 0)
    for row in rows:
        counts[row.state] += 1
    return counts


def _groups(rows: Sequence[FleetRow], grouping: Grouping) -> list[_Group]:
    if not grouping:
        return []
    groups, start = [], 0
    for name, members in groupby(rows, key=_GROUPS[grouping]):
        own = list(members)
        silent = sum(r.silent_since is not None for r in own)
        groups.append(_Group(name, start, len(own), silent, count_states(own)))
        start += len(own)
    return groups


def _is_among(fault: str, faults: Collection[str]) -> bool:
    """Return whether a fault is one of those of a machine; with `any`, whether there is one."""
    return bool(faults) if fault == "any" else fault in faults


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}/")


def _fault_key(row: FleetRow) -> Key:
    detected = row.detected
    return (_FAULTS.index(detected[0]) if detected else len(_FAULTS), *row.severity_key)


def _levels(path: str, n: int) -> str:
    """Return the first levels of an asset path."""
    return "/".join(path.split("/", n)[:n])


_GROUPS: dict[str, Callable[[FleetRow], str]] = {
    "site": lambda r: r.site,
    "asset_1": lambda r: _levels(r.asset_path, 1),
    "asset_2": lambda r: _levels(r.asset_path, 2),
    "asset_path": lambda r: r.asset_path,
}
_KEYS: dict[str, Callable[[FleetRow], Key]] = {
    "priority": lambda r: r.priority_key,
    "severity": lambda r: r.severity_key,
    "name": lambda r: (r.name_key,),
    "site": lambda r: (r.site or _NO_NAME, r.asset_path or _NO_NAME, r.name_key),
    "fault": _fault_key,
}
