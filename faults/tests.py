"""The tests of the harness: disturbances of the system, and the limits of its answers."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from faults.clocks import clock_steps
from faults.disks import disk
from faults.failovers import failover, failover_short
from faults.outages import half_open, outage
from faults.plant import mqtt
from faults.run import DISTURBED, LIMITS, ON_DISK, Load, Test
from faults.schedule import schedule
from faults.slow_fsync import compiler, slow_fsync_variables
from faults.system import Options, System

BRIDGES = ("owner", "standby")
# In this folder a sync takes no time: the test in CI does not depend on the load of the disk.
IN_MEMORY = Path("/dev/shm")
# As slow as a disk that others keep busy; a lease of 5 s bears about 300.
SLOW_FSYNC_S = 0.1


def undisturbed(seed: int) -> Test:
    """Return a run without disturbance, with which the others are compared."""
    return Test(
        name="undisturbed",
        seed=seed,
        load=Load(windows=3000, rate=80.0),
        limits=LIMITS | {"duplicates": 0.01, "windows": 3000, "progress": 0.5},
    )


def crashes(seed: int) -> Test:
    """Kill, stop and cut everything, at random."""
    load = Load(windows=10_000, rate=80.0, daily=True)
    return Test(
        name="crashes",
        seed=seed,
        load=load,
        schedule=schedule(seed, load.span_s, counted=21, others=7),
        options=Options(settings=ON_DISK, plug_ins="faults.alternating,"),
        limits=DISTURBED
        | {"disturbances": 20, "days": 1000, "windows": load.windows}
        | {"progress": 0.3, "accepted": 0.3, "duplicates": 0.1},
    )


def crashes_short(seed: int) -> Test:
    """Return the same with 1,000 windows, for `make test-long`."""
    load = Load(windows=1000, rate=40.0, daily=True)
    return replace(
        crashes(seed),
        name="crashes, short",
        load=load,
        schedule=schedule(seed, load.span_s, counted=8, longest_s=6.0),
        prepare=_in_memory,
        finish=_remove_data,
        limits=DISTURBED | {"windows": 1000, "days": 100, "disturbances": 7, "accepted": 0.2},
    )


def _in_memory(system: System) -> None:
    if IN_MEMORY.is_dir():
        system.data = Path(tempfile.mkdtemp(prefix="vtox-faults-", dir=IN_MEMORY))


def _remove_data(system: System) -> None:
    if IN_MEMORY in system.data.parents:
        shutil.rmtree(system.data, ignore_errors=True)


def handover(seed: int) -> Test:
    """Stop, kill and cut off the bridges only, and take the lease away."""
    load = Load(windows=8000, rate=80.0)
    return replace(
        crashes(seed),
        name="two bridges hand over",
        load=load,
        schedule=schedule(seed, load.span_s, counted=9, others=14, targets=BRIDGES),
        limits=DISTURBED | {"windows": load.windows, "progress": 0.3, "accepted": 0.5},
    )


def supervised(seed: int) -> Test:
    """Kill, stop and cut everything under `vtox up`, which starts it again."""
    load = Load(windows=4000, rate=40.0)
    return replace(
        crashes(seed),
        name="crashes under `vtox up`",
        load=load,
        schedule=schedule(seed, load.span_s, counted=12),
        options=Options(supervised=True, settings=ON_DISK),
        limits=DISTURBED | {"windows": load.windows, "disturbances": 10},
    )


def full_memory(seed: int) -> Test:
    """Send more than a small server holds, and kill and stop everything."""
    load = Load(windows=2000, rate=200.0, ballast=200_000)
    return Test(
        name="memory full",
        seed=seed,
        load=load,
        schedule=schedule(seed, 30.0, counted=9),
        options=Options(settings=ON_DISK | {"VTOX_REDIS_MAXMEMORY_MB": "64"}),
        limits=DISTURBED | {"windows": load.windows},
    )


def slow_disk(seed: int) -> Test:
    """Kill and stop the server and others while each fsync takes 0.1 s; every write is synced."""
    load = Load(windows=600, rate=8.0)
    return Test(
        name="slow fsync, at every write",
        seed=seed,
        load=load,
        schedule=schedule(
            seed, load.span_s, counted=12, targets=("server", "owner", "bearing", "sender")
        ),
        options=Options(settings=ON_DISK),
        prepare=_slow_fsync,
        limits=DISTURBED | {"windows": load.windows},
        needs="" if compiler() else "no C compiler (cc), or not Linux",
    )


def _slow_fsync(system: System) -> None:
    system.options.server_env |= slow_fsync_variables(system.folder, SLOW_FSYNC_S)


UNDISTURBED = "undisturbed"
TESTS: dict[str, Callable[[int], Test]] = {
    UNDISTURBED: undisturbed,
    "crashes": crashes,
    "crashes-short": crashes_short,
    "handover": handover,
    "supervised": supervised,
    "outage": outage,
    "half-open": half_open,
    "clock": clock_steps,
    "disk": disk,
    "memory": full_memory,
    "slow-fsync": slow_disk,
    "failover": failover,
    "failover-short": failover_short,
    "mqtt": mqtt,
}
# Tests in which chance decides most run several seeds; the others one.
SEEDS = {"crashes": (1, 2, 3, 4, 5), "handover": (1, 2), "mqtt": (1, 2, 3, 4, 5)}
ONE_SEED = (1,)
FULL = ", full diagnosis"


def fully_diagnosed(test: Test) -> Test:
    """Return a test with the real diagnosis on a fifth as many windows of the simulated fleet."""
    windows = test.load.windows // 5
    rate = test.load.rate / 5
    load = replace(test.load, windows=windows, rate=rate, simulated=True, daily=False)
    options = replace(test.options, light=False, work_ms=0.0)
    limits = test.limits | {"windows": windows, "days": 0}
    return replace(test, name=test.name + FULL, load=load, options=options, limits=limits)
