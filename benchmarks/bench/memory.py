"""A process of the system `memory`: decodes its windows, waits for the others, diagnoses.

python -m benchmarks.bench.memory URL WINDOWS SHARE [--light]      # SHARE: 0/2, 1/2
"""

import argparse
import time

from benchmarks.bench.workload import MACHINES, batched, cases, windows
from vtox.motor.diagnosis.diagnosis import diagnose_batch
from vtox.motor.faults import FAMILIES
from vtox.pipeline.store.server.client import connect
from workers.malloc import keep_freed_memory


def main() -> None:
    """Diagnose the windows, every family on records of its length, batch after batch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("windows", type=int)
    parser.add_argument("share")
    parser.add_argument("--light", action="store_true")
    options = parser.parse_args()
    keep_freed_memory()
    diagnose = diagnose_batch
    if options.light:
        from benchmarks.bench.light import light_batch

        diagnose = light_batch
    first, step = map(int, options.share.split("/"))
    # Whole machines: their records are joined from consecutive windows.
    sent = [w for k, w in enumerate(windows(options.windows)) if k % MACHINES % step == first]
    work = [(f, batch) for f in FAMILIES for batch in batched(cases(sent, f))]
    for family, (of_one, *_) in work:  # imports, plans and caches are made once, as in a worker
        diagnose([of_one], FAMILIES[family].faults)
    client = connect(options.url, "bench")
    client.sadd("bench:ready", options.share)
    while not client.get("bench:go"):
        time.sleep(0.001)
    for family, batch in work:
        diagnose(batch, FAMILIES[family].faults)
    client.sadd("bench:done", options.share)
    while not client.get("bench:end"):  # its CPU time is read while it is there
        time.sleep(0.01)


if __name__ == "__main__":
    main()
