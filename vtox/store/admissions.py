"""What the bridge keeps of the windows that it admits: one transaction for each read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vtox import keys
from vtox.store.client import Client
from vtox.wire import Header

Decision = Literal["new", "again", "duplicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What becomes of a valid window.

    `mark` identifies the window, `forgotten` are marks that fell out of the horizon, `run` is the
    run it belongs to, `families` those that have not assigned it to a record yet. `progress` is set
    where only one family may see it (a dead letter sent again).
    """

    entry_id: str
    header: Header
    decision: Decision
    mark: str
    forgotten: tuple[str, ...]
    run: str
    restarted: bool
    families: frozenset[str]
    progress: bytes | None = None

    @property
    def arrived_t(self) -> float:
        """When the window came to the server, s since 1970 by its clock."""
        return int(self.entry_id.partition("-")[0]) / 1000


def known_windows(client: Client, machine_ids: Iterable[str]) -> list[dict[str, str]]:
    """Return for each machine the windows within the horizon: mark -> entry id."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hgetall(keys.known_windows(m))
    return [{k.decode(): v.decode() for k, v in kept.items()} for kept in pipe.execute()]


def record(client: Client, admissions: Sequence[Admission]) -> set[str]:
    """Keep marks, counts and arrivals; return the machines that were not listed before."""
    new = [a for a in admissions if a.decision == "new"]
    arrivals = {a.header.machine_id: a.arrived_t for a in new}
    restarts = sum(a.restarted for a in new)
    pipe = client.pipeline(transaction=True)
    if arrivals:
        pipe.zmscore(keys.MACHINES, list(arrivals))
        pipe.zadd(keys.MACHINES, arrivals)
        pipe.hincrby(keys.COUNTERS, "windows_in", len(new))
    if restarts:
        pipe.hincrby(keys.COUNTERS, "senders_restarted", restarts)
    for machine_id, marks in _mark_changes(admissions).items():
        added = {mark: entry_id for mark, entry_id in marks.items() if entry_id}
        if added:
            pipe.hset(keys.known_windows(machine_id), mapping=added)
        if len(added) < len(marks):
            pipe.hdel(keys.known_windows(machine_id), *(marks.keys() - added.keys()))
    for a in admissions:
        if a.progress is not None:
            pipe.hsetnx(keys.PROGRESS, a.entry_id, a.progress)
    replies = pipe.execute()
    if not arrivals:
        return set()
    return {m for m, t in zip(arrivals, replies[0], strict=True) if t is None}


def set_vehicle(client: Client, machine_id: str, vehicle_id: str) -> None:
    """Keep the vehicle that a machine is in."""
    client.hset(keys.machine(machine_id), "vehicle_id", vehicle_id)


def _mark_changes(admissions: Iterable[Admission]) -> dict[str, dict[str, str]]:
    """Return machine -> mark -> its entry id, empty for a mark that is forgotten."""
    changes: dict[str, dict[str, str]] = {}
    for a in admissions:
        marks = changes.setdefault(a.header.machine_id, {})
        if a.decision == "new":
            marks[a.mark] = a.entry_id
        marks.update(dict.fromkeys(a.forgotten, ""))
    return changes
