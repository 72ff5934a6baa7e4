"""Pipelines as one writes them with Celery first: a task for each window and family.

`naive` has the samples in its arguments, float32 as base64 in JSON; `careful` has the id of the
window's entry and reads it from the stream. Without Celery's acknowledgements on Redis, which cost
most of it, unless `NAIVE_ACKNOWLEDGEMENTS` is set. A task sees one window: broken bars and bearings
are asked on 1 s where VTOX asks on 10 and 2 s, which spares these pipelines joining and work.
"""

import base64
import os

import numpy as np
import redis
from celery import Celery
from kombu import Exchange, Queue

from benchmarks.bench.light import light_batch
from benchmarks.bench.workload import CHANNELS, FS_HZ, Sent, case, motor
from vtox.motor.diagnosis.diagnosis import DiagnosisInput, diagnose_batch
from vtox.motor.faults import FAMILIES
from vtox.motor.values.domain import Recording
from vtox.pipeline.configuration import keys

URL = os.environ["NAIVE_URL"]
RESULTS = "naive:results"
DIAGNOSE = light_batch if os.environ.get("NAIVE_LIGHT") == "1" else diagnose_batch

app = Celery("naive", broker=URL)
app.conf.update(
    broker_transport_options={
        "global_keyprefix": "naive:",
        "ack_emulation": bool(os.environ.get("NAIVE_ACKNOWLEDGEMENTS")),
    },
    task_ignore_result=True,
    task_queues=[
        Queue(f"naive_{f}", Exchange(f"naive_{f}"), routing_key=f"naive_{f}") for f in FAMILIES
    ],
    worker_concurrency=1,
)
client = redis.Redis.from_url(URL)


@app.task(name="naive.diagnose")
def diagnose(family: str, machine_id: str, seq: int, data: dict[str, str]) -> None:
    """Decode, diagnose, write one result."""
    channels = {n: np.frombuffer(base64.b64decode(x), "<f4") for n, x in data.items()}
    recording = Recording(channels=channels, fs_hz=FS_HZ)
    _finish(family, machine_id, seq, DiagnosisInput(recording, motor(machine_id)))


@app.task(name="careful.diagnose")
def diagnose_entry(family: str, machine_id: str, seq: int, entry_id: str) -> None:
    """Read the entry, diagnose, write one result."""
    ((_, fields),) = client.xrange(keys.RAW, entry_id, entry_id)
    _finish(family, machine_id, seq, case([fields]))


def _finish(family: str, machine_id: str, seq: int, of: DiagnosisInput) -> None:
    (diagnoses,) = DIAGNOSE([of], FAMILIES[family].faults)
    states = {d.fault: d.state for d in diagnoses}
    client.xadd(RESULTS, {"family": family, "machine_id": machine_id, "seq": seq} | states)
    client.hincrby("bench:done", family, 1)


def send_naive(sent: Sent) -> None:
    """Send a window's tasks, samples and all."""
    data = {
        n: base64.b64encode(sent.channels[n].astype("<f4").tobytes()).decode() for n in CHANNELS
    }
    for family in FAMILIES:
        _send(diagnose, family, (family, sent.machine_id, sent.seq, data))


def send_careful(sent: Sent) -> bytes:
    """Send a window to the stream, and tasks that name its entry; return its id."""
    entry_id: bytes = client.xadd(keys.RAW, sent.fields)  # type: ignore[arg-type]
    for family in FAMILIES:
        _send(diagnose_entry, family, (family, sent.machine_id, sent.seq, entry_id.decode()))
    return entry_id


def _send(task: object, family: str, args: tuple[object, ...]) -> None:
    queue = f"naive_{family}"
    task.apply_async(args, queue=queue, routing_key=queue)  # type: ignore[attr-defined]
