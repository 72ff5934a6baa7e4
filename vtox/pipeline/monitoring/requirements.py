"""The needs of a number of machines in server and hosts, next to the resources there. Pure.

It is a table of lines `fixed + machines * machine`. The figures come from the machines that send
now (`measured_load`), else from a typical one (`TYPICAL`). The resource that carries the fewest
comes first. docs/howto/size-a-box.md has the table of a typical machine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.capacity import BRIDGE, SERVER
from vtox.pipeline.monitoring.readiness import Check, coded_check
from vtox.pipeline.store.ledger.retention import (
    BOUNDED,
    MB,
    NOT_FROM_SHARE,
    OPEN_RECORDS_SHARE,
    OUTPUTS_SHARE,
    SHORTER_FROM_SHARE,
)

# The usable share of threads, cores and links is a choice. The rest is for bursts, and for the work
# of a host that fails.
PLANNED_SHARE = 0.7
# The first record of a machine is up to twice as long, half as much longer on average.
FIRST_RECORD_RATIO = 1.5
# A window of the other families' records, and of one that is being diagnosed.
SHORT_RECORDS_S = 1.0
# docs/appendix/performance.md, "Soak": bridge, recorder, API, Flower, supervisor; a worker with its
# pool process. docs/reference/limits.md: the bridge's memory of a machine.
PROCESSES_BYTES, WORKER_BYTES, BRIDGE_MACHINE_BYTES = 480 * MB, 240 * MB, 83_000
# docs/explanation/persistence.md: the log and its rewrite, next to the data in memory.
# docs/howto/keep-history.md: history of a machine with windows of 1 s after two years.
LOG_RATIO, HISTORY_BYTES = 3.0, 45 * MB
# Time of the server's thread to send a window to a worker that has no ring (docs/adr/0018), and to
# a replica (docs/explanation/guarantees.md, "When a replica takes over").
FETCH_S, REPLICA_S = 60e-6, 40e-6
RECORDER = "recorder"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLoad:
    """The load of one machine, on average of `machines`; 0: assumed.

    `record_s` is the length of its long records, `state_bytes` the server's data of it without
    windows. For a window: `busy_s` is the time of a worker by family, and of the one thread of
    server, bridge and recorder; `cpu_s` the CPU time in all processes.
    """

    machines: int
    windows_per_s: float
    window_bytes: float
    record_s: float
    state_bytes: float
    busy_s: Mapping[str, float]
    cpu_s: float

    @property
    def bytes_per_s(self) -> float:
        """The rate at which it sends."""
        return self.windows_per_s * self.window_bytes

    @property
    def workers_s(self) -> float:
        """Time of workers that a window takes, s."""
        return sum(self.busy_s[f] for f in FAMILIES)


# Windows of 1 s with three currents and a vibration at 10 kHz, 16 bits. The record is the mean of
# the simulated fleet. The times are from docs/appendix/performance.md ("How many machines a box
# carries"): 600 machines on two cores for ten minutes.
TYPICAL = MachineLoad(
    machines=0,
    windows_per_s=1.0,
    window_bytes=80_300.0,
    record_s=11.2,
    state_bytes=40_000.0,
    busy_s={name: family.busy_s for name, family in FAMILIES.items()}
    | {SERVER: 420e-6, BRIDGE: 250e-6, RECORDER: 100e-6},
    cpu_s=2.74e-3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The resources: memory limit of the server (0: none), and of each host memory and cores.

    With several `hosts` the first has the server, bridge and recorder, the others the workers. If
    the server is not here (`server_here`), neither its memory nor its disk counts. `ring_bytes` is
    the ring of windows in shared memory, `link_bytes_per_s` the rate at which a host can send.
    """

    limit_bytes: float
    memory_bytes: float
    disk_free_bytes: float
    workers: int
    cores: float
    link_bytes_per_s: float
    hosts: int = 1
    partitions: int = 1
    replicas: int = 0
    server_here: bool = True
    ring_bytes: float = 0.0


class _Resource(NamedTuple):
    """The need of machines for one resource: `fixed + machines * machine`, out of `have`."""

    code: str
    fixed: float
    machine: float
    have: float

    @property
    def carries(self) -> int:
        """The number of machines for which it is enough."""
        return max(int((self.have - self.fixed) / self.machine + 1e-6), 0)

    def check(self, machines: int, **values: float) -> Check:
        """Return whether the resource is enough for this many machines."""
        need = self.fixed + machines * self.machine
        known = {"machines": machines, "carries": self.carries, "need": need, "have": self.have}
        enough = machines <= self.carries
        found = coded_check(
            self.code.replace("_", " "), "pass" if enough else "warn", self.code, **known, **values
        )
        return replace(found, remedy="") if enough else found


def requirements(machines: int, load: MachineLoad, settings: Settings, box: Box) -> Iterator[Check]:
    """Yield the need of this many machines for each resource, the scarcest first."""
    yield coded_check(
        f"load of {machines}",
        "pass",
        "load_measured" if load.machines else "load_assumed",
        sending=load.machines,
        windows_per_s=load.windows_per_s,
        window_kb=load.window_bytes / 1e3,
        record_s=load.record_s,
        state_kb=load.state_bytes / 1e3,
    )
    stays_s = retained_s(machines, load, settings, box)
    for r in resources(load, settings, box):
        yield r.check(machines, hosts=box.hosts, retained_s=stays_s)


def resources(load: MachineLoad, settings: Settings, box: Box) -> list[_Resource]:
    """Return each resource and a machine's need for it, in the order in which they run out."""
    found = [*_times(load, box), *_memory(load, settings, box)]
    return sorted(found, key=lambda r: r.carries)


def _times(load: MachineLoad, box: Box) -> Iterator[_Resource]:
    """Yield threads, workers and cores, in cores; and the link of the server's host, MB/s."""
    rate, busy_s, apart = load.windows_per_s, load.busy_s, box.hosts > 1
    server_s = busy_s[SERVER]
    if not load.machines:
        server_s += box.replicas * REPLICA_S
    if apart and (box.ring_bytes or not load.machines):
        server_s += len(FAMILIES) * FETCH_S
    threads_s = sum(busy_s[name] for name in (SERVER, BRIDGE, RECORDER)) if apart else 0.0
    workers_s = max(load.cpu_s - threads_s, load.workers_s)
    hosts, planned = PLANNED_SHARE * max(box.hosts - 1, 1), PLANNED_SHARE
    yield _Resource("server_thread", 0, rate * server_s, planned)
    yield _Resource("bridge_thread", 0, rate * busy_s[BRIDGE], planned * box.partitions)
    yield _Resource("recorder_thread", 0, rate * busy_s[RECORDER], planned)
    yield _Resource("worker_time", 0, rate * load.workers_s, hosts * box.workers)
    yield _Resource("host_cores", 0, rate * workers_s, hosts * box.cores)
    if copies := box.replicas + len(FAMILIES) * apart:
        link = planned * box.link_bytes_per_s / MB
        yield _Resource("host_link", 0, copies * load.bytes_per_s / MB, link)


def _memory(load: MachineLoad, settings: Settings, box: Box) -> Iterator[_Resource]:
    """Yield memory and disk, MB."""
    limit, rate, state = box.limit_bytes / MB, load.bytes_per_s / MB, load.state_bytes / MB
    first = rate * (FIRST_RECORD_RATIO * load.record_s / 2 + SHORT_RECORDS_S)
    outputs, bound = _outputs_mb(settings, limit), settings.open_record_bytes / MB
    yield _Resource("open_records", 0, first, min(bound, OPEN_RECORDS_SHARE * limit or bound))
    if limit:
        yield _Resource("server_memory", outputs, first + state, NOT_FROM_SHARE * limit)
    if not box.server_here:
        return
    finished = state + rate * max(_mean_hold_s(load), settings.keep.windows.s)
    workers = box.workers * WORKER_BYTES if box.hosts == 1 else 0
    others = (PROCESSES_BYTES + box.ring_bytes + workers) / MB
    history = load.windows_per_s * HISTORY_BYTES / MB
    for code, have, ratio, fixed, machine in (
        ("host_memory", box.memory_bytes / MB, 1.0, others, BRIDGE_MACHINE_BYTES / MB),
        ("host_disk", box.disk_free_bytes / MB, LOG_RATIO, 0.0, history),
    ):
        if limit and have >= ratio * limit + fixed:  # the server never takes more
            yield _Resource(code, ratio * limit + fixed, machine, have)
        else:
            yield _Resource(code, ratio * outputs + fixed, ratio * finished + machine, have)


def retained_s(machines: int, load: MachineLoad, settings: Settings, box: Box) -> float:
    """Return how long a window stays, s from its arrival: less than set if memory is short."""
    if not box.limit_bytes:
        return settings.keep.windows.s
    limit, rate = box.limit_bytes / MB, machines * load.bytes_per_s / MB
    state, held_s = machines * load.state_bytes / MB, _mean_hold_s(load)
    spare = SHORTER_FROM_SHARE * limit - _outputs_mb(settings, limit) - state - rate * held_s
    return min(held_s + max(spare, 0.0) / rate, settings.keep.windows.s)


def _mean_hold_s(load: MachineLoad) -> float:
    """Return how long a window is held: half of a long record on average, until it is complete."""
    return load.record_s / 2 + SHORT_RECORDS_S


def _outputs_mb(settings: Settings, limit: float) -> float:
    outputs = float(sum(getattr(settings.keep, name).nbytes / MB for name in BOUNDED.values()))
    return min(outputs, OUTPUTS_SHARE * limit) if limit else outputs
