"""The systems: how each is sent to, its processes, and the measure of its progress."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.bench import bare, live, sending
from benchmarks.bench.measure import Running, cpu_s, running, server_process, wait_for, worker
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import Client, connect

NAIVE_RESULTS = "naive:results"
LIGHT = ("-I", "benchmarks.stub_diagnosis")
# Windows that the slow pipelines drain: their rate does not depend on how many there are.
FEW = 300
# Limit of the server's memory, the same for all.
SERVER_MB = 8192
# Program, as `cpu_by_role` names it -> part.
PARTS = {"valkey": "server", "uvicorn": "API", "flower": "Flower", "vtox up": "supervisor"}
# Machines learn a baseline once in their life, in their first minutes: not in these. All results
# are kept, as latency is read from them.
OF_VTOX = {"VTOX_BASELINE_AUTO": "false", "VTOX_KEEP__RESULTS": "2GB"}


@dataclass(frozen=True, slots=True)
class Ground:
    """The server, folders and options of a round."""

    client: Client
    url: str
    data_dir: str
    load: str = "diagnosis"  # the load of a task; or "light"
    broker_url: str = ""
    batch_windows: int | None = None  # of a task of VTOX, at most; None: as shipped


Start = Callable[[Ground], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class System:
    """One system; `start` runs it on a wiped server."""

    way: sending.Way
    start: Start
    done: Callable[[Client], int]  # windows finished by all families
    results: str = keys.RESULTS
    # It joins windows to records of several seconds. The others diagnose each window alone.
    joins: bool = True
    few: int | None = None  # windows that it drains at most
    start_live: Start | None = None  # where more runs live than in a drain


def _parts(ground: Ground, parts: Mapping[str, psutil.Process]) -> Running:
    of = {"server": server_process(ground.client)} | dict(parts)
    return Running(
        ground.client,
        ground.url,
        list(parts.values()),
        lambda: {name: cpu_s([p]) for name, p in of.items()},
    )


@contextmanager
def _by_family(
    ground: Ground, command: Callable[[str], list[str]], env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a process for each family."""
    with running([command(f) for f in FAMILIES], env) as workers:
        yield _parts(ground, dict(zip(FAMILIES, workers, strict=True)))


def _bare(ground: Ground) -> AbstractContextManager[Running]:
    bare.prepare(ground.client)
    light = ["--light"] if ground.load == "light" else []
    python = [sys.executable, "-m", "benchmarks.bench.bare"]
    return _by_family(ground, lambda f: [*python, f, ground.url, *light])


def _celery(ground: Ground) -> AbstractContextManager[Running]:
    env = {"NAIVE_URL": ground.url, "NAIVE_LIGHT": str(int(ground.load == "light"))}
    return _by_family(ground, lambda f: worker("benchmarks.naive_celery", f"naive_{f}"), env)


@contextmanager
def _vtox(ground: Ground) -> Iterator[Running]:
    """Run bridge, a worker of each queue, and the recorder."""
    env = (
        OF_VTOX
        | live.OWN_SERVER
        | {
            "VTOX_BROKER_URL": ground.broker_url,
            "VTOX_DATA_DIR": ground.data_dir,
            "VTOX_KEEP__WINDOWS": "0s",
            "VTOX_COORDINATOR_PORT": "18901",
            "VTOX_WORKER_PORT": "18902",
        }
    )
    if ground.batch_windows:
        env["VTOX_BATCH_WINDOWS"] = str(ground.batch_windows)
    more = LIGHT if ground.load == "light" else ()
    python = [sys.executable, "-m", "vtox"]
    with running([worker("vtox", f, *more) for f in FAMILIES], env) as workers:
        wait_for(lambda: ground.client.scard(keys.WORKERS) == len(FAMILIES), workers)
        with running([[*python, "bridge"], [*python, "recorder"]], env) as (bridge, recorder):
            families = dict(zip(FAMILIES, workers, strict=True))
            yield _parts(ground, {"bridge": bridge, **families, "recorder": recorder})


@contextmanager
def _vtox_up(ground: Ground) -> Iterator[Running]:
    """Run all that `vtox up` starts, with its own server that is configured the same."""
    with tempfile.TemporaryDirectory(prefix="vtox-bench-live-") as name:
        same = {"VTOX_REDIS_MAXMEMORY_MB": str(SERVER_MB), "VTOX_BROKER_URL": ground.broker_url}
        up = live.start(Path(name), None, OF_VTOX | same)
        try:
            live.wait_for_server(Path(name))
            url = live.server_url(Path(name))
            process = psutil.Process(up.pid)
            with connect(url, "benchmark") as client:
                yield Running(client, url, [process], lambda: _by_part(process))
        finally:
            up.terminate()
            up.wait(timeout=60)


def _by_part(up: psutil.Process) -> dict[str, float]:
    return {PARTS.get(role, role): s for role, s in live.cpu_by_role(up).items()}


def windows_done(client: Client) -> int:
    """Return the number of windows finished by all families of VTOX."""
    return int(client.hget(keys.COUNTERS, "windows_done") or 0)


_CELERY = System(sending.as_tasks, _celery, bare.done, NAIVE_RESULTS, joins=False, few=FEW)
SYSTEMS: dict[str, System] = {
    "bare": System(sending.to_stream, _bare, bare.done),
    "naive": _CELERY,
    "careful": replace(_CELERY, way=sending.as_ids, few=3 * FEW),
    "vtox": System(sending.to_stream, _vtox, windows_done, start_live=_vtox_up),
}
