"""Windows in the shared memory of a host: written once by the bridge, read by workers there.

A window crosses the server's wire four times, once to the bridge and once to each family. The
bridge therefore puts the windows read into a file in memory, a ring of the latest windows. The row
of each record names the places of its windows. A worker reads them there. It fetches the other
windows from the stream: it may run on another host, or the ring has gone round.

A place in the ring is a position that only grows. A window is written to its place once, and before
it is overwritten `oldest` passes it. A reader first copies a window and then looks at `oldest`. If
that has not passed the place, the copy is whole, however long the reader was stopped meanwhile.

Each ownership of the stream has its own file, so that no two bridges write to one. A row names the
file of the ownership that made it. This ownership has read the entries of the row and nothing else
under their ids: no other server, and no other life of this one, can lead to it.

The file is read and written by system calls, not mapped. If memory runs out, writing then fails
with an error and not with a signal, and a file that was cut off reads as empty.
"""

import errno
import fcntl
import os
import re
import secrets
import struct
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import structlog

from vtox.motor.values.domain import Record
from vtox.pipeline.store.stream.shared_memory import FOLDER, PREFIX, shortage
from vtox.pipeline.store.stream.window_log import Entry
from vtox.pipeline.windows.wire import Fields

log = structlog.get_logger()

# The place of a window, or the mark that it is not in the ring.
_SHARED = re.compile(PREFIX + r"[0-9a-f]{32}( (\d{1,18}:\d{1,9}|-))+")
ELSEWHERE = "-"
# `oldest` and its complement: a value that was written by half, or never, is recognised.
_OLDEST = struct.Struct("<QQ")
# Position, entry id (ms, number), bytes, number of fields; then the lengths of names and values.
_SLOT = struct.Struct("<QQQII")
# The position again, behind the samples: a window of which it is missing was never finished.
_END = struct.Struct("<Q")
# Windows begin at the second page.
_BEGIN = 4096
_ALL_ONES = (1 << 64) - 1
# Windows older than this are overwritten even if the ring has room: memory that it never needed
# stays free. Most records end within this time.
KEEP_S = 30.0
# `oldest` moves on by this many bytes at a time, or this share of the ring: fewer writes, and a few
# windows fewer.
_STEP_BYTES, _STEP_SHARE = 1 << 20, 1 / 64
# Longer values are samples.
_SHORT_BYTES = 256
# Buffers in one system call.
_MAX_BUFFERS = os.sysconf("SC_IOV_MAX") if "SC_IOV_MAX" in os.sysconf_names else 1024


class SharedWindows:
    """The bridge's end: the ring of one ownership of the stream."""

    def __init__(self, megabytes: int, folder: Path = FOLDER) -> None:
        self.capacity = megabytes << 20
        self.folder = folder
        self.fd = -1
        self.name = ""
        self._problem = ""
        self._reset()

    def begin(self) -> None:
        """Begin an empty ring, for a new ownership; without one if there is no memory for it."""
        self.close()
        if not self.capacity:
            return
        try:
            remove_abandoned(self.folder)
            if problem := shortage(self.capacity, self.folder):
                return self._report_no_ring(problem)
            self.fd, self.name = _create(self.folder, self.capacity)
            self._problem = ""
        except OSError as error:
            self._report_no_ring(f"{self.folder}: {error.strerror}")

    def add(self, entries: Iterable[Entry]) -> None:
        """Put windows into the ring, in place of the oldest."""
        try:
            for entry_id, fields in entries:
                if self.fd >= 0 and fields:
                    self._add(entry_id, fields)
        except OSError as error:
            self.close()
            self._report_no_ring(f"{self.folder}: {error.strerror}")

    def places(self, ids: str) -> str:
        """Return the places of a record's windows (`Record.shared`), empty if none is here."""
        found = [self._places.get(i) for i in ids.split()]
        places = [f"{p[0]}:{p[1]}" if p else ELSEWHERE for p in found]
        return " ".join((self.name, *places)) if any(found) else ""

    def close(self) -> None:
        """Give the memory back; readers find nothing any more."""
        if self.fd >= 0:
            _remove(self.folder / self.name, self.fd)
            os.close(self.fd)
        self.fd, self.name = -1, ""
        self._reset()

    def _reset(self) -> None:
        # Positions begin above 0, the content of memory that was never written.
        self._head = self._oldest = self.capacity
        # When the first window at the beginning of the file arrived, ms since 1970.
        self._lap_ms = 0
        # Entry id -> position and bytes, the oldest first.
        self._places: dict[str, tuple[int, int]] = {}

    def _report_no_ring(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("no ring of windows: workers fetch from the server", reason=problem)

    def _add(self, entry_id: bytes, fields: Fields) -> None:
        lengths = [len(x) for item in fields.items() for x in item]
        table = struct.pack(f"<{len(lengths)}I", *lengths)
        size = _SLOT.size + len(table) + sum(lengths) + _END.size
        if size > self.capacity // 2 or len(lengths) + 2 > _MAX_BUFFERS:
            return
        ms, n = map(int, entry_id.split(b"-"))
        start = self._next_start(size, ms)
        self._pass(start + size - self.capacity)
        slot = _SLOT.pack(start, ms, n, size, len(fields)) + table
        buffers = [slot, *(x for item in fields.items() for x in item), _END.pack(start)]
        if os.pwritev(self.fd, buffers, _BEGIN + start % self.capacity) < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._head = start + size
        key = entry_id.decode()
        self._places.pop(key, None)
        self._places[key] = (start, size)

    def _next_start(self, size: int, ms: int) -> int:
        """Return the place of a window: behind the last one, or at the beginning of the file."""
        done = self._head % self.capacity
        old = done > 0 and ms - self._lap_ms > 1000 * KEEP_S
        if done == 0 or old or size > self.capacity - done:
            self._lap_ms = ms
            return self._head + (self.capacity - done) % self.capacity
        return self._head

    def _pass(self, needed: int) -> None:
        """Say that nothing before a position will be whole any more, before it is overwritten."""
        if needed <= self._oldest:
            return
        self._oldest = needed + min(_STEP_BYTES, int(_STEP_SHARE * self.capacity))
        os.pwrite(self.fd, _oldest_bytes(self._oldest), 0)
        while self._places:
            first = next(iter(self._places))
            if self._places[first][0] >= self._oldest:
                break
            del self._places[first]


class SharedReader:
    """A worker's end, open while it fetches the records of one batch."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._rings: dict[str, _Ring | None] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def windows(self, record: Record) -> list[Fields | None]:
        """Return the windows of a record as they were sent, None for one not here and whole."""
        ids = record.ids.split()
        if _SHARED.fullmatch(record.shared):
            name, *places = record.shared.split()
            if len(places) == len(ids) and (ring := self._ring(name)):
                return ring.windows(list(zip(ids, places, strict=True)))
        return [None] * len(ids)

    def _ring(self, name: str) -> "_Ring | None":
        if name not in self._rings:
            try:
                fd = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:  # another host, another user, or an ownership that has ended
                self._rings[name] = None
            else:
                self._open.callback(os.close, fd)
                status = os.fstat(fd)
                own = status.st_uid == os.geteuid()
                self._rings[name] = _Ring(fd, status.st_size - _BEGIN) if own else None
        return self._rings[name]


class _Ring:
    def __init__(self, fd: int, capacity: int) -> None:
        self.fd = fd
        self.capacity = capacity

    def windows(self, places: list[tuple[str, str]]) -> list[Fields | None]:
        copies = [(place, self._copy(entry_id, place)) for entry_id, place in places]
        # Only now: it shows the windows that were overwritten during the copy.
        oldest = self._oldest()
        return [_fields(c) if c and _position(p) >= oldest else None for p, c in copies]

    def _copy(self, entry_id: str, place: str) -> bytes | None:
        if self.capacity <= 0 or place == ELSEWHERE:
            return None
        position, size = map(int, place.split(":"))
        copy = os.pread(self.fd, size, _BEGIN + position % self.capacity)
        if len(copy) < max(size, _SLOT.size + _END.size):
            return None
        ms, _, n = entry_id.partition("-")
        stored = (*_SLOT.unpack_from(copy)[:4], *_END.unpack_from(copy, size - _END.size))
        return copy if stored == (position, int(ms), int(n), size, position) else None

    def _oldest(self) -> int:
        stored = os.pread(self.fd, _OLDEST.size, 0)
        if len(stored) == _OLDEST.size:
            oldest, complement = _OLDEST.unpack(stored)
            if oldest ^ _ALL_ONES == complement:
                return int(oldest)
        return _ALL_ONES


def _position(place: str) -> int:
    return int(place.partition(":")[0])


def remove_abandoned(folder: Path = FOLDER) -> None:
    """Remove the rings that bridges of this user left when they were killed."""
    for path in folder.glob(PREFIX + "*"):
        with suppress(OSError):
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while its bridge lives
                _remove(path, fd)
            finally:
                os.close(fd)


def _create(folder: Path, capacity: int) -> tuple[int, str]:
    """Make the file of a ring, for this user alone; its memory is taken when it is written to."""
    name = PREFIX + secrets.token_hex(16)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(folder / name, flags, 0o600)
    try:
        # Another bridge that looks for abandoned rings just now may have it: then not this time.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.fstat(fd).st_nlink:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        os.ftruncate(fd, _BEGIN + capacity)
        os.pwrite(fd, _oldest_bytes(capacity), 0)
    except OSError:
        os.close(fd)
        raise
    return fd, name


def _oldest_bytes(oldest: int) -> bytes:
    return _OLDEST.pack(oldest, oldest ^ _ALL_ONES)


def _remove(path: Path, fd: int) -> None:
    """Remove a ring and its memory, also for processes that still have it open."""
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):
        os.ftruncate(fd, 0)


def _fields(copy: bytes) -> Fields | None:
    """Return the fields of a window from its slot, None if lengths and size disagree."""
    count = _SLOT.unpack_from(copy)[4]
    at = _SLOT.size + 8 * count
    if at > len(copy):
        return None
    lengths = struct.unpack_from(f"<{2 * count}I", copy, _SLOT.size)
    if at + sum(lengths) + _END.size != len(copy):
        return None
    view = memoryview(copy)
    parts: list[Any] = []
    for n in lengths:
        # Samples are not copied a second time: numpy reads them where they are.
        parts.append(copy[at : at + n] if n <= _SHORT_BYTES else view[at : at + n])
        at += n
    return dict(zip(parts[::2], parts[1::2], strict=True))
