"""What a number of machines needs: memory of the server and of the box, disk, workers, cores. Pure.

From what the machines that send now ask for, where some do (`measured_load`), else from a typical
one (`TYPICAL`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from vtox.monitoring.readiness import Check, Status, coded_check
from vtox.settings import Settings
from vtox.store.retention import (
    BOUNDED,
    MB,
    NOT_FROM_SHARE,
    OPEN_RECORDS_SHARE,
    OUTPUTS_SHARE,
    SHORTER_FROM_SHARE,
)

# Near a share of 1 windows wait.
PLANNED_SHARE = 0.8
# The first record of a machine is up to twice as long, half as much longer on average.
FIRST_RECORD_RATIO = 1.5
# A window of the other families' records, and of one that is being diagnosed.
SHORT_RECORDS_S = 1.0
# docs/PERFORMANCE.md, "Soak": bridge, recorder, API, Flower, supervisor; a worker with its pool
# process. docs/LIMITS.md: what the bridge has in memory of a machine.
PROCESSES_BYTES, WORKER_BYTES, BRIDGE_MACHINE_BYTES = 480 * MB, 240 * MB, 83_000
# docs/PERSISTENCE.md: the log and its rewrite, beside the data in memory. docs/HISTORY.md: history
# of a machine with windows of 1 s after two years.
LOG_RATIO, HISTORY_BYTES = 3.0, 38 * MB


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLoad:
    """What one machine asks of the system, on average of `machines`; 0: assumed.

    `record_s` is the length of its long records, `state_bytes` what the server keeps of it besides
    windows, `busy_s` the time of a worker that a window takes by family, `cpu_s` the CPU time of a
    window in all processes.
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
        """What it sends."""
        return self.windows_per_s * self.window_bytes


# Windows of 1 s with three currents and a vibration at 10 kHz, 16 bits. The record is the mean of
# the simulated fleet; the times are those of docs/PERFORMANCE.md ("Where the time of a window
# goes"), with 300 machines on two cores.
TYPICAL = MachineLoad(
    machines=0,
    windows_per_s=1.0,
    window_bytes=80_300.0,
    record_s=11.2,
    state_bytes=40_000.0,
    busy_s={"turn_short": 680e-6, "bearing": 801e-6, "broken_bar": 614e-6},
    cpu_s=2.9e-3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What there is: memory limit of the server (0: none), of the box, disk, workers, cores.

    `cores` are those that VTOX may use, None: not known, as those of several hosts. `server_here`:
    the server runs on this box; of another one neither memory nor disk count. `ring_bytes` is the
    ring of windows in shared memory.
    """

    limit_bytes: float
    memory_bytes: float
    disk_free_bytes: float
    workers: int
    cores: float | None
    server_here: bool = True
    ring_bytes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerNeeds:
    """Bytes of the server's memory, without windows that wait because workers are behind.

    `first_open` are open records at the start of a fleet; `least` is the limit that holds them,
    and `retained_s` how long a window stays at least under the present one, from its arrival;
    `retained` are the windows that have finished and stay.
    """

    open: float
    first_open: float
    outputs: float
    state: float
    least: float
    retained_s: float
    retained: float

    @property
    def fixed(self) -> float:
        """What does not give way."""
        return self.open + self.outputs + self.state


def server_needs(
    machines: int, load: MachineLoad, settings: Settings, limit_bytes: float
) -> ServerNeeds:
    """Return what machines need of the server's memory.

    A window of a long record is held until that is complete, half its length on average, and at
    least for R <= `retention_s` from its arrival, less from 65 % of the limit L on and not from
    75 % (`effective_retention_s`): R = retention_s * (0.75 - share) / 0.1. The share grows with R:
    L * share = outputs + state + bytes/s * stay(R).
    """
    rate = machines * load.bytes_per_s
    outputs = float(MB * sum(getattr(settings, f"{name}_mb") for name in BOUNDED.values()))
    state = machines * load.state_bytes
    held = rate * (load.record_s / 2 + SHORT_RECORDS_S)
    first = rate * (FIRST_RECORD_RATIO * load.record_s / 2 + SHORT_RECORDS_S)
    least = max(first / OPEN_RECORDS_SHARE, (first + outputs + state) / NOT_FROM_SHARE)
    retained_s = settings.retention_s
    if limit_bytes:
        outputs = min(outputs, OUTPUTS_SHARE * limit_bytes)
        retained_s *= _retained_share(
            lambda share: outputs + state + rate * stay_s(share * settings.retention_s, load),
            limit_bytes,
        )
    return ServerNeeds(
        open=held,
        first_open=first,
        outputs=outputs,
        state=state,
        least=least,
        retained_s=retained_s,
        retained=rate * stay_s(retained_s, load) - held,
    )


def stay_s(retained_s: float, load: MachineLoad) -> float:
    """Return how long a window stays on average: until its records are complete, at least R.

    The long record takes all between 0 and its length to be complete, each as often as another.
    """
    least_s = min(max(retained_s - SHORT_RECORDS_S, 0.0), load.record_s)
    held_s = (load.record_s + least_s**2 / load.record_s) / 2
    return max(held_s + SHORT_RECORDS_S, retained_s)


def _retained_share(used_bytes: Callable[[float], float], limit_bytes: float) -> float:
    """Return the share of the retention at which the bridge comes to rest, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        left = (NOT_FROM_SHARE - used_bytes(middle) / limit_bytes) / (
            NOT_FROM_SHARE - SHORTER_FROM_SHARE
        )
        low, high = (middle, high) if left > middle else (low, middle)
    return high if high > 1 - 1e-9 else low


def requirements(machines: int, load: MachineLoad, settings: Settings, box: Box) -> Iterator[Check]:
    """Yield what so many machines need, beside what there is."""
    needs = server_needs(machines, load, settings, box.limit_bytes)
    yield _source(machines, load)
    yield _server(machines, load, needs, settings, box)
    if box.server_here:
        yield from _box(machines, load, needs, box)
    yield _workers(machines, load, box)
    yield _cores(machines, load, box)


def _name(what: str, machines: int) -> str:
    return f"{what} for {machines}"


def _source(machines: int, load: MachineLoad) -> Check:
    return coded_check(
        _name("load", machines),
        "pass",
        "load_measured" if load.machines else "load_assumed",
        sending=load.machines,
        windows_per_s=load.windows_per_s,
        window_kb=load.window_bytes / 1e3,
        record_s=load.record_s,
        state_kb=load.state_bytes / 1e3,
    )


def _server(
    machines: int, load: MachineLoad, needs: ServerNeeds, settings: Settings, box: Box
) -> Check:
    status: Status
    if box.limit_bytes and needs.least > box.limit_bytes:
        status, code = "warn", "server_memory_is_short"
    elif needs.first_open > settings.open_record_bytes:
        status, code = "warn", "open_records_are_bounded"
    elif box.limit_bytes:
        status, code = "pass", "server_memory_suffices"
    else:
        status, code = "pass", "server_memory_has_no_limit"
    return coded_check(
        _name("server memory", machines),
        status,
        code,
        rate_mb=machines * load.bytes_per_s / MB,
        record_s=load.record_s,
        open_mb=needs.open / MB,
        first_open_mb=needs.first_open / MB,
        outputs_mb=needs.outputs / MB,
        state_mb=needs.state / MB,
        fixed_mb=needs.fixed / MB,
        retained_s=needs.retained_s,
        retention_s=settings.retention_s,
        limit_mb=box.limit_bytes / MB,
        least_mib=ceil(needs.least / (1 << 20)),
        open_record_bytes=ceil(needs.first_open),
        bound_mb=settings.open_record_bytes / MB,
    )


def _box(machines: int, load: MachineLoad, needs: ServerNeeds, box: Box) -> Iterator[Check]:
    server = needs.fixed + needs.retained
    workers = box.workers * WORKER_BYTES
    others = PROCESSES_BYTES + machines * BRIDGE_MACHINE_BYTES + box.ring_bytes
    need = server + workers + others
    yield coded_check(
        _name("memory", machines),
        "pass" if need <= box.memory_bytes else "warn",
        "box_memory_suffices" if need <= box.memory_bytes else "box_memory_is_short",
        need_mb=need / MB,
        server_mb=server / MB,
        workers=box.workers,
        workers_mb=workers / MB,
        others_mb=others / MB,
        memory_mb=box.memory_bytes / MB,
    )
    log, history = LOG_RATIO * server, machines * HISTORY_BYTES * load.windows_per_s
    need = log + history
    enough = need <= box.disk_free_bytes
    yield coded_check(
        _name("disk", machines),
        "pass" if enough else "warn",
        "disk_suffices" if enough else "disk_is_short",
        need_gb=need / 1e9,
        log_gb=log / 1e9,
        history_gb=history / 1e9,
        free_gb=box.disk_free_bytes / 1e9,
    )


def _workers(machines: int, load: MachineLoad, box: Box) -> Check:
    windows = machines * load.windows_per_s
    busy = windows * sum(load.busy_s.values())
    needed = ceil(busy / PLANNED_SHARE)
    enough = needed <= box.workers
    return coded_check(
        _name("workers", machines),
        "pass" if enough else "warn",
        "workers_for_machines_suffice" if enough else "workers_are_few",
        busy=busy,
        families=", ".join(f"{f} {windows * s:.2f}" for f, s in load.busy_s.items()),
        needed=needed,
        workers=box.workers,
    )


def _cores(machines: int, load: MachineLoad, box: Box) -> Check:
    busy = machines * load.windows_per_s * load.cpu_s
    # In tenths: what VTOX may use may be a fraction of a core.
    needed = ceil(10 * busy / PLANNED_SHARE) / 10
    name = _name("cores", machines)
    if box.cores is None:
        return coded_check(name, "pass", "cores_unknown", busy=busy, needed=needed)
    enough = needed <= box.cores
    return coded_check(
        name,
        "pass" if enough else "warn",
        "cores_for_machines_suffice" if enough else "cores_are_few",
        busy=busy,
        needed=needed,
        cores=box.cores,
    )
