"""The system `docket`: a task of pydocket for each window and family, with the id of its entry.

    python -m benchmarks.bench.by_docket FAMILY URL

It hands out tasks one by one, so each is diagnosed alone, as in the pipeline `careful`. Each task
names its load: `diagnosis`, `light` or `none`.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import redis
from docket import Docket, Worker

from benchmarks.bench import bare
from benchmarks.bench.light import light_batch
from benchmarks.bench.workload import BATCH, case
from vtox.motor.diagnosis.diagnosis import diagnose_batch
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from workers.malloc import keep_freed_memory

_clients: dict[str, redis.Redis] = {}


async def diagnose(url: str, family: str, load: str, entry_id: str) -> None:
    """Read the entry, diagnose it, write its results."""
    client = _clients.setdefault(url, redis.Redis.from_url(url))
    pipe = client.pipeline(transaction=False)
    if load == "none":
        pipe.hincrby("bench:done", family, 1)
    else:
        ((_, fields),) = client.xrange(keys.RAW, entry_id, entry_id)
        batch = light_batch if load == "light" else diagnose_batch
        answers = batch([case([fields])], FAMILIES[family].faults)
        bare.add_results(pipe, family, [[(entry_id, fields)]], answers)
    pipe.execute()


@asynccontextmanager
async def adding(url: str, load: str) -> AsyncIterator[Callable[[list[str]], Awaitable[None]]]:
    """Give a function that adds a task for each entry and family."""
    async with AsyncExitStack() as stack:
        dockets = {f: await stack.enter_async_context(_docket(url, f)) for f in FAMILIES}

        async def add(entry_ids: list[str]) -> None:
            for entry_id in entry_ids:
                for family, docket in dockets.items():
                    await docket.add(diagnose)(url, family, load, entry_id)

        yield add


async def serve(family: str, url: str) -> None:
    """Work until stopped."""
    async with _docket(url, family) as docket:
        # A worker that is full sleeps for the interval: by default, and with one task at a time, it
        # does four tasks a second. A batch takes longer than this interval.
        interval = timedelta(milliseconds=10)
        async with Worker(docket, concurrency=BATCH, minimum_check_interval=interval) as worker:
            await worker.run_forever()


def _docket(url: str, family: str) -> Docket:
    docket = Docket(name=f"bench-{family}", url=url, execution_ttl=timedelta(0))
    docket.register(diagnose, names=["diagnose"])
    return docket


if __name__ == "__main__":
    keep_freed_memory()
    asyncio.run(serve(*sys.argv[1:3]))
