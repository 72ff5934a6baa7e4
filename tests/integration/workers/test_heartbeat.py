"""What workers keep on the server of each other."""

import time
from threading import Thread

from tests.integration.helpers import eventually
from vtox import keys
from vtox.store import heartbeats
from vtox.store.client import Client
from workers.heartbeat import Heartbeat


def test_names_of_workers_that_were_killed_are_forgotten(client: Client) -> None:
    client.sadd(keys.WORKERS, "killed", "counted")
    heartbeats.count_batch(client, "counted", "bearing", windows=1, diagnosis_s=1.0, busy_s=1.0)
    beat = Heartbeat(client, "live", ["bearing"])
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
