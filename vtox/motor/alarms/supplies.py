"""Alarms of one supply or site that come together: one alarm that names the shared part. Pure.

A lost phase, a tap changer, a transient or a power cut reaches every machine on a supply at once;
faults of the machines themselves are independent. An alarm of the same fault may come from most
machines of a supply (three at least) within the time in which one cause reaches all of them. Then
operators see one alarm. Its members keep their own states beneath it. Silence is a matter of the
whole site, if most of it is silent (`vtox.motor.alarms.outages`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vtox.motor.alarms.health.marks import RANK
from vtox.motor.alarms.life import STATES, Alarm, State
from vtox.motor.alarms.outages import SILENT, outages
from vtox.motor.faults import FAULTS, PERSISTENCE
from vtox.motor.values.domain import Reason, reason
from vtox.motor.values.record_lengths import longest_record_s

# Two machines that alarm together are still likely to have separate causes: they share a
# load, a mounting, a repair. Three of most are a supply.
LEAST_MACHINES = 3
# A common cause acts within cycles of the supply. Two machines that see it differ by the clocks of
# their senders and by the look of the monitor, every 10 s. A clock that is off by more than some
# seconds is an alarm (docs/reference/alarms.md).
SAME_TIME_S = 60.0


class Supply(NamedTuple):
    """The machines below one level of the asset tree at a site, on the grid or behind drives.

    A drive makes the voltages of its motor itself: its own supply does not show in the motor.
    Without a path it is the whole site; without a site, all machines of which none is known.
    """

    site: str
    path: str

    @property
    def name(self) -> str:
        """How people call it."""
        return f"{self.path} ({self.site})" if self.site and self.path else self.path or self.site


class SuppliedMachine(NamedTuple):
    """A machine with its supply (None: not known), and whether a drive is between the two.

    `diagnosed`: it has sent windows.
    """

    machine_id: str
    supply: Supply | None
    behind_drive: bool
    site: str = ""
    diagnosed: bool = True


@dataclass(frozen=True, slots=True)
class SupplyAlarm:
    """Alarms of one fault that came together on `machines` machines of a supply of `of_machines`.

    `alarms` are the members, the earliest first, whose id is that of all; `t` is when it began.
    """

    supply: Supply
    fault: str
    alarms: tuple[Alarm, ...]
    machines: int
    of_machines: int
    t: float

    @property
    def id(self) -> str:
        """The id of its earliest member."""
        return self.alarms[0].id

    @property
    def state(self) -> State:
        """The state of the member that needs somebody most."""
        return min((a.state for a in self.alarms), key=STATES.index)

    @property
    def level(self) -> str:
        """The highest level of its members: of the active ones, while one is."""
        active = [a.level for a in self.alarms if a.active] or [a.level for a in self.alarms]
        return max(active, key=lambda level: RANK.get(level, 0))

    @property
    def open(self) -> int:
        """How many of its members are open."""
        return sum(a.open for a in self.alarms)

    @property
    def active(self) -> int:
        """How many of its members are not cleared."""
        return sum(a.active for a in self.alarms)

    @property
    def since_ms(self) -> int:
        """When it came into its state: when the last of the members did that are in it."""
        return max(a.since_ms for a in self.alarms if a.state == self.state)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many members are in each state."""
        return Counter(a.state for a in self.alarms)

    @property
    def why(self) -> Reason:
        """Why it is one alarm."""
        if not self.supply.path:
            return self._why_silent
        return reason(
            "machines_of_supply_move_together",
            machines=self.machines,
            of_machines=self.of_machines,
            supply=self.supply.name,
            within_s=round(self.alarms[-1].t - self.alarms[0].t, 1),
        )

    @property
    def _why_silent(self) -> Reason:
        silent = len({a.machine_id for a in self.alarms if a.active})
        if silent == self.of_machines:
            return reason("no_machine_of_site_sends", machines=silent)
        of = {"machines": self.machines, "of_machines": self.of_machines}
        return reason("machines_of_site_silent", silent=silent, **of)


def supply_of(site: str, asset_path: str) -> Supply | None:
    """Return the supply of a machine: all but the last level of its asset path; None without one.

    Examples
    --------
    >>> supply_of("Quarry north", "Crushing/Line 2/Conveyor 4").path
    'Crushing/Line 2'
    """
    path = asset_path.rpartition("/")[0]
    return Supply(site, path) if path else None


def same_time_s(fault: str) -> float:
    """Return within which time of each other alarms of a fault may have one cause.

    An alarm begins with the first of `n` records in which `k` show the fault, and a record may be
    half over when the cause acts. Alarms of one moment begin up to `n` + 1 records apart.
    """
    family = FAULTS.get(fault)
    if family is None:
        return SAME_TIME_S
    return max(SAME_TIME_S, (PERSISTENCE[fault].n + 1) * longest_record_s(family.name))


def supply_alarms(
    alarms: Iterable[Alarm], machines: Iterable[SuppliedMachine]
) -> list[SupplyAlarm]:
    """Return the alarms that came together on a supply or at a site, each alarm at most once.

    An alarm that an operator has taken out of its group stays by itself.
    """
    by_id = {m.machine_id: m for m in machines}
    own = [(a, m) for a in alarms if not a.ungrouped and (m := by_id.get(a.machine_id))]
    found = _silent_sites([x for x in own if x[0].fault == SILENT], by_id.values())
    known = {a.id for g in found for a in g.alarms}
    sizes = Counter((m.supply, m.behind_drive) for m in by_id.values())
    candidates: dict[tuple[Supply, str], list[Alarm]] = defaultdict(list)
    for a, m in own:
        if m.supply and a.id not in known and not (m.behind_drive and a.fault in FAULTS):
            candidates[m.supply, a.fault].append(a)
    for (supply, fault), of_supply in candidates.items():
        size = sizes[supply, False] + (0 if fault in FAULTS else sizes[supply, True])
        in_order = sorted(of_supply, key=lambda a: (a.t, a.id))
        for members in _together(in_order, same_time_s(fault), _most(size)):
            found.append(_supply_alarm(supply, fault, members, size, members[0].t))
    return sorted(found, key=lambda g: (-g.t, g.id))


def _silent_sites(
    silent: Iterable[tuple[Alarm, SuppliedMachine]], machines: Iterable[SuppliedMachine]
) -> list[SupplyAlarm]:
    """Return the outages of sites: of machines that have sent, most were silent at once."""
    by_site: dict[str, list[Alarm]] = defaultdict(list)
    sent = {m.machine_id: m.site for m in machines if m.diagnosed}
    for a, m in silent:
        by_site[m.site].append(a)
        sent[m.machine_id] = m.site
    sizes = Counter(sent.values())
    return [
        _supply_alarm(Supply(site, ""), SILENT, outage.alarms, sizes[site], outage.t)
        for site, of_site in by_site.items()
        for outage in outages(of_site, _most(sizes[site]), LEAST_MACHINES)
    ]


def _most(machines: int) -> int:
    return max(LEAST_MACHINES, machines // 2 + 1)


def _supply_alarm(
    supply: Supply, fault: str, members: Iterable[Alarm], size: int, t: float
) -> SupplyAlarm:
    alarms = tuple(members)
    return SupplyAlarm(supply, fault, alarms, len({a.machine_id for a in alarms}), size, t)


def group_ids(groups: Iterable[SupplyAlarm]) -> dict[str, str]:
    """Return alarm id -> id of the alarm of its supply."""
    return {a.id: g.id for g in groups for a in g.alarms}


def _together(alarms: Sequence[Alarm], within_s: float, least: int) -> list[Sequence[Alarm]]:
    """Return the stretches of alarms, in order of time, that are of enough machines."""
    found: list[Sequence[Alarm]] = []
    first = end = 0
    counts: Counter[str] = Counter()
    while first < len(alarms):
        while end < len(alarms) and alarms[end].t - alarms[first].t <= within_s:
            counts[alarms[end].machine_id] += 1
            end += 1
        if len(counts) >= least:
            found.append(alarms[first:end])
            counts.clear()
            first = end
            continue
        counts[alarms[first].machine_id] -= 1
        if not counts[alarms[first].machine_id]:
            del counts[alarms[first].machine_id]
        first += 1
    return found
