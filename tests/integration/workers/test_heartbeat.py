"""The entries on the server that workers keep about each other."""

import subprocess
import sys
import time
from threading import Thread

import psutil

from tests.integration.helpers import count_work, eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client
from workers.heartbeat import HeartbeatThread


def test_names_of_workers_that_were_killed_are_forgotten(client: Client) -> None:
    client.sadd(keys.WORKERS, "killed", "counted")
    count_work(client, "counted", "bearing", windows=1, diagnosis_s=1.0, busy_s=1.0)
    beat = HeartbeatThread(client, "live", ("bearing",))
    thread = Thread(target=beat.run)
    thread.start()
    try:
        eventually(lambda: client.smembers(keys.WORKERS) == {b"live"})
        client.sadd(keys.WORKERS, "killed later")
        beat.next_forgetting_t = time.monotonic()
        eventually(lambda: client.smembers(keys.WORKERS) == {b"live"})
    finally:
        beat.stop.set()
        thread.join(timeout=30)


def test_a_process_that_takes_the_place_of_one_that_ended_is_measured(client: Client) -> None:
    """It is measured even if it starts after the end of the other one is noticed."""
    me, beat = psutil.Process(), HeartbeatThread(client, "w", ("bearing",))

    def look_up() -> set[int]:
        beat._cpu_percent(me)
        return {p.pid for p in beat.processes}

    with _sleeping() as first:
        assert first.pid in look_up()
        first.kill()
    assert first.pid not in look_up()
    look_up()
    with _sleeping() as second:
        assert second.pid in look_up()
        assert beat.memory_bytes > psutil.Process(second.pid).memory_info().rss / 4
        second.kill()


def _sleeping() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
