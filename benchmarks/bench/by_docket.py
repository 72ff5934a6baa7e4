"""The system `docket`: a task of pydocket for each window and family, with the id of its entry.

    python -m benchmarks.bench.by_docket FAMILY URL LOAD

It hands out one task at a time, so each is diagnosed alone, as in the pipeline `careful`. LOAD is
`diagnosis`, `light` or `none`.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta

import redis
from docket import Docket, Worker

from benchmarks.bench import bare
from benchmarks.bench.light import light_batch
from benchmarks.bench.workload import case
from vtox import keys
from vtox.diagnosis import diagnose_batch
from vtox.faults import FAMILIES
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


def prepare(url: str, entry_ids: Sequence[str], load: str) -> None:
    """Add a task for each window and family."""

    async def add() -> None:
        for family in FAMILIES:
            async with _docket(url, family) as docket:
                for entry_id in entry_ids:
                    await docket.add(diagnose)(url, family, load, entry_id)

    asyncio.run(add())


async def serve(family: str, url: str) -> None:
    """Work until stopped."""
    async with _docket(url, family) as docket, Worker(docket, concurrency=1) as worker:
        await worker.run_forever()


def _docket(url: str, family: str) -> Docket:
    docket = Docket(name=f"bench-{family}", url=url, execution_ttl=timedelta(0))
    docket.register(diagnose, names=["diagnose"])
    return docket


if __name__ == "__main__":
    keep_freed_memory()
    asyncio.run(serve(*sys.argv[1:3]))
