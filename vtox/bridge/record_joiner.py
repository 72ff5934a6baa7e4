"""Joining consecutive windows of a machine into the records that each fault family needs. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from zlib import crc32

from vtox.domain import Record
from vtox.wire import Header

# A record stays open over this many window lengths of silence, and at least the second value.
SILENT_WINDOWS, SILENT_S = 3.0, 2.0
# A window may start this share of its length away from where the last one ended: clocks jitter.
JITTER = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A window on its way into records: its entry, its header and the families still open."""

    entry_id: str
    run: str
    header: Header
    families: frozenset[str]


@dataclass(frozen=True, slots=True)
class Closed:
    """A record complete, or ended early for the reason in `record.closed`."""

    family: str
    record: Record


@dataclass(slots=True)
class _Open:
    target_s: float
    pieces: list[Piece] = field(default_factory=list)
    duration_s: float = 0.0
    since: float = 0.0


@dataclass(slots=True)
class _Line:
    """One run of one machine."""

    arrived: float
    next_seq: int | None = None
    last: Header | None = None
    waiting: dict[int, Piece] = field(default_factory=dict)
    open: dict[str, _Open] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)

    @property
    def since(self) -> float:
        """When the longest open of its records was begun."""
        return min((o.since for o in self.open.values()), default=self.arrived)


class Joiner:
    """All open records of one stream.

    Parameters
    ----------
    record_s
        (family, machine id) -> length of its records in seconds.
    reorder
        So many windows may overtake a missing one before it counts as lost.
    """

    def __init__(self, record_s: Callable[[str, str], float], reorder: int = 3) -> None:
        self.record_s = record_s
        self.reorder = reorder
        self.bytes = 0
        self._lines: dict[tuple[str, str], _Line] = {}

    def add(self, piece: Piece, now: float) -> list[Closed]:
        """Take one window and return the records it ended. `now` is any monotonic time in s."""
        h = piece.header
        line = self._lines.setdefault((h.machine_id, piece.run), _Line(now))
        line.arrived = now
        self.bytes += h.nbytes * len(piece.families)
        if line.next_seq is None or h.seq == line.next_seq:
            closed = self._accept(line, piece)
        elif h.seq in line.waiting:
            return [self._close(f, _Open(0.0, [piece]), "late window") for f in piece.families]
        elif h.seq > line.next_seq:
            line.waiting[h.seq] = piece
            closed = []
            if len(line.waiting) > self.reorder:
                closed += self._end(line, f"gap: window {line.next_seq} missing")
                line.next_seq = min(line.waiting)
        elif line.last is not None and h.t0 > line.last.t0:
            # Time went on while seq went back: the sender began anew, beyond the horizon of `Seen`.
            closed = self._end(line, "sender restarted")
            closed += self._flush(line)
            closed += self._accept(line, piece)
        else:
            return [self._close(f, _Open(0.0, [piece]), "late window") for f in piece.families]
        while line.next_seq in line.waiting:
            closed += self._accept(line, line.waiting.pop(line.next_seq))
        return closed

    def expire(self, now: float) -> list[Closed]:
        """Close the records of machines that fell silent."""
        closed: list[Closed] = []
        for key, line in list(self._lines.items()):
            length = line.last.duration_s if line.last else 0.0
            if now - line.arrived > max(SILENT_WINDOWS * length, SILENT_S):
                closed += self._flush(line)
                closed += self._end(line, "silence")
                del self._lines[key]
        return closed

    def shed(self, limit_bytes: int) -> list[Closed]:
        """Close the records that are open longest early until at most `limit_bytes` wait."""
        if self.bytes <= limit_bytes:
            return []
        closed: list[Closed] = []
        for line in sorted(self._lines.values(), key=lambda line: line.since):
            if self.bytes <= limit_bytes:
                break
            closed += self._flush(line)
            closed += self._end(line, "memory limit of open records")
        return closed

    def _accept(self, line: _Line, piece: Piece) -> list[Closed]:
        closed = self._end(line, reason) if (reason := _break(line.last, piece.header)) else []
        line.last, line.next_seq = piece.header, piece.header.seq + 1
        for family in piece.families:
            record = line.open.get(family)
            if record is None:
                target_s = self._target(line, family, piece.header)
                record = line.open[family] = _Open(target_s, since=line.arrived)
            record.pieces.append(piece)
            record.duration_s += piece.header.duration_s
            if record.duration_s >= record.target_s - 0.5 / piece.header.fs_hz:
                closed.append(self._close(family, line.open.pop(family)))
        return closed

    def _target(self, line: _Line, family: str, h: Header) -> float:
        """Return the length of the next record.

        The first long one of a run is longer by the machine's share, so that the records of a
        fleet that starts together do not all end together.
        """
        length = self.record_s(family, h.machine_id)
        first = family not in line.started
        line.started.add(family)
        if first and length > 2 * h.duration_s:
            length *= 1 + (crc32(h.machine_id.encode()) & 0xFFFF) / 0x10000
        return length

    def _flush(self, line: _Line) -> list[Closed]:
        closed: list[Closed] = []
        for seq in sorted(line.waiting):
            if seq != line.next_seq:
                closed += self._end(line, f"gap: window {line.next_seq} missing")
            closed += self._accept(line, line.waiting.pop(seq))
        return closed

    def _end(self, line: _Line, reason: str) -> list[Closed]:
        ended, line.open = line.open, {}
        return [self._close(family, record, reason) for family, record in ended.items()]

    def _close(self, family: str, record: _Open, reason: str = "") -> Closed:
        self.bytes -= sum(p.header.nbytes for p in record.pieces)
        return Closed(family, _row(record.pieces, reason))


def _row(pieces: list[Piece], reason: str) -> Record:
    first, last = pieces[0], pieces[-1]
    return Record(
        machine_id=first.header.machine_id,
        run=first.run,
        first_seq=first.header.seq,
        last_seq=last.header.seq,
        t_start=first.header.t0,
        t_end=last.header.t0 + last.header.duration_s,
        ids=" ".join(p.entry_id for p in pieces),
        windows=len(pieces),
        bytes=sum(p.header.nbytes for p in pieces),
        closed=reason,
    )


def _break(last: Header | None, h: Header) -> str:
    """Return why `h` cannot continue the record that `last` ends, or an empty string."""
    if last is None:
        return ""
    if h.fs_hz != last.fs_hz:
        return f"sampling rate changed from {last.fs_hz:g} to {h.fs_hz:g} Hz"
    if h.channels != last.channels:
        return "channels changed"
    gap = h.t0 - (last.t0 + last.duration_s)
    if h.seq != last.seq + 1:
        return f"gap: window {last.seq + 1} missing"
    if abs(gap) > JITTER * max(last.duration_s, h.duration_s):
        return f"gap of {gap:.2f} s"
    return ""


Named = tuple[str, Record]


def batches(rows: Iterable[Named], most_windows: int) -> Iterator[list[Named]]:
    """Cut (record id, row) pairs into batches of at most `most_windows`, at least one record."""
    batch: list[Named] = []
    windows = 0
    for item in rows:
        if batch and windows + item[1].windows > most_windows:
            yield batch
            batch, windows = [], 0
        batch.append(item)
        windows += item[1].windows
    if batch:
        yield batch
