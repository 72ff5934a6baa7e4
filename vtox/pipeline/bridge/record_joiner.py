"""Joining consecutive windows of a machine into the records that each fault family needs. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import ceil, floor, inf
from zlib import crc32

from vtox.motor.values.domain import Reason, Record, reason
from vtox.pipeline.windows.wire import Header

# A record is closed after this many window lengths without data, but not before this many seconds.
MAX_SILENCE_WINDOWS, MIN_SILENCE_S = 3.0, 2.0
# A window may start this many window lengths away from the end of the last one: clocks jitter.
MAX_JITTER_WINDOWS = 0.5


@dataclass(frozen=True, slots=True)
class Piece:
    """A window to be joined into the records of those families that have not assigned it yet."""

    entry_id: str
    run: str
    header: Header
    families: frozenset[str]
    trace: str = ""  # the span of its admission, as traceparent


@dataclass(frozen=True, slots=True)
class ClosedRecord:
    """A complete record of a family, or one that ended early for the reason in `record.closed`."""

    family: str
    record: Record


@dataclass(slots=True)
class _OpenRecord:
    target_s: float
    pieces: list[Piece] = field(default_factory=list)
    duration_s: float = 0.0
    opened: float = 0.0


@dataclass(slots=True)
class _Run:
    """One run of one machine: its open records, and windows that wait for an earlier one."""

    arrived: float
    next_seq: int | None = None
    last: Header | None = None
    waiting: dict[int, Piece] = field(default_factory=dict)
    open: dict[str, _OpenRecord] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    # When it is looked at next, at the latest as soon as it may be silent.
    looked_at: float = inf

    @property
    def silent_from(self) -> float:
        """The time from which it is silent if no window comes."""
        return self.arrived + (_silence_s(self.last) if self.last else MIN_SILENCE_S)

    @property
    def opened(self) -> float:
        """When its oldest open record was opened."""
        return min((o.opened for o in self.open.values()), default=self.arrived)


_Key = tuple[str, str]  # machine, run


class Joiner:
    """All open records of one stream.

    Parameters
    ----------
    record_s
        (family, machine id) -> length of its records in seconds.
    reorder
        Number of later windows that may arrive before a missing one counts as lost.
    places
        ids of a record -> where its windows are shared (`Record.shared`).
    partition
        The number of the stream's partition.
    """

    def __init__(
        self,
        record_s: Callable[[str, str], float],
        reorder: int = 3,
        places: Callable[[str], str] = lambda ids: "",
        partition: int = 0,
    ) -> None:
        self.record_s = record_s
        self.reorder = reorder
        self.places = places
        self.partition = partition
        self.bytes = 0
        self._runs: dict[_Key, _Run] = {}
        # Each run once at least, by `looked_at`: runs that send on are looked at once in a while.
        self._to_look_at: list[tuple[float, _Key]] = []

    def add(self, piece: Piece, now: float) -> list[ClosedRecord]:
        """Join one window and return the records that it ends; `now` is any monotonic time in s."""
        key = piece.header.machine_id, piece.run
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = _Run(now)
        run.arrived = now
        closed = self._add(run, piece)
        if run.silent_from < run.looked_at:
            self._look_again(key, run)
        return closed

    def _add(self, run: _Run, piece: Piece) -> list[ClosedRecord]:
        h = piece.header
        self.bytes += h.nbytes * len(piece.families)
        if run.next_seq is None or h.seq == run.next_seq:
            closed = self._accept(run, piece)
        elif h.seq in run.waiting:
            return self._alone(piece)
        elif h.seq > run.next_seq:
            run.waiting[h.seq] = piece
            closed = []
            if len(run.waiting) > self.reorder:
                closed += self._end(run, _missing(run))
                run.next_seq = min(run.waiting)
        elif run.last is not None and h.t0 > run.last.t0:
            # Time went on but seq went back: the sender restarted, beyond the horizon of the filter
            # of duplicates.
            closed = self._end(run, reason("ended_by_restart"))
            closed += self._flush(run)
            closed += self._accept(run, piece)
        else:
            return self._alone(piece)
        while run.next_seq in run.waiting:
            closed += self._accept(run, run.waiting.pop(run.next_seq))
        return closed

    def entry_ids(self) -> set[str]:
        """Return the entries that wait here for the end of a record."""
        waiting = (p for run in self._runs.values() for p in run.waiting.values())
        opened = (p for run in self._runs.values() for o in run.open.values() for p in o.pieces)
        return {p.entry_id for pieces in (waiting, opened) for p in pieces}

    def expire(self, now: float) -> list[ClosedRecord]:
        """Close the records of runs that have fallen silent."""
        closed: list[ClosedRecord] = []
        while self._to_look_at and self._to_look_at[0][0] < now:
            t, key = heappop(self._to_look_at)
            run = self._runs.get(key)
            if run is None or run.looked_at != t:
                continue
            if run.silent_from < now:
                closed += self._flush(run)
                closed += self._end(run, reason("ended_by_silence"))
                del self._runs[key]
            else:
                self._look_again(key, run)
        return closed

    def _look_again(self, key: _Key, run: _Run) -> None:
        run.looked_at = run.silent_from
        heappush(self._to_look_at, (run.looked_at, key))

    def close_oldest(self, limit_bytes: int) -> list[ClosedRecord]:
        """Close the oldest open records early until at most `limit_bytes` wait."""
        if self.bytes <= limit_bytes:
            return []
        closed: list[ClosedRecord] = []
        for run in sorted(self._runs.values(), key=lambda run: run.opened):
            if self.bytes <= limit_bytes:
                break
            closed += self._flush(run)
            closed += self._end(run, reason("ended_by_memory_limit"))
        return closed

    def _alone(self, piece: Piece) -> list[ClosedRecord]:
        """Return a late window as a separate record in each family."""
        why = reason("ended_by_late_window")
        return [self._close(f, _OpenRecord(0.0, [piece]), why) for f in piece.families]

    def _accept(self, run: _Run, piece: Piece) -> list[ClosedRecord]:
        closed = self._end(run, why) if (why := _break(run.last, piece.header)) else []
        run.last, run.next_seq = piece.header, piece.header.seq + 1
        for family in piece.families:
            record = run.open.get(family)
            if record and record.pieces[-1].header.seq + 1 != piece.header.seq:
                # The windows between are in a record that this family made before a rebuild.
                why = reason("ended_by_rebuild", seq=piece.header.seq)
                closed.append(self._close(family, run.open.pop(family), why))
                record = None
            if record is None:
                target_s = self._target(run, family, piece.header)
                record = run.open[family] = _OpenRecord(target_s, opened=run.arrived)
            record.pieces.append(piece)
            record.duration_s += piece.header.duration_s
            if record.duration_s >= record.target_s - 0.5 / piece.header.fs_hz:
                closed.append(self._close(family, run.open.pop(family)))
        return closed

    def _target(self, run: _Run, family: str, h: Header) -> float:
        """Return the length of the next record in seconds.

        The first one of a run has up to twice as many windows, less one, depending on the machine's
        id. The records of a fleet that starts together then do not all end together: as many of
        them end at each of the windows that a record takes.
        """
        length = self.record_s(family, h.machine_id)
        if family in run.started:
            return length
        run.started.add(family)
        share = (crc32(h.machine_id.encode()) & 0xFFFF) / 0x10000
        windows = ceil((length - 0.5 / h.fs_hz) / h.duration_s)
        return length + floor(share * windows) * h.duration_s

    def _flush(self, run: _Run) -> list[ClosedRecord]:
        closed: list[ClosedRecord] = []
        for seq in sorted(run.waiting):
            if seq != run.next_seq:
                closed += self._end(run, _missing(run))
            closed += self._accept(run, run.waiting.pop(seq))
        return closed

    def _end(self, run: _Run, why: Reason) -> list[ClosedRecord]:
        ended, run.open = run.open, {}
        return [self._close(family, record, why) for family, record in ended.items()]

    def _close(self, family: str, record: _OpenRecord, why: Reason | None = None) -> ClosedRecord:
        pieces = record.pieces
        first, last = pieces[0], pieces[-1]
        size = sum([p.header.nbytes for p in pieces])
        self.bytes -= size
        ids = " ".join([p.entry_id for p in pieces])
        row = Record(
            machine_id=first.header.machine_id,
            run=first.run,
            first_seq=first.header.seq,
            last_seq=last.header.seq,
            t_start=first.header.t0,
            t_end=last.header.t0 + last.header.duration_s,
            ids=ids,
            windows=len(pieces),
            bytes=size,
            closed=why,
            shared=self.places(ids),
            traces=" ".join([p.trace for p in pieces if p.trace]),
            partition=self.partition,
            arrived_ms=_arrived_ms(last, why),
        )
        return ClosedRecord(family, row)


def _silence_s(last: Header) -> float:
    """Return the time, s, without a window after which its record ends."""
    return max(MAX_SILENCE_WINDOWS * last.duration_s, MIN_SILENCE_S)


def _arrived_ms(last: Piece, why: Reason | None) -> int:
    """Return when the record was complete, 0 for the arrival of its last window.

    A sensor that sends a snapshot and pauses ends each record by silence. No window is late
    meanwhile.
    """
    if why is None or why.code != "ended_by_silence":
        return last.header.arrived_ms
    arrived_ms = last.header.arrived_ms or int(last.entry_id.partition("-")[0])
    return arrived_ms + round(1000 * _silence_s(last.header))


def _missing(run: _Run) -> Reason:
    assert run.next_seq is not None
    return reason("ended_by_missing_window", seq=run.next_seq)


def _break(last: Header | None, h: Header) -> Reason | None:
    """Return why `h` cannot continue the record that ends with `last`, None if it can."""
    if last is None:
        return None
    if h.fs_hz != last.fs_hz:
        return reason("ended_by_rate_change", before_hz=last.fs_hz, after_hz=h.fs_hz)
    if h.channels != last.channels:
        return reason("ended_by_channel_change")
    if h.seq != last.seq + 1:
        return reason("ended_by_missing_window", seq=last.seq + 1)
    gap_s = h.t0 - (last.t0 + last.duration_s)
    if abs(gap_s) > MAX_JITTER_WINDOWS * max(last.duration_s, h.duration_s):
        return reason("ended_by_gap", gap_s=gap_s)
    return None


NamedRecord = tuple[str, Record]
# A worker holds the samples of a batch several times over. A full batch of the usual windows, 80 kB
# each, has 20 MB.
MAX_BATCH_BYTES = 64 << 20


def batches(rows: Iterable[NamedRecord], max_windows: int) -> Iterator[list[NamedRecord]]:
    """Cut (record id, record) pairs into batches of at most `max_windows`, at least one record."""
    batch: list[NamedRecord] = []
    windows = size = 0
    for item in rows:
        windows += item[1].windows
        size += item[1].bytes
        if batch and (windows > max_windows or size > MAX_BATCH_BYTES):
            yield batch
            batch, windows, size = [], item[1].windows, item[1].bytes
        batch.append(item)
    if batch:
        yield batch
