"""The pipeline that VTOX is compared with: one task a window and fault, samples in the task.

Celery's own defaults except for the queue: base64 of float32 samples in JSON arguments, results to
a stream, acknowledgements on.
"""

import base64
import os

import numpy as np
import redis
from celery import Celery
from kombu import Exchange, Queue

from benchmarks.stub_diagnosis import light_load

URL = os.environ["NAIVE_URL"]
FAMILIES = ("turn_short", "bearing", "broken_bar")
RESULTS = "naive:results"

app = Celery("naive", broker=URL)
app.conf.update(
    broker_transport_options={"global_keyprefix": "naive:"},
    task_ignore_result=True,
    task_queues=[
        Queue(f"naive_{f}", Exchange(f"naive_{f}"), routing_key=f"naive_{f}") for f in FAMILIES
    ],
    worker_concurrency=1,
)
client = redis.Redis.from_url(URL)


def encode(channels: dict[str, np.ndarray]) -> dict[str, str]:
    """Return base64 text per channel."""
    return {n: base64.b64encode(x.astype("<f4").tobytes()).decode() for n, x in channels.items()}


@app.task(name="naive.diagnose")
def diagnose(fault: str, machine_id: str, seq: int, fs_hz: float, data: dict[str, str]) -> None:
    """Decode, do the light load, write one result."""
    channels = {n: np.frombuffer(base64.b64decode(x), "<f4") for n, x in data.items()}
    level = float(light_load(np.stack(list(channels.values()))[None])[0])
    client.xadd(RESULTS, {"fault": fault, "machine_id": machine_id, "seq": seq, "level": level})
