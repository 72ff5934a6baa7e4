"""The system `faststream`: a message a window with the id of its entry, taken in batches.

    python -m benchmarks.bench.by_faststream FAMILY URL LOAD

A batch of FastStream must be JSON, so that the samples stay in the stream of windows and are read
from there by one pipeline a batch. LOAD is `diagnosis`, `light` or `none`.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import redis
from faststream import FastStream
from faststream.redis import RedisBroker, StreamSub

from benchmarks.bench import bare
from benchmarks.bench.light import light_batch
from benchmarks.bench.workload import BATCH, Joiner, case
from vtox.motor.diagnosis.diagnosis import diagnose_batch
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from workers.malloc import keep_freed_memory

IDS = "bench:ids"


def prepare(client: redis.Redis) -> None:
    """Make a group for each family."""
    for family in FAMILIES:
        client.xgroup_create(IDS, family, "0", mkstream=True)


@asynccontextmanager
async def publishing(url: str) -> AsyncIterator[Callable[[list[str]], Awaitable[None]]]:
    """Give a function that publishes a message for each entry."""
    async with RedisBroker(url) as broker:

        async def publish(entry_ids: list[str]) -> None:
            for entry_id in entry_ids:
                await broker.publish(entry_id, stream=IDS)

        yield publish


def app(family: str, url: str, load: str) -> FastStream:
    """Return the application of one family."""
    broker = RedisBroker(url, logger=None)
    client = redis.Redis.from_url(url)
    diagnose = light_batch if load == "light" else diagnose_batch
    joiner, ready = Joiner(family), list[bare.Entries]()
    source = StreamSub(
        IDS, group=family, consumer=str(os.getpid()), batch=True, max_records=BATCH, last_id=">"
    )

    @broker.subscriber(stream=source)
    async def handle(entry_ids: list[str]) -> None:
        pipe = client.pipeline(transaction=False)
        if load == "none":
            pipe.hincrby("bench:done", family, len(entry_ids))
            pipe.execute()
            return
        for entry_id in entry_ids:
            pipe.xrange(keys.RAW, entry_id, entry_id)
        for entry_id, reply in zip(entry_ids, pipe.execute(), strict=True):
            if complete := joiner.add(entry_id, reply[0][1]):
                ready.append(complete)
        batch, ready[:] = list(ready), []
        answers = diagnose([case(f for _, f in e) for e in batch], FAMILIES[family].faults)
        bare.add_results(pipe, family, batch, answers)
        pipe.execute()

    return FastStream(broker, logger=None)


if __name__ == "__main__":
    keep_freed_memory()
    asyncio.run(app(*sys.argv[1:4]).run())
