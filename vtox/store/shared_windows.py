"""Windows in the shared memory of a host: written once by the bridge, read by workers beside it.

A window crosses the server's wire four times, once to the bridge and once to each family. The
bridge therefore puts what it has read into a file in memory, a ring of the latest windows, and says
in the row of each record where its windows lie. A worker reads them there; what it does not find,
because it runs on another host or the ring has gone round, it fetches from the stream.

A place in the ring is a position that only grows. A window is written to its place once, and before
it is overwritten `oldest` passes it: a reader that finds the place not passed after it has copied
the window has copied a whole one, however long it was stopped meanwhile. Each ownership of the
stream has a file of its own, so that no two bridges write to one. A row names the file of the
ownership that made it, which has read the entries of the row and nothing else under their ids: no
other server, and no other life of this one, can lead to it.

The file is read and written by system calls, not mapped: where memory runs out, writing fails
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
from typing import Self

import structlog

from vtox.domain import Record
from vtox.store.streams import Entry
from vtox.wire import Fields

log = structlog.get_logger()

FOLDER = Path("/dev/shm")
PREFIX = "vtox-windows-"
_SHARED = re.compile(PREFIX + r"[0-9a-f]{32}( \d{1,18}:\d{1,9})+")
# `oldest` and its complement: whatever was half written or never is recognised.
_OLDEST = struct.Struct("<QQ")
# Position, entry id (ms, number), bytes, number of fields; then the lengths of names and values.
_SLOT = struct.Struct("<QQQII")
# The position again, behind the samples: a window of which it is missing was never finished.
_END = struct.Struct("<Q")
# Windows begin at the second page.
_BEGIN = 4096
_ALL_ONES = (1 << 64) - 1
# `oldest` moves on by this share of the ring at a time: fewer writes, and 2 % fewer windows.
_STEP = 64
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
        """Begin an empty ring, for a new ownership; without one where there is no memory for it."""
        self.close()
        if not self.capacity:
            return
        try:
            remove_abandoned(self.folder)
            if problem := shortage(self.capacity, self.folder):
                return self._do_without(problem)
            self.fd, self.name = _create(self.folder, self.capacity)
            self._problem = ""
        except OSError as error:
            self._do_without(f"{self.folder}: {error.strerror}")

    def add(self, entries: Iterable[Entry]) -> None:
        """Put windows into the ring, in place of the oldest."""
        try:
            for entry_id, fields in entries:
                if self.fd >= 0 and fields:
                    self._add(entry_id, fields)
        except OSError as error:
            self.close()
            self._do_without(f"{self.folder}: {error.strerror}")

    def places(self, ids: str) -> str:
        """Return where the windows of a record lie (`Record.shared`), empty if not all are here."""
        found = [self._places.get(i) for i in ids.split()]
        places = [f"{p[0]}:{p[1]}" for p in found if p]
        return " ".join((self.name, *places)) if len(places) == len(found) else ""

    def close(self) -> None:
        """Give the memory back; readers find nothing any more."""
        if self.fd >= 0:
            _remove(self.folder / self.name, self.fd)
            os.close(self.fd)
        self.fd, self.name = -1, ""
        self._reset()

    def _reset(self) -> None:
        # Positions begin above 0, which is what memory holds that was never written.
        self._head = self._oldest = self.capacity
        # Entry id -> position and bytes, the oldest first.
        self._places: dict[str, tuple[int, int]] = {}

    def _do_without(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("no ring of windows: workers fetch from the server", reason=problem)

    def _add(self, entry_id: bytes, fields: Fields) -> None:
        lengths = [len(x) for item in fields.items() for x in item]
        table = struct.pack(f"<{len(lengths)}I", *lengths)
        size = _SLOT.size + len(table) + sum(lengths) + _END.size
        if size > self.capacity // 2 or len(lengths) + 2 > _MAX_BUFFERS:
            return
        left = self.capacity - self._head % self.capacity
        start = self._head + (left if size > left else 0)
        self._pass(start + size - self.capacity)
        ms, _, n = entry_id.partition(b"-")
        slot = _SLOT.pack(start, int(ms), int(n), size, len(fields)) + table
        buffers = [slot, *(x for item in fields.items() for x in item), _END.pack(start)]
        if os.pwritev(self.fd, buffers, _BEGIN + start % self.capacity) < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._head = start + size
        key = entry_id.decode()
        self._places.pop(key, None)
        self._places[key] = (start, size)

    def _pass(self, needed: int) -> None:
        """Say that nothing before a position will be whole any more, before it is overwritten."""
        if needed <= self._oldest:
            return
        self._oldest = needed + self.capacity // _STEP
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

    def windows(self, record: Record) -> list[Fields] | None:
        """Return the windows of a record as they were sent, None unless all are here and whole."""
        if not _SHARED.fullmatch(record.shared):
            return None
        name, *places = record.shared.split()
        ids = record.ids.split()
        if len(places) != len(ids):
            return None
        ring = self._ring(name)
        return ring.windows(list(zip(ids, places, strict=True))) if ring else None

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

    def windows(self, places: list[tuple[str, str]]) -> list[Fields] | None:
        copies, positions = [], []
        for entry_id, place in places:
            position, size = map(int, place.split(":"))
            if (copy := self._copy(entry_id, position, size)) is None:
                return None
            copies.append(copy)
            positions.append(position)
        # Only now: what was overwritten while it was copied is known by that.
        if min(positions) < self._oldest():
            return None
        windows = [w for copy in copies if (w := _fields(copy)) is not None]
        return windows if len(windows) == len(copies) else None

    def _copy(self, entry_id: str, position: int, size: int) -> bytes | None:
        if self.capacity <= 0:
            return None
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


def shortage(capacity: int, folder: Path = FOLDER) -> str:
    """Return why there is no room for a ring of some bytes, empty where there is."""
    try:
        space = os.statvfs(folder)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    free = space.f_bavail * space.f_frsize
    # What our rings have taken already is no shortage: one of them may be this one.
    taken = 0
    for path in folder.glob(PREFIX + "*"):
        with suppress(OSError):
            taken += 512 * path.stat().st_blocks
    short = free + taken < capacity
    return f"{folder} has {free >> 20} MB free, needs {capacity >> 20} MB" if short else ""


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
    """Remove a ring and its memory, also for those who still have it open."""
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):
        os.ftruncate(fd, 0)


def _fields(copy: bytes) -> Fields | None:
    """Return the fields of a window from its slot, None where lengths and size disagree."""
    count = _SLOT.unpack_from(copy)[4]
    at = _SLOT.size + 8 * count
    if at > len(copy):
        return None
    lengths = struct.unpack_from(f"<{2 * count}I", copy, _SLOT.size)
    if at + sum(lengths) + _END.size != len(copy):
        return None
    parts = []
    for n in lengths:
        parts.append(copy[at : at + n])
        at += n
    return dict(zip(parts[::2], parts[1::2], strict=True))
