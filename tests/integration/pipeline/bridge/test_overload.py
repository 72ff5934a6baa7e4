"""Senders three times as fast as the workers: bounded, refused with an error, caught up after."""

import queue
import time
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
import redis

from tests.integration.helpers import T0, Worker, bridging, counters, eventually
from vtox.motor.faults import FAMILIES
from vtox.pipeline.cluster.embedded_server import EmbeddedServer
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import load
from vtox.pipeline.store.ledger.retention import server_memory
from vtox.pipeline.store.server.client import connect
from vtox.pipeline.store.stream.window_log import group_info

pytestmark = pytest.mark.long

SENT, LIMIT_MB, IN_FLIGHT = 800, 64, 64
# While the senders send, the workers finish one window in so many.
OVERLOAD = 3
SAMPLES = np.arange(30_000, dtype="<i2").tobytes()


def test_three_times_what_the_workers_finish_is_held_back(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, redis_maxmemory_mb=LIMIT_MB, in_flight_windows=IN_FLIGHT)
    tasks: queue.Queue[tuple[str, list[str]]] = queue.Queue()
    with (
        EmbeddedServer(settings),
        connect(settings.working_url(), "test") as client,
        connect(settings.working_url(), "worker") as connection,
    ):
        stop, relieved, worker = Event(), Event(), Worker(connection, settings)
        accepted = refused = 0

        def work_slowly() -> None:
            while not stop.is_set() or not tasks.empty():
                try:
                    family, ids = tasks.get(timeout=0.05)
                except queue.Empty:
                    continue
                worker.work(family, ids)
                finished = worker.entries.total() / len(FAMILIES)
                while OVERLOAD * finished > accepted + refused and not relieved.wait(0.005):
                    pass

        thread = Thread(target=work_slowly)
        thread.start()
        peaks = {"in_flight": 0, "share": 0.0}
        try:
            with bridging(settings, lambda family, ids: tasks.put((family, ids))):
                for k in range(SENT):
                    fields = {"machine_id": f"M{k % 8}", "seq": k // 8, "t0": T0 + k // 8}
                    entry = fields | {"fs_hz": 30_000, "dtype": "i2"}
                    try:
                        client.xadd(keys.RAW, entry | dict.fromkeys(("ia", "ib", "ic"), SAMPLES))
                        accepted += 1
                    except redis.OutOfMemoryError:
                        refused += 1
                    if k % 20 == 0:
                        now = counters(client)
                        most = max(now.get(f"in_flight_windows:{f}", 0) for f in FAMILIES)
                        peaks["in_flight"] = max(peaks["in_flight"], most)
                        peaks["share"] = max(peaks["share"], server_memory(client).share)
                    time.sleep(0.002)
                relieved.set()
                eventually(lambda: group_info(client, keys.RAW).lag == 0)
                eventually(lambda: group_info(client, keys.RAW).pending == 0)
        finally:
            relieved.set()
            stop.set()
            thread.join()
        assert refused, "the sender is told"
        # A record may end several windows beyond the limit.
        assert peaks["in_flight"] <= IN_FLIGHT + 8 * 40
        assert peaks["share"] < 1.1
        assert counters(client)["windows_done"] == accepted
        assert worker.entries.total() == pytest.approx(accepted * len(FAMILIES))
