"""The sender of a live run, a separate process: each machine a window a second, evenly.

    python -m benchmarks.bench.sender SYSTEM URL MACHINES SECONDS

The samples are those of 50 machines over ten seconds; the windows differ in machine, number and
time. All machines begin in the same second, so that their long records end together. It prints a
line when it begins. At its end it prints as JSON how late the last windows were, how many a full
server refused, and the arrival of each (`sending.py`).
"""

import json
import sys
import time
from dataclasses import replace
from typing import Any

from benchmarks.bench import workload
from benchmarks.bench.sending import Send
from benchmarks.bench.workload import Sent

SECONDS_OF_SAMPLES = 10
SLICES_PER_S = 50


def send_evenly(send: Send, machines: int, seconds: float) -> dict[str, Any]:
    """Send for some seconds; return the figures that `main` prints."""
    fleet = workload.machines()
    samples = [
        [workload.window(m, seq, m.machine_id) for seq in range(SECONDS_OF_SAMPLES)] for m in fleet
    ]
    print("begins", flush=True)
    began, late_s, sent = time.time(), 0.0, 0
    arrivals: list[tuple[str, int, float | None]] = []
    for step in range(int(seconds * SLICES_PER_S)):
        until = (step + 1) * machines // SLICES_PER_S
        windows: list[Sent] = []
        for k in range(sent, until):
            seq, machine = divmod(k, machines)
            of = samples[machine % len(fleet)][seq % SECONDS_OF_SAMPLES]
            # Its last sample was taken when it is sent.
            own = {
                "machine_id": workload.live_name(machine),
                "seq": str(seq),
                "t0": str(began + k / machines - 1),
            }
            windows.append(
                replace(of, machine_id=own["machine_id"], seq=seq, fields=of.fields | own)
            )
        if windows:
            taken = zip(windows, send(windows), strict=True)
            arrivals += [(w.machine_id, w.seq, ms) for w, ms in taken]
        sent = until
        late_s = time.time() - began - (step + 1) / SLICES_PER_S
        time.sleep(max(0.0, -late_s))
    refused = sum(ms is None for *_, ms in arrivals)
    return {"late_s": late_s, "refused": refused, "arrivals": arrivals}


def main() -> None:
    """Send, and print."""
    from benchmarks.bench.systems import SYSTEMS

    name, url, machines, seconds = sys.argv[1:]
    with SYSTEMS[name].way(url) as send:
        print(json.dumps(send_evenly(send, int(machines), float(seconds))))


if __name__ == "__main__":
    main()
