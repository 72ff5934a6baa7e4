"""The two forms in which a system is measured: windows that wait, and machines that send."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from math import ceil

import psutil

from benchmarks.bench import workload
from benchmarks.bench.measure import (
    Measured,
    Running,
    cpu_s,
    latencies_ms,
    mark,
    running,
    sending,
    server_bytes,
    stopped,
    wait_for,
    wipe,
)
from benchmarks.bench.systems import SYSTEMS, Ground, System
from benchmarks.bench.workload import CYCLE, MACHINES, Sent
from vtox.pipeline.configuration.usable_cores import usable_cores
from vtox.pipeline.store.machines.machines import register
from vtox.pipeline.store.server.client import Client

# Windows that are sent at once in a drain.
SLICE = 10
# Time for each machine of a live run to end a first record of 10 s, which VTOX makes up to twice
# as long. From then on as many windows are finished as come, if the system keeps up.
WARM_UP_S = 22.0
# It goes on after the second mark, so that nothing ends before.
SPARE_S = 2.0
READ_EVERY_S = 1.0


def memory(ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Run the diagnosers alone, a process on each core, each with a share of the machines."""
    cores = ceil(usable_cores())
    client = ground.client
    wipe(client)
    light = ["--light"] if ground.load == "light" else []
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


def drain(system: System, ground: Ground, sent: Sequence[Sent]) -> Measured:
    """Measure from the moment at which all windows wait to that at which all are finished.

    Before, the system has finished some windows of each machine, and was suspended while the others
    were sent. So it is warm, and all its work for a window falls between the marks. No record
    stays open, as every machine sends whole records. Latency is not reported: here it would
    only be the position in the queue.
    """
    first = CYCLE if system.joins else MACHINES
    sent = sent[: system.few and first + system.few]
    wipe(ground.client)
    _register(ground.client, {s.machine_id for s in sent})
    with system.start(ground) as run, system.way(run.url) as send:

        def finish(windows: int) -> None:
            wait_for(lambda: system.done(run.client) >= windows, run.processes)

        _send(send, sent[:first])
        finish(first)
        with stopped(run.processes):
            began = time.process_time()
            _send(send, sent[first:])
            sender_s = time.process_time() - began
            before = mark(run, first)
        finish(len(sent))
        measured = mark(run, len(sent)).since(before)
    return replace(measured, sender_ms=1e3 * sender_s / (len(sent) - first))


def _send(send, sent: Sequence[Sent]) -> None:  # type: ignore[no-untyped-def]
    for k in range(0, len(sent), SLICE):
        if None in send(sent[k : k + SLICE]):
            raise MemoryError("the server has no memory for so many windows")


def _register(client: Client, machine_ids: set[str]) -> None:
    for machine_id in machine_ids:
        register(client, machine_id, workload.motor(machine_id))


def at_pace(
    name: str, ground: Ground, sent: Sequence[Sent], machines: int, seconds: float
) -> Measured:
    """Measure between two moments while machines send a window a second each.

    Before, it has finished the first of the drain's windows. Latency is that of the records whose
    results came between the moments, even if a system falls behind and its latency grows.
    """
    system = SYSTEMS[name]
    first = CYCLE if system.joins else MACHINES
    wipe(ground.client)
    start = system.start_live or system.start
    with start(ground) as run:
        names = {workload.live_name(k) for k in range(machines)}
        _register(run.client, {s.machine_id for s in sent[:first]} | names)
        with system.way(run.url) as send:
            _send(send, sent[:first])
        wait_for(lambda: system.done(run.client) >= first, run.processes)
        return _measure_sending(system, run, [name, run.url, machines], seconds)


def _measure_sending(
    system: System, run: Running, what: Sequence[object], seconds: float
) -> Measured:
    with sending([*what, WARM_UP_S + seconds + SPARE_S]) as process:
        assert process.stdout
        time.sleep(WARM_UP_S)
        began_ms, server_mb = 1e3 * time.time(), 0.0
        sender = psutil.Process(process.pid)
        before, sender_s = mark(run, system.done(run.client)), cpu_s([sender])
        while 1e3 * time.time() < began_ms + 1e3 * seconds:
            time.sleep(READ_EVERY_S)
            server_mb = max(server_mb, server_bytes(run.client) / 1e6)
        ended_ms = 1e3 * time.time()
        after, sender_s = mark(run, system.done(run.client)), cpu_s([sender]) - sender_s
        told = json.load(process.stdout)
    arrivals = {(machine_id, seq): ms for machine_id, seq, ms in told["arrivals"] if ms}
    came = sum(began_ms <= ms < ended_ms for ms in arrivals.values())
    measured = after.since(before)
    return replace(
        measured,
        sender_ms=1e3 * sender_s / came,
        server_mb=max(server_mb, measured.server_mb or 0.0),
        latency_ms=latencies_ms(
            run.client.xrange(system.results, int(began_ms), int(ended_ms)), arrivals
        ),
        notes={
            "came_per_s": 1e3 * came / (ended_ms - began_ms),
            "late_s": told["late_s"],
            "refused": told["refused"],
        },
    )
