"""The sender of the live run, a process of its own: each machine a window a second, evenly.

    python -m benchmarks.bench.sender URL MACHINES SECONDS

The samples are those of 50 machines over ten seconds; the entries differ in machine, number and
time. It prints how late the last entry was, in seconds, and how many a full server refused.
"""

import sys
import time

import redis

from benchmarks.bench import workload
from vtox import keys
from vtox.store.client import connect

SECONDS_OF_SAMPLES = 10
SLICES_PER_S = 50


def name(k: int) -> str:
    """Return the name of the k-th machine."""
    return f"LIVE-{k:05d}"


def send(url: str, machines: int, seconds: float) -> tuple[float, int]:
    """Send for some seconds; return how late the last slice was, s, and how many were refused."""
    client = connect(url, "sender")
    fleet = workload.machines()
    samples = [[workload.window(m, seq).fields for seq in range(SECONDS_OF_SAMPLES)] for m in fleet]
    began, late, sent, refused = time.time(), 0.0, 0, 0
    for step in range(int(seconds * SLICES_PER_S)):
        pipe = client.pipeline(transaction=False)
        until = (step + 1) * machines // SLICES_PER_S
        for k in range(sent, until):
            seq, machine = divmod(k, machines)
            fields = samples[machine % len(fleet)][seq % SECONDS_OF_SAMPLES]
            # Its last sample was taken when it is sent.
            own = {"machine_id": name(machine), "seq": seq, "t0": began + k / machines - 1}
            pipe.xadd(keys.RAW, fields | own)  # type: ignore[arg-type]
        replies = pipe.execute(raise_on_error=False)
        refused += sum(isinstance(r, redis.OutOfMemoryError) for r in replies)
        sent = until
        late = time.time() - began - (step + 1) / SLICES_PER_S
        time.sleep(max(0.0, -late))
    return late, refused


if __name__ == "__main__":
    late, refused = send(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    print(f"{late:.3f} {refused}")
