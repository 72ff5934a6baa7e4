"""The data on all machines for a list of the fleet, read again only if it has changed.

The scripts that commit and register number each change that such a list shows (`keys.FLEET`); a
reader asks for those after the last one it knows. The cost to keep up with a fleet is thus
proportional to the number of changes, not of machines.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vtox.motor.alarms.health.assessment import Assessment
from vtox.motor.alarms.life import Alarm
from vtox.motor.alarms.priority import NOT_STATED, Concern, Importance, Priority, alarm_priority
from vtox.motor.alarms.supplies import SuppliedMachine, supply_of
from vtox.motor.values.domain import Motor
from vtox.motor.values.plain_names import names_of
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.machine_settings import MOTOR, decode_setting
from vtox.pipeline.store.machines.machine_states import health_of
from vtox.pipeline.store.machines.rhythms import Intervals, read_intervals
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.counts import read_count
from vtox.pipeline.store.stream.admissions import vehicle_of

# Machines read in one round trip.
PART = 500
# An older state is not built upon: the server's clock may have been set back since.
RECENT_S = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """A machine and its place by its nameplate; empty if that does not say."""

    machine_id: str = ""
    vehicle_id: str = ""
    site: str = ""
    asset_path: str = ""


@dataclass(frozen=True, slots=True)
class FleetMachine(Place):
    """One machine as a list of the fleet shows it."""

    health: Assessment | None = None
    behind_drive: bool = False
    importance: Importance = NOT_STATED


@dataclass(frozen=True, slots=True)
class FleetState:
    """The numbers by which a reader sees changes of the fleet.

    `epoch` names the numbering: after another one begins, nothing that was read before holds.
    `change` is the last change. `quiet` maps each machine whose last window arrived before
    `quiet_before_t` to that arrival (s, server clock). `silent` has those of them that should have
    sent by now.
    """

    epoch: str
    change: int
    listed: int
    quiet: dict[str, float]
    silent: dict[str, float]
    intervals: Intervals
    quiet_before_t: float
    t: float


class FleetChanges:
    """Says which machines have changed since its last call."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._epoch = ""
        self._change = 0

    def take(self) -> list[str] | None:
        """Return their ids; None the first time, and if all may be other ones."""
        pipe = self.client.pipeline(transaction=True)
        pipe.hmget(keys.FLEET, "epoch", "change")
        pipe.zrange(keys.FLEET_CHANGES, f"({self._change}", "+inf", byscore=True)
        (epoch, change), changed = pipe.execute()
        before = self._epoch, self._change
        self._epoch, self._change = _numbering(epoch, change)
        if not epoch or before[0] != self._epoch or self._change < before[1]:
            return None
        return names_of(changed)


def _numbering(epoch: bytes | None, change: bytes | None) -> tuple[str, int]:
    """Return name and last number of a numbering; 0 if another program wrote something else."""
    name = epoch.decode("utf-8", "replace") if epoch else ""
    return name, read_count(change)


def fleet_state(
    client: Client,
    silence_after_s: float,
    before: FleetState | None = None,
    *,
    only_reads: bool = False,
) -> FleetState:
    """Return the numbers of now; the silent machines are taken from `before` if that is recent.

    Begins a numbering if there is none, unless the reader `only_reads`: then its name is empty.
    """
    pipe = client.pipeline(transaction=False)
    pipe.hmget(keys.FLEET, "epoch", "change")
    pipe.zcard(keys.MACHINES)
    pipe.time()
    (epoch, change), listed, (seconds, micros) = pipe.execute()
    now = seconds + micros / 1e6
    name, last = _numbering(epoch, change)
    name = name or ("" if only_reads else begin_epoch(client))
    recent = before and before.epoch == name and 0 <= now - before.t < RECENT_S
    quiet = _quiet(client, now - silence_after_s, before if recent else None)
    intervals = read_intervals(client, quiet, before.intervals if before else Intervals())
    limits = ((m, t, intervals.of[m].limit_s(silence_after_s)) for m, t in quiet.items())
    return FleetState(
        epoch=name,
        change=last,
        listed=int(listed),
        quiet=quiet,
        silent={m: t for m, t, limit_s in limits if now - t > limit_s},
        intervals=intervals,
        quiet_before_t=now - silence_after_s,
        t=now,
    )


def _quiet(client: Client, before_t: float, known: FleetState | None) -> dict[str, float]:
    """Return the machines whose last window arrived before a time, with its arrival.

    Machines that were quiet already are checked only for new windows: among the quiet or among all
    that send, whichever are fewer.
    """
    since = known.quiet_before_t if known else 0.0
    pipe = client.pipeline(transaction=False)
    pipe.zrange(
        keys.MACHINES,
        f"{since!r}" if since else "(0",
        f"({before_t!r}",
        byscore=True,
        withscores=True,
    )
    pipe.zcount(keys.MACHINES, before_t, "+inf")
    newly, sending = pipe.execute()
    quiet = dict(known.quiet) if known else {}
    if sending < len(quiet):
        for m in names_of(client.zrange(keys.MACHINES, before_t, "+inf", byscore=True)):
            quiet.pop(m, None)
    elif quiet:
        arrived = zip(list(quiet), client.zmscore(keys.MACHINES, list(quiet)), strict=True)
        quiet = {m: t for m, t in arrived if t is not None and t < before_t}
    return quiet | {m: t for name, t in newly for m in names_of([name])}


def begin_epoch(client: Client) -> str:
    """Return the name of the numbering; begin one if there is none."""
    client.hsetnx(keys.FLEET, "epoch", secrets.token_hex(8))
    epoch: bytes = client.hget(keys.FLEET, "epoch")
    return epoch.decode()


def listed_machines(client: Client) -> list[str]:
    """Return the ids of all machines."""
    return names_of(client.zrange(keys.MACHINES, 0, -1))


class MachineNames:
    """The ids of all machines in their order, read again if machines have come or gone."""

    def __init__(self) -> None:
        self._names: tuple[tuple[bytes, int], list[str]] | None = None

    def read(self, client: Client) -> list[str]:
        """Return them as they are now; the list must not be changed."""
        pipe = client.pipeline(transaction=True)
        pipe.hget(keys.FLEET, "epoch")
        pipe.zcard(keys.MACHINES)
        epoch, listed = pipe.execute()
        last = self._names
        if epoch is None or last is None or last[0] != (epoch, listed):
            # A machine that comes meanwhile changes the number, which the next look finds.
            last = self._names = ((epoch, listed), sorted(listed_machines(client)))
        return last[1]


def changed_machines(client: Client, change: int) -> list[str]:
    """Return the machines of the changes after a number."""
    found = client.zrange(keys.FLEET_CHANGES, f"({change}", "+inf", byscore=True)
    return names_of(found)


def read_machines(client: Client, machine_ids: Sequence[str]) -> list[FleetMachine]:
    """Return those machines as they are now."""
    found = []
    for first in range(0, len(machine_ids), PART):
        part = machine_ids[first : first + PART]
        pipe = client.pipeline(transaction=False)
        for m in part:
            pipe.hmget(keys.machine(m), "vehicle_id", "motor", "memory")
        for m, (vehicle, motor, memory) in zip(part, pipe.execute(), strict=True):
            plate = decode_setting(motor, MOTOR) or Motor()
            found.append(
                FleetMachine(
                    machine_id=m,
                    vehicle_id=vehicle_of(vehicle) or "",
                    site=plate.site or "",
                    asset_path=plate.asset_path or "",
                    health=health_of(memory),
                    behind_drive=plate.supply == "inverter",
                    importance=Importance(plate.criticality, plate.downtime_cost_per_hour),
                )
            )
    return found


def priorities_of(
    alarms: Iterable[Alarm], machines: Mapping[str, FleetMachine]
) -> dict[str, Priority]:
    """Return alarm id -> priority of the open ones."""
    return {a.id: priority_among(a, machines) for a in alarms if a.open}


def priority_among(a: Concern, machines: Mapping[str, FleetMachine]) -> Priority:
    """Return the priority of an alarm; for an unknown machine only by the alarm itself."""
    m = machines.get(a.machine_id)
    assessed = m.health.faults.get(a.fault) if m and m.health else None
    return alarm_priority(a, assessed, m.importance if m else NOT_STATED)


def supplied_machine(m: FleetMachine) -> SuppliedMachine:
    """Return a machine with its supply."""
    supply, diagnosed = supply_of(m.site, m.asset_path), m.health is not None
    return SuppliedMachine(m.machine_id, supply, m.behind_drive, m.site, diagnosed)


def assessments(client: Client, machine_ids: Iterable[str]) -> list[Assessment | None]:
    """Return the assessment of each machine, with the reasons of its last records."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hget(keys.machine(m), "memory")
    return [health_of(memory) for memory in pipe.execute()]
