import pytest

from vtox.motor.values.domain import Record
from vtox.pipeline.bridge.waiting_records import WaitingRecords


def record(seq: int, windows: int = 2, size: int = 100) -> Record:
    ids = " ".join(f"{seq + k}-0" for k in range(windows))
    return Record(
        machine_id="M",
        run="",
        first_seq=seq,
        last_seq=seq + windows - 1,
        t_start=0.0,
        t_end=1.0,
        ids=ids,
        windows=windows,
        bytes=size,
    )


def test_the_first_records_leave_as_far_as_there_is_room() -> None:
    waiting = WaitingRecords(0.04)
    for n in range(5):
        waiting.add(f"r{n}", record(2 * n), now=float(n))
    assert (len(waiting), waiting.windows, waiting.since) == (5, 10, 0.0)
    assert waiting.longest_s(7.0) == 7.0
    assert [name for name, _ in waiting.fitting(3, 10_000)] == ["r0", "r1"]
    assert [name for name, _ in waiting.fitting(100, 101)] == ["r0", "r1"]
    assert waiting.fitting(0, 10_000) == waiting.fitting(10, 0) == []
    waiting.remove(waiting.fitting(3, 10_000))
    assert (waiting.windows, waiting.longest_s(7.0)) == (6, 5.0)
    assert list(waiting.entry_ids()) == [f"{k}-0" for k in range(4, 10)]
    waiting.remove(waiting.fitting(100, 10_000))
    assert not waiting
    assert waiting.longest_s(7.0) is None
    waiting.add("r9", record(9), now=9.0)
    assert waiting.since == 9.0
    assert waiting.due_in_s(9.0) == pytest.approx(0.04)
    assert waiting.due_in_s(9.1) < 0
