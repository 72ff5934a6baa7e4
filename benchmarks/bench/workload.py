"""The windows that every system gets, and the records that they make."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from vtox.diagnosis import DiagnosisInput
from vtox.domain import Array, Motor, Record, Recording, Window
from vtox.faults import FAMILIES, record_length_s
from vtox.simulator.fleet import Machine, fleet
from vtox.simulator.signals import window as simulate
from vtox.wire import Fields, decode_channels, encode

MACHINES = 50
CHANNELS = ("ia", "ib", "ic", "vibration")
FS_HZ = 1e4
START_T = 1.7e9
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
def machines(n: int = MACHINES) -> list[Machine]:
    """Return healthy machines whose long records take 10 s, so that a short drain ends them."""
    of_ten_seconds = (
        m
        for m in fleet(6 * n, seed=1)
        if m.fault is None and record_length_s("broken_bar", m.motor) == 10.0
    )
    return list(itertools.islice(of_ten_seconds, n))


@cache
def motors() -> dict[str, Motor]:
    """Return machine -> nameplate."""
    return {m.machine_id: m.motor for m in machines()}


def windows(total: int) -> list[Sent]:
    """Return windows in the order in which a live fleet sends them."""
    fleet = machines()
    return [window(fleet[k % len(fleet)], k // len(fleet)) for k in range(total)]


def window(machine: Machine, seq: int, t0: float | None = None) -> Sent:
    """Return one second of a machine."""
    made, _ = simulate(machine, seq)
    channels = {c: made[c] for c in CHANNELS}
    start = START_T + seq if t0 is None else t0
    w = Window(machine_id=machine.machine_id, seq=seq, t0=start, fs_hz=FS_HZ, channels=channels)
    return Sent(machine.machine_id, seq, encode(w), channels)


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
    """Return what a diagnoser gets of consecutive windows of a machine."""
    entries = list(entries)
    recording = Recording(channels=decode_channels(*entries), fs_hz=FS_HZ)
    return DiagnosisInput(recording, motors()[entries[0][b"machine_id"].decode()])


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
