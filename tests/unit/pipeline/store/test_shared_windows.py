"""The ring of windows in shared memory: a reader gets a whole window of that id, or none."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Semaphore, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.unit.pipeline.store.test_entries import RECORD
from vtox.motor.values.domain import Record
from vtox.pipeline.store.stream import shared_windows
from vtox.pipeline.store.stream.shared_memory import PREFIX, shortage
from vtox.pipeline.store.stream.shared_windows import (
    KEEP_S,
    SharedReader,
    SharedWindows,
    remove_abandoned,
)
from vtox.pipeline.windows.wire import Fields

MB = 1 << 20
MEMORY_OK = hypothesis_settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
fields = st.dictionaries(st.binary(min_size=1, max_size=9), st.binary(max_size=3000), min_size=1)
# Sizes of windows in a ring of 1 MB: some laps within an example.
sizes = st.integers(0, 300_000)


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[SharedWindows]:
    opened = SharedWindows(1, tmp_path)
    opened.begin()
    yield opened
    opened.close()


def window(k: int, size: int) -> dict[bytes, bytes]:
    return {b"seq": b"%d" % k, b"ia": bytes([k % 251]) * size, b"ib": bytes([(k + 1) % 251]) * size}


def entry_id(k: int) -> bytes:
    return b"%d-%d" % (1_700_000_000_000 + k // 3, k % 3)


def record(ring: SharedWindows, *ids: bytes) -> Record:
    text = " ".join(i.decode() for i in ids)
    return replace(RECORD, ids=text, shared=ring.places(text))


def read(folder: Path, row: Record) -> list[Fields | None] | None:
    """Return the windows of a record in the ring, None if it has none."""
    with SharedReader(folder) as reader:
        found = reader.windows(row)
    assert len(found) == len(row.ids.split())
    return found if any(found) else None


@MEMORY_OK
@given(sent=st.lists(fields, min_size=1, max_size=4))
def test_a_reader_gets_the_fields_byte_for_byte(
    ring: SharedWindows, sent: list[dict[bytes, bytes]]
) -> None:
    ids = [entry_id(k) for k in range(len(sent))]
    ring.add(zip(ids, sent, strict=True))
    assert read(ring.folder, record(ring, *ids)) == sent


@MEMORY_OK
@given(written=st.lists(sizes, min_size=1, max_size=40))
def test_a_window_is_whole_until_the_ring_has_gone_round_and_none_after(
    ring: SharedWindows, written: list[int]
) -> None:
    ring.begin()
    sent = [window(k, size) for k, size in enumerate(written)]
    rows = []
    for k, w in enumerate(sent):
        ring.add([(entry_id(k), w)])
        rows.append(record(ring, entry_id(k)))
    behind = 0
    for row, w in zip(reversed(rows), reversed(sent), strict=True):
        found = read(ring.folder, row)
        assert found is None or found == [w]
        behind += 2 * len(w[b"ia"]) + 100
        # A window that does not fit the end of the file leaves it empty, `oldest` goes in steps.
        if behind < MB // 4 and 2 * len(w[b"ia"]) < MB // 2 - 200:
            assert found
    assert (ring.folder / ring.name).stat().st_size == MB + 4096


# The first windows have left a ring of 1 MB, and the ninth was never in it.
CHOSEN = ((0, 7), (7, 8), (6, 7), (0, 1))
PREAD, PWRITE, PWRITEV = os.pread, os.pwrite, os.pwritev
Step = Callable[[], None]


class SteppedWriter:
    """Writes windows for ever, a part of a system call at each command."""

    def __init__(self, ring: SharedWindows, sizes: list[int], share: float) -> None:
        self.ring, self.sizes, self.share = ring, sizes, share
        self.go, self.waits = Semaphore(0), Semaphore(0)
        self.ended = False
        self.thread = Thread(target=self.write)

    def write(self) -> None:
        with suppress(KeyboardInterrupt):
            for k in count(len(self.sizes)):
                self.ring.add([(entry_id(k), window(k, self.sizes[k % len(self.sizes)]))])

    def step(self) -> None:
        self.go.release()
        self.waits.acquire()

    def wait(self) -> None:
        self.waits.release()
        self.go.acquire()
        if self.ended:
            raise KeyboardInterrupt

    def pwrite(self, fd: int, text: bytes, offset: int) -> int:
        self.wait()
        return PWRITE(fd, text, offset)

    def pwritev(self, fd: int, buffers: list[bytes], offset: int) -> int:
        text = b"".join(buffers)
        cut = int(self.share * len(text))
        self.wait()
        PWRITE(fd, text[:cut], offset)
        self.wait()
        PWRITE(fd, text[cut:], offset + cut)
        return len(text)

    def __enter__(self) -> Step:
        self.thread.start()
        self.waits.acquire()
        return self.step

    def __exit__(self, *_: object) -> None:
        self.ended = True
        self.go.release()
        self.thread.join()


def stopped_reads(step: Step, steps: list[int]) -> Callable[[int, int, int], bytes]:
    """Return a `pread` in halves that lets the writer go on by so many steps in turn."""
    turns = iter(steps)

    def pread(fd: int, size: int, offset: int) -> bytes:
        half = PREAD(fd, size // 2, offset)
        for _ in range(next(turns, 0)):
            step()
        return half + PREAD(fd, size - len(half), offset + len(half))

    return pread


@MEMORY_OK
@given(
    written=st.lists(st.integers(20_000, 90_000), min_size=6, max_size=9),
    target=st.integers(0, 4),
    steps=st.lists(st.integers(0, 40), min_size=3, max_size=3),
    share=st.floats(0.01, 0.99),
)
def test_a_reader_that_is_stopped_anywhere_never_takes_bytes_of_another_window(
    ring: SharedWindows, written: list[int], target: int, steps: list[int], share: float
) -> None:
    ring.begin()
    for k, size in enumerate(written):
        ring.add([(entry_id(k), window(k, size))])
    chosen = (target, target + 1)
    row = record(ring, *map(entry_id, chosen))
    writer = SteppedWriter(ring, written, share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_windows.os, "pwrite", writer.pwrite)
        patch.setattr(shared_windows.os, "pwritev", writer.pwritev)
        with writer as step:
            patch.setattr(shared_windows.os, "pread", stopped_reads(step, steps))
            found = read(ring.folder, row)
    for k, w in zip(chosen, found or (), strict=bool(found)):
        assert w in (None, window(k, written[k]))


@MEMORY_OK
@given(share=st.floats(0, 0.99), laps=st.integers(0, 2))
def test_a_window_whose_writing_was_killed_half_way_passes_for_none(
    ring: SharedWindows, share: float, laps: int
) -> None:
    ring.begin()
    for k in range(12 * laps):
        ring.add([(entry_id(k), window(k, 50_000))])
    whole = record(ring, entry_id(12 * laps - 1)) if laps else None
    k, pwritev = 99, os.pwritev
    texts = []

    def half(fd: int, buffers: list[bytes], offset: int) -> int:
        texts.append(b"".join(buffers))
        pwritev(fd, [texts[0][: int(share * len(texts[0]))]], offset)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_windows.os, "pwritev", half)
        with suppress(KeyboardInterrupt):
            ring.add([(entry_id(k), window(k, 50_000))])
    assert record(ring, entry_id(k)).shared == ""
    position = int.from_bytes(texts[0][:8], "little")
    row = replace(RECORD, ids=entry_id(k).decode())
    row = replace(row, shared=f"{ring.name} {position}:{len(texts[0])}")  # no bridge says so
    assert read(ring.folder, row) is None
    if whole:
        assert read(ring.folder, whole) == [window(12 * laps - 1, 50_000)]


def test_of_a_record_the_ring_gives_the_windows_that_it_has(ring: SharedWindows) -> None:
    for k in range(8):
        ring.add([(entry_id(k), window(k, 100_000))])
    sixth, seventh = window(6, 100_000), window(7, 100_000)
    found = {ids: read(ring.folder, record(ring, *map(entry_id, ids))) for ids in CHOSEN}
    assert found == dict(
        zip(CHOSEN, ([None, seventh], [seventh, None], [sixth, seventh], None), strict=True)
    )


def test_few_windows_take_no_more_memory_than_those_of_half_a_minute(tmp_path: Path) -> None:
    ring = SharedWindows(64, tmp_path)
    ring.begin()
    ids = [b"%d-0" % (1_700_000_000_000 + 1000 * k) for k in range(100)]
    for k, i in enumerate(ids):
        ring.add([(i, window(k, 50_000))])
        # `oldest` is up to ten windows ahead.
        kept = ids[max(0, k + 12 - int(KEEP_S)) : k + 1]
        assert "-" not in ring.places(" ".join(i.decode() for i in kept)).split()
    (path,) = tmp_path.iterdir()
    assert path.stat().st_blocks * 512 < 1.1 * (KEEP_S + 2) * 100_000
    ring.close()


def test_memory_is_taken_as_windows_come_and_given_back_at_the_end(tmp_path: Path) -> None:
    ring = SharedWindows(64, tmp_path)
    ring.begin()
    ring.add([(entry_id(0), window(0, 40_000))])
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_blocks * 512 < MB
    reader = os.open(path, os.O_RDONLY)
    ring.close()
    assert os.fstat(reader).st_size == 0
    os.close(reader)
    assert list(tmp_path.iterdir()) == []


def test_each_ownership_has_a_ring_of_its_own(ring: SharedWindows) -> None:
    ring.add([(entry_id(0), window(0, 10))])
    before = record(ring, entry_id(0))
    ring.begin()
    assert record(ring, entry_id(0)).shared == ""
    assert read(ring.folder, before) is None
    ring.add([(entry_id(0), window(1, 10))])
    assert read(ring.folder, before) is None
    assert read(ring.folder, record(ring, entry_id(0))) == [window(1, 10)]


def test_the_ring_of_a_killed_bridge_is_removed_and_that_of_a_living_one_stays(
    ring: SharedWindows, tmp_path: Path
) -> None:
    killed = SharedWindows(1, tmp_path)
    killed.begin()
    os.close(killed.fd)  # as the kernel does
    ring.add([(entry_id(0), window(0, 10))])
    remove_abandoned(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [ring.name]
    assert read(tmp_path, record(ring, entry_id(0)))


def test_a_ring_of_another_user_and_a_name_that_leads_elsewhere_are_not_read(
    ring: SharedWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.add([(entry_id(0), window(0, 10))])
    row = record(ring, entry_id(0))
    link = PREFIX + "0" * 32
    (ring.folder / link).symlink_to(ring.name)
    places = row.shared.partition(" ")[2]
    for name in (link, f"../{ring.folder.name}/{ring.name}", "", PREFIX + "1" * 32):
        assert read(ring.folder, replace(row, shared=f"{name} {places}")) is None
    monkeypatch.setattr(shared_windows.os, "geteuid", lambda: os.getuid() + 1)
    assert read(ring.folder, row) is None


@pytest.mark.parametrize(
    "shared",
    ["x", "{}", "{} 5", "{} a:b", "{} 1048576:9999999", "{} 1048653:130", "{} 1048576:8"],
)
def test_a_place_that_holds_no_window_is_none(ring: SharedWindows, shared: str) -> None:
    ring.add([(entry_id(0), window(0, 10))])
    row = replace(RECORD, ids=entry_id(0).decode(), shared=shared.format(ring.name))
    assert read(ring.folder, row) is None


def test_without_memory_there_is_no_ring_and_one_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[Any] = []
    monkeypatch.setattr(shared_windows.log, "warning", lambda *a, **k: lines.append(k["reason"]))
    missing = SharedWindows(1, tmp_path / "none")
    for _ in range(3):
        missing.begin()
    assert len(lines) == 1
    small = SharedWindows(1 << 20, tmp_path)
    assert "free" in shortage(small.capacity, tmp_path)
    small.begin()
    assert list(tmp_path.iterdir()) == []
    for ring in (missing, small, SharedWindows(0, tmp_path)):
        ring.add([(entry_id(0), window(0, 10))])
        assert record(ring, entry_id(0)).shared == ""
        ring.close()


def test_where_memory_runs_out_the_ring_goes_and_comes_back_with_the_next_ownership(
    ring: SharedWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring.add([(entry_id(0), window(0, 10))])
    before = record(ring, entry_id(0))
    with monkeypatch.context() as patch:
        patch.setattr(shared_windows.os, "pwritev", lambda *_: 5)
        ring.add([(entry_id(1), window(1, 10))])
    assert read(ring.folder, before) is None
    assert list(ring.folder.iterdir()) == []
    ring.add([(entry_id(2), window(2, 10))])
    assert record(ring, entry_id(2)).shared == ""
    ring.begin()
    ring.add([(entry_id(3), window(3, 10))])
    assert read(ring.folder, record(ring, entry_id(3))) == [window(3, 10)]
