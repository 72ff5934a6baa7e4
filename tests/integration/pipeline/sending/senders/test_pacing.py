"""Windows into the raw stream: in time, and bounded."""

import threading
import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from vtox.motor.errors import InputError
from vtox.motor.values.domain import Window
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.configuration import keys
from vtox.pipeline.sending.senders import pacing
from vtox.pipeline.sending.senders.pacing import Job, first_t0, parse_speed, send
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.window_log import backlog, create_group


def window(seq: int, samples: int = 1000) -> Window:
    x = np.sin(np.arange(samples) * 0.3 + seq)
    return Window(
        machine_id="M1",
        seq=seq,
        t0=1_764_000_000.0 + seq,
        fs_hz=1000.0,
        channels={"ia": 10 * x, "vibration": 0.1 * x},
        run="r1",
        speed_rpm=1450.0,
    )


def jobs(count: int, every_s: float = 1.0, samples: int = 1000) -> Iterator[Job]:
    for seq in range(count):
        yield Job((seq + 1) * every_s, partial(window, seq, samples))


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_real_time_keeps_its_schedule(client: Client, speed: float) -> None:
    def slow(seq: int) -> Window:
        time.sleep(0.03)
        return window(seq)

    start = time.time()
    due = [Job(0.05 * speed * (seq + 1), partial(slow, seq)) for seq in range(10)]
    progress = list(send(client, due, speed))
    arrivals = [int(i.partition(b"-")[0]) / 1000 - start for i, _ in client.xrange(keys.RAW)]
    assert progress[-1].sent == 10
    late = [arrived - 0.05 * (k + 1) for k, arrived in enumerate(arrivals)]
    assert min(late) > -0.01, "none before its time"
    # A busy host delays some of them; delays that add up would be 0.15 s from the fifth on.
    assert min(late[5:]) < 0.15, "delays do not add up"


def test_a_sender_far_behind_leaves_a_gap(client: Client) -> None:
    def slow(seq: int) -> Window:
        time.sleep(1.5 if seq == 0 else 0.0)
        return window(seq)

    late = [Job(0.02 * seq, partial(slow, seq)) for seq in range(50)] + [
        Job(2.0, partial(slow, 50))
    ]
    last = list(send(client, late, 1.0, late_s=1.0))[-1]
    seqs = [int(fields[b"seq"]) for _, fields in client.xrange(keys.RAW)]
    assert last.sent + last.dropped == 51
    assert last.sent == len(seqs)
    assert 24 <= last.dropped, "those due until a second before it was free"
    assert (seqs[0], seqs[-1]) == (0, 50), "what is due later comes"


def test_full_speed_waits_for_the_workers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "BATCH_BYTES", 40_000)
    monkeypatch.setattr(pacing, "MAX_AHEAD_BYTES", 200_000)
    create_group(client, keys.RAW)
    finished = threading.Event()

    def work() -> None:
        while not finished.is_set():
            reply = client.xreadgroup(keys.GROUP, "w", {keys.RAW: ">"}, count=20, block=50)
            for entry_id, _ in reply[0][1] if reply else []:
                client.xack(keys.RAW, keys.GROUP, entry_id)

    worker = threading.Thread(target=work)
    most = 0
    for progress in send(client, jobs(300), None):
        most = max(most, backlog(client))
        if progress.behind and not worker.is_alive():
            worker.start()
    finished.set()
    worker.join()
    # 4,000 bytes a window: 50 ahead, and one pipeline of ten.
    assert progress.sent == 300
    assert 40 <= most <= 60


def test_before_the_first_start_everything_waits(client: Client) -> None:
    assert backlog(client) == 0
    Publisher(client).publish([window(0)])
    assert backlog(client) == 1


def test_speeds() -> None:
    assert [parse_speed(t) for t in ("1", "10", "0.5", "max")] == [1.0, 10.0, 0.5, None]
    for text in ("0", "-1", "fast", "inf", "nan"):
        with pytest.raises(InputError, match="--speed"):
            parse_speed(text)


@pytest.mark.parametrize(("speed", "first"), [(1.0, 100.0), (10.0, 10.0), (None, 0.0)])
def test_the_last_window_ends_as_it_is_sent(speed: float | None, first: float) -> None:
    assert first_t0(100.0, 100.0, speed) == pytest.approx(first)
