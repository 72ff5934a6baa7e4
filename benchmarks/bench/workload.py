"""The windows that every system gets, and the records that they make."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from zlib import crc32

from vtox.motor.diagnosis.diagnosis import DiagnosisInput
from vtox.motor.faults import FAMILIES
from vtox.motor.simulator.fleet import SimulatedMachine, fleet
from vtox.motor.simulator.signals import window as simulate
from vtox.motor.values.domain import Array, Motor, Record, Recording, Window
from vtox.motor.values.record_lengths import record_length_s
from vtox.pipeline.windows.wire import Fields, decode_channels, encode

MACHINES = 50
CHANNELS = ("ia", "ib", "ic", "vibration")
FS_HZ = 1e4
START_T = 1.7e9
# Windows in which every machine completes a record of each family, the longest of 10 s.
CYCLE = 10 * MACHINES
# Windows in a batch of the systems that choose it themselves.
BATCH = 32


@dataclass(frozen=True, slots=True)
class Sent:
    """One window: the entry of the stream, and its samples."""

    machine_id: str
    seq: int
    fields: dict[str, str | bytes]
    channels: dict[str, Array]


@cache
def machines(n: int = MACHINES) -> list[SimulatedMachine]:
    """Return healthy machines whose records are the shortest, so that a short drain ends them."""
    of_shortest = (
        m
        for m in fleet(8 * n, seed=1)
        if m.fault is None
        and all(record_length_s(f.name, m.motor) == f.min_record_s for f in FAMILIES.values())
    )
    return list(itertools.islice(of_shortest, n))


@cache
def _motors() -> dict[str, Motor]:
    return {m.machine_id: m.motor for m in machines()}


def live_name(k: int) -> str:
    """Return the name of the k-th machine that sends live: a nameplate of 50, and a number."""
    again, which = divmod(k, MACHINES)
    return f"{machines()[which].machine_id}-{again}"


@cache
def drained_name(which: int) -> str:
    """Return the name of a machine whose windows wait: again a nameplate, and a number.

    VTOX makes the first record of a machine longer by a share that depends on the name, so that
    those of a fleet do not end together. The share of this name is 0, so that a drain of whole
    records leaves none open, and its end is known.
    """
    names = (f"{machines()[which].machine_id}-{n}" for n in itertools.count())
    return next(name for name in names if crc32(name.encode()) & 0xFFFF == 0)


def motor(machine_id: str) -> Motor:
    """Return the nameplate of a machine."""
    return _motors()[machine_id.partition("-")[0]]


def windows(total: int) -> list[Sent]:
    """Return windows in the order in which a live fleet sends them."""
    fleet = machines()
    return [
        window(fleet[k % len(fleet)], k // len(fleet), drained_name(k % len(fleet)))
        for k in range(total)
    ]


def window(machine: SimulatedMachine, seq: int, name: str) -> Sent:
    """Return one second of a machine under some name."""
    made, _ = simulate(machine, seq)
    channels = {c: made[c] for c in CHANNELS}
    t0 = START_T + seq
    w = Window(machine_id=name, seq=seq, t0=t0, fs_hz=FS_HZ, channels=channels)
    return Sent(name, seq, encode(w), channels)


class Joiner:
    """Joins the windows of a machine to records as long as a family needs; none is missing here."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.windows = round(FAMILIES[family].min_record_s)
        self._open: dict[str, list[tuple[str, Fields]]] = {}

    def add(self, entry_id: str, fields: Fields) -> list[tuple[str, Fields]] | None:
        """Take a window; return the record's windows when it is complete."""
        open_ = self._open.setdefault(fields[b"machine_id"].decode(), [])
        open_.append((entry_id, fields))
        if len(open_) < self.windows:
            return None
        del self._open[fields[b"machine_id"].decode()]
        return open_


def case(entries: Iterable[Fields]) -> DiagnosisInput:
    """Return the input of a diagnoser for consecutive windows of a machine."""
    entries = list(entries)
    recording = Recording(channels=decode_channels(*entries), fs_hz=FS_HZ)
    return DiagnosisInput(recording, motor(entries[0][b"machine_id"].decode()))


def record(entries: list[tuple[str, Fields]]) -> Record:
    """Return the record that consecutive windows make."""
    first, last = entries[0][1], entries[-1][1]
    return Record(
        machine_id=first[b"machine_id"].decode(),
        run="",
        first_seq=int(first[b"seq"]),
        last_seq=int(last[b"seq"]),
        t_start=float(first[b"t0"]),
        t_end=float(last[b"t0"]) + 1.0,
        ids=" ".join(i for i, _ in entries),
        windows=len(entries),
        bytes=sum(len(fields[c.encode()]) for _, fields in entries for c in CHANNELS),
    )


def as_read(sent: Sent) -> Fields:
    """Return an entry as the server returns it."""
    return {
        k.encode(): v if isinstance(v, bytes) else str(v).encode() for k, v in sent.fields.items()
    }


def cases(sent: Iterable[Sent], family: str) -> Iterator[DiagnosisInput]:
    """Yield the records of a family in the order in which they are complete."""
    joiner = Joiner(family)
    for k, s in enumerate(sent):
        if entries := joiner.add(f"{k}-1", as_read(s)):
            yield case(fields for _, fields in entries)


def batched(items: Iterable[DiagnosisInput]) -> Iterator[list[DiagnosisInput]]:
    """Yield lists of `BATCH` items."""
    items = iter(items)
    while batch := list(itertools.islice(items, BATCH)):
        yield batch
