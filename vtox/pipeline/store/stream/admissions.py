"""The bridge's data on the windows that it admits: one script for each read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vtox.motor.values import codec
from vtox.motor.values.plain_names import names_of
from vtox.motor.values.rhythm import Rhythm
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.server.scripts import fenced, source
from vtox.pipeline.store.stream.window_log import id_ms
from vtox.pipeline.windows.partitions import FIRST, Partition
from vtox.pipeline.windows.prints import LAST_PRINT
from vtox.pipeline.windows.wire import Header

Decision = Literal["new", "again", "duplicate"]

# The marks of a machine live this long after its last window, or an hour less: the life time is not
# renewed with each read.
MARKS_LIFE_S, RENEWAL_S = 7 * 24 * 3600, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The handling of a valid window.

    `mark` identifies the window, `epoch` counts the restarts of its sender, and `forgotten` are
    marks that fell out of the horizon. `run` is the run it belongs to, `families` the ones that
    have not assigned it to a record yet. `print` is that of its samples, empty if it is not kept.
    `progress` is the row to begin with, None if the window has one already.
    """

    entry_id: str
    header: Header
    decision: Decision
    mark: str
    epoch: int
    forgotten: tuple[str, ...]
    run: str
    restarted: bool
    families: frozenset[str]
    progress: bytes | None = None
    print: str = ""

    @property
    def arrived_t(self) -> float:
        """When the window came to the server, s since 1970 by its clock.

        After that was set back, ids stay ahead of it: the window came before the server's time now.
        """
        return arrived_ms(self.entry_id.encode(), self.header) / 1000


def arrived_ms(entry_id: bytes, header: Header) -> int:
    """Return when a window came to the server, ms since 1970 by its clock.

    One that was moved from another partition says itself when it came there.
    """
    return header.arrived_ms or id_ms(entry_id)


@dataclass(frozen=True, slots=True)
class _KnownMachine:
    """The data kept of a machine that sends (again): recent windows, vehicle, clock, rhythm.

    `marks` maps a window to its entry id, followed by `#` and its epoch if that is not 0.
    """

    marks: dict[str, str]
    vehicle_id: str | None
    clock_off: bool
    rhythm: Rhythm | None


def vehicle_of(stored: bytes | None) -> str | None:
    """Return the vehicle of a machine, None if there is none, or no name of one."""
    return next(iter(names_of([stored or b""])), None)


def known_machines(client: Client, machine_ids: Iterable[str]) -> list[_KnownMachine]:
    """Return the data kept of each machine."""
    pipe = client.pipeline(transaction=False)
    for m in machine_ids:
        pipe.hgetall(keys.known_windows(m))
        pipe.hmget(keys.machine(m), "vehicle_id", "clock", "rhythm")
    replies = iter(pipe.execute())
    return [
        _KnownMachine(
            {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in marks.items()},
            vehicle_of(vehicle),
            clock is not None,
            codec.decode_or_none(Rhythm, rhythm),
        )
        for marks, (vehicle, clock, rhythm) in zip(replies, replies, strict=True)
    ]


def strangers(client: Client, machine_ids: Sequence[str], limit: int) -> frozenset[str]:
    """Return those machines that are not listed and, `limit` being reached, have no room either.

    The first of `machine_ids` come in first.
    """
    pipe = client.pipeline(transaction=False)
    pipe.zcard(keys.MACHINES)
    for m in machine_ids:
        pipe.zscore(keys.MACHINES, m)
    listed, *arrivals = pipe.execute()
    unlisted = [m for m, t in zip(machine_ids, arrivals, strict=True) if t is None]
    return frozenset(unlisted[max(limit - listed, 0) :])


@dataclass(frozen=True, slots=True)
class Recorded:
    """The server's reply to admissions: machines not listed before, its time."""

    unlisted: frozenset[str]
    now_t: float


def record(
    client: Client,
    token: str,
    admissions: Sequence[Admission],
    *,
    partition: Partition = FIRST,
    partitions: int = 1,
) -> Recorded:
    """Keep marks, counts, arrivals and rows of progress in one script.

    `partitions` is the number of them by which they were found to be of this one.

    Raises `LeaseLost`, `StaleState`: `token` no longer holds the lease; another number of
    partitions is in force.
    """
    new = [a for a in admissions if a.decision == "new"]
    # When it came to this partition: that of a window that waited elsewhere would set a machine
    # back that sends here by now.
    arrivals = {a.header.machine_id: id_ms(a.entry_id.encode()) / 1000 for a in new}
    rows = {a.entry_id: a.progress for a in admissions if a.progress is not None}
    restarts = sum(a.restarted for a in new)
    life = (MARKS_LIFE_S, MARKS_LIFE_S - RENEWAL_S)
    args: list[Any] = [token, len(new), restarts, *life, partitions]
    for members in (arrivals, rows):
        args.append(len(members))
        for name, value in members.items():
            args += [name, value]
    p = partition
    where = [p.lease, keys.MACHINES, keys.COUNTERS, p.progress, keys.PARTITIONS]
    for machine_id, marks in _mark_changes(admissions).items():
        added = {mark: entry_id for mark, entry_id in marks.items() if entry_id}
        forgotten = marks.keys() - added.keys()
        where.append(keys.known_windows(machine_id))
        args += [len(added), *(x for item in added.items() for x in item)]
        args += [len(forgotten), *forgotten]
    with fenced():
        unlisted, now = _script(client)(keys=where, args=args)
    return Recorded(
        unlisted=frozenset(x.decode() for x in unlisted),
        now_t=float(now),
    )


def _script(client: Client) -> Any:
    return client.register_script(source("admit", shared=True))


def set_vehicle(client: Client, machine_id: str, vehicle_id: str) -> None:
    """Keep the vehicle that a machine is in."""
    where = [keys.machine(machine_id), keys.FLEET, keys.FLEET_CHANGES]
    script = client.register_script(source("set_field", shared=True))
    script(keys=where, args=[machine_id, "vehicle_id", vehicle_id, 1])


def _mark_changes(admissions: Iterable[Admission]) -> dict[str, dict[str, str]]:
    """Return machine -> mark -> its entry id and epoch, empty for a mark that is forgotten."""
    changes: dict[str, dict[str, str]] = {}
    for a in admissions:
        marks = changes.setdefault(a.header.machine_id, {})
        if a.decision == "new":
            marks[a.mark] = f"{a.entry_id}#{a.epoch}" if a.epoch else a.entry_id
            if a.print:
                marks[LAST_PRINT] = f"{a.entry_id}#{a.mark} {a.print}"
        marks.update(dict.fromkeys(a.forgotten, ""))
    return changes
