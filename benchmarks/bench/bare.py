"""A process of the system `bare`: a good redis-py loop for one family.

    python -m benchmarks.bench.bare FAMILY URL [--light]

It reads its consumer group about two megabytes at a time, joins windows to records, diagnoses them
in batches, and writes results, counter and acknowledgements in one pipeline. It has neither
deduplication nor dead letters, health nor alerts, and a process that dies loses its entries.
"""

import argparse
import os

from benchmarks.bench.workload import BATCH, CHANNELS, Joiner, case, record
from vtox.motor.diagnosis.diagnosis import diagnose_batch
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, connect
from vtox.pipeline.store.stream.entries import encode_results
from vtox.pipeline.windows.wire import Fields
from workers.malloc import keep_freed_memory

READ_BYTES = 2 << 20
WINDOW_BYTES = len(CHANNELS) * 10_000 * 2
Entries = list[tuple[str, Fields]]


def prepare(client: Client) -> None:
    """Make a group for each family."""
    for family in FAMILIES:
        client.xgroup_create(keys.RAW, family, "0", mkstream=True)


def done(client: Client) -> int:
    """Return the number of windows that all families have finished."""
    counts = client.hmget("bench:done", *FAMILIES)
    return min(int(c or 0) for c in counts)


def drain(client: Client, family: str, light: bool) -> None:
    """Work until stopped."""
    diagnose = diagnose_batch
    if light:
        from benchmarks.bench.light import light_batch

        diagnose = light_batch
    joiner = Joiner(family)
    ready: list[Entries] = []
    count = READ_BYTES // WINDOW_BYTES
    me = str(os.getpid())
    while True:
        reply = client.xreadgroup(family, me, {keys.RAW: ">"}, count=count, block=1000)
        for _, entries in reply or ():
            for entry_id, fields in entries:
                if complete := joiner.add(entry_id.decode(), fields):
                    ready.append(complete)
        # A short read has reached the end of the stream: nothing is gained by waiting.
        at_end = not reply or len(reply[0][1]) < count
        while ready and (len(ready) >= BATCH or at_end):
            batch, ready = ready[:BATCH], ready[BATCH:]
            cases = [case(f for _, f in entries) for entries in batch]
            answers = diagnose(cases, FAMILIES[family].faults)
            commit(client, family, batch, answers)


def commit(client: Client, family: str, batch: list[Entries], answers: list) -> None:  # type: ignore[type-arg]
    """Write the results of a batch, in one pipeline."""
    pipe = client.pipeline(transaction=False)
    for entries, diagnoses in zip(batch, answers, strict=True):
        of = record(entries)
        for entry, _ in encode_results(family, [(of, d, "") for d in diagnoses]):
            pipe.xadd(keys.RESULTS, dict(zip(*entry, strict=True)))
    pipe.hincrby("bench:done", family, sum(map(len, batch)))
    pipe.xack(keys.RAW, family, *(i for entries in batch for i, _ in entries))
    pipe.execute()


def main() -> None:
    """Drain one family's group."""
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("url")
    parser.add_argument("--light", action="store_true")
    options = parser.parse_args()
    keep_freed_memory()
    drain(connect(options.url, "bench"), options.family, options.light)


if __name__ == "__main__":
    main()
