"""The systems: each drains windows that were sent ahead, and is measured in the same way."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import psutil

from benchmarks.bench import bare, measure, workload
from benchmarks.bench.measure import Measured, between_marks, cpu_s, running, wait_for, wipe, worker
from benchmarks.bench.workload import Sent
from vtox import keys
from vtox.faults import FAMILIES
from vtox.store.client import Client
from vtox.store.machines import register

LIGHT = ("-I", "benchmarks.stub_diagnosis")
# Windows that the slow pipelines drain: their rate does not depend on how many there are.
FEW = 300
# Tasks that do nothing: what the library alone costs.
NO_LOAD = "none"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a round takes place."""

    client: Client
    url: str
    data_dir: str
    light: bool
    broker_url: str = ""
    batch_windows: int | None = None  # of a task of VTOX, at most; None: as shipped


def memory(ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Run the diagnosers alone, a process on each core, each with a share of the machines."""
    cores = os.cpu_count() or 1
    client = ground.client
    wipe(client)
    light = ["--light"] if ground.light else []
    command = [sys.executable, "-m", "benchmarks.bench.memory", ground.url, str(len(sent))]
    with running([[*command, f"{k}/{cores}", *light] for k in range(cores)]) as processes:
        wait_for(lambda: client.scard("bench:ready") == cores, processes)
        before = cpu_s(processes)
        start = time.perf_counter()
        client.set("bench:go", 1)
        wait_for(lambda: client.scard("bench:done") == cores, processes)
        took = time.perf_counter() - start
        used = cpu_s(processes) - before
        client.set("bench:end", 1)
    return Measured(len(sent) / took, {"diagnosis": 1e3 * used / len(sent)})


def bare_loop(ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Drain by a consumer group and a process for each family, without Celery and bridge."""
    client = ground.client
    wipe(client)
    bare.prepare(client)
    for s in sent:
        client.xadd(keys.RAW, s.fields)  # type: ignore[arg-type]
    light = ["--light"] if ground.light else []
    commands = [
        [sys.executable, "-m", "benchmarks.bench.bare", f, ground.url, *light] for f in FAMILIES
    ]
    with running(commands) as workers:
        parts = {"server": [measure.server_process(client)], "workers": workers}
        return between_marks(client, len(sent), lambda: bare.done(client), parts)


def naive(ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Drain one task a window and family, with the samples in its arguments."""
    return _celery(ground, sent[:FEW], "naive")


def careful(ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Drain one task a window and family, with the id of the window's entry in its arguments."""
    return _celery(ground, sent[: 3 * FEW], "careful")


def _celery(ground: Ground, sent: Sequence[Sent], kind: str) -> Measured:
    env = {"NAIVE_URL": ground.url, "NAIVE_LIGHT": str(int(ground.light))}
    os.environ |= env
    from benchmarks import naive_celery

    client = ground.client
    wipe(client)
    send: Callable[[Sent], None] = getattr(naive_celery, f"send_{kind}")
    for s in sent:
        send(s)
    commands = [worker("benchmarks.naive_celery", f"naive_{f}") for f in FAMILIES]
    total = len(sent) * len(FAMILIES)
    with running(commands, env) as workers:
        parts = {"server": [measure.server_process(client)], "workers": workers}
        m = between_marks(
            client, total, lambda: client.xlen(naive_celery.RESULTS), parts, (0.05, 0.99)
        )
    n = len(FAMILIES)  # of a task -> of a window
    wire = m.wire_kb and n * m.wire_kb
    return Measured(m.windows_per_s / n, {p: n * ms for p, ms in m.cpu_ms.items()}, wire)


def faststream(ground: Ground, sent: Sequence[Sent], load: str = "") -> Measured:
    """Drain by FastStream: a message a window, taken in batches by each family."""
    from benchmarks.bench import by_faststream

    entry_ids = _entries(ground, sent)
    by_faststream.prepare(ground.client, ground.url, entry_ids)
    return _drain(ground, "by_faststream", len(sent), load)


def docket(ground: Ground, sent: Sequence[Sent], load: str = "") -> Measured:
    """Drain by pydocket: a task a window and family."""
    from benchmarks.bench import by_docket

    few = sent[: len(sent) if load else 3 * FEW]
    by_docket.prepare(ground.url, _entries(ground, few), load or _load(ground))
    return _drain(ground, "by_docket", len(few), load)


def _entries(ground: Ground, sent: Sequence[Sent]) -> list[str]:
    wipe(ground.client)
    return [ground.client.xadd(keys.RAW, s.fields).decode() for s in sent]  # type: ignore[arg-type]


def _load(ground: Ground) -> str:
    return "light" if ground.light else "diagnosis"


def _drain(ground: Ground, module: str, windows: int, load: str) -> Measured:
    command = [sys.executable, "-m", f"benchmarks.bench.{module}"]
    commands = [[*command, f, ground.url, load or _load(ground)] for f in FAMILIES]
    with running(commands) as workers:
        parts = {"server": [measure.server_process(ground.client)], "workers": workers}
        return between_marks(ground.client, windows, lambda: bare.done(ground.client), parts)


def vtox(ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Drain by VTOX: bridge, a worker of each queue, and the recorder."""
    client = ground.client
    wipe(client)
    for machine in workload.machines():
        register(client, machine.machine_id, machine.motor)
    env = {
        "VTOX_REDIS_URL": "",
        "VTOX_BROKER_URL": ground.broker_url,
        "VTOX_DATA_DIR": ground.data_dir,
        "VTOX_RETENTION_S": "0",
        "VTOX_COORDINATOR_PORT": "18901",
        "VTOX_WORKER_PORT": "18902",
        "VTOX_BASELINE_AUTO": "false",
    }
    if ground.batch_windows:
        env["VTOX_BATCH_WINDOWS"] = str(ground.batch_windows)
    more = LIGHT if ground.light else ()
    python = [sys.executable, "-m", "vtox"]
    with running([worker("vtox", f, *more) for f in FAMILIES], env) as workers:
        wait_for(lambda: client.scard(keys.WORKERS) == len(FAMILIES), workers)
        for s in sent:
            client.xadd(keys.RAW, s.fields)  # type: ignore[arg-type]
        with running([[*python, "bridge"], [*python, "recorder"]], env) as (bridge, recorder):
            parts: dict[str, list[psutil.Process]] = {
                "server": [measure.server_process(client)],
                "bridge": [bridge],
                **{f: [w] for f, w in zip(FAMILIES, workers, strict=True)},
                "recorder": [recorder],
            }
            m = between_marks(client, len(sent), lambda: windows_done(client), parts)
        beats = [client.hgetall(keys.worker(n.decode())) for n in client.smembers(keys.WORKERS)]
    busy, diagnosis = (
        sum(float(b[n]) for b in beats if n in b) for n in (b"busy_s", b"diagnosis_s")
    )
    return Measured(m.windows_per_s, m.cpu_ms, m.wire_kb, {"diagnosis_share": diagnosis / busy})


def windows_done(client: Client) -> int:
    """Return the number of windows finished by all families."""
    return int(client.hget(keys.COUNTERS, "windows_done") or 0)


SYSTEMS: dict[str, Callable[[Ground, Sequence[Sent]], Measured]] = {
    "memory": memory,
    "bare": bare_loop,
    "naive": naive,
    "careful": careful,
    "faststream": faststream,
    "docket": docket,
    "faststream_noop": partial(faststream, load=NO_LOAD),
    "docket_noop": partial(docket, load=NO_LOAD),
    "vtox": vtox,
}
# Of the systems that need another package: its module.
NEEDS = {
    "faststream": "faststream",
    "faststream_noop": "faststream",
    "docket": "docket",
    "docket_noop": "docket",
}


def missing() -> set[str]:
    """Return the systems whose package is not installed."""
    return {name for name, module in NEEDS.items() if find_spec(module) is None}
