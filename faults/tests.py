"""The tests of the harness: what is done to the system, and within which limits it must answer."""

from collections.abc import Callable
from dataclasses import replace

from faults.run import Load, Test
from faults.schedule import schedule

SEEDS = (1, 2, 3, 4, 5)
# More tasks than windows may be in flight, a queue cannot hold.
LIMITS = {"queue": 1024.0, "drained_s": 60.0, "dead": 0.0}


def crashes(seed: int) -> Test:
    """Kills, stops and cuts of everything, at random: nothing lost, nothing doubled."""
    load = Load(windows=10_000, rate=80.0)
    limits = LIMITS | {"disturbances": 20, "windows": 10_000}
    return Test(
        name="crashes",
        seed=seed,
        load=load,
        schedule=schedule(seed, load.span_s, counted=21, others=6),
        limits=limits | {"progress": 0.3, "accepted": 0.3, "duplicates": 0.1},
    )


def crashes_short(seed: int) -> Test:
    """The same with 1,000 windows, for `make test`."""
    load = Load(windows=1000, rate=40.0, machines=10, http_from=8)
    return replace(
        crashes(seed),
        name="crashes, short",
        load=load,
        schedule=schedule(seed, load.span_s, counted=8, longest_s=6.0),
        limits=LIMITS | {"windows": 1000, "disturbances": 7, "progress": 0.2, "accepted": 0.2},
    )


def calm(seed: int) -> Test:
    """No disturbance: what the others are compared with."""
    return Test(
        name="undisturbed",
        seed=seed,
        load=Load(windows=3000, rate=80.0),
        limits=LIMITS | {"duplicates": 0.01, "windows": 3000},
    )


TESTS: dict[str, Callable[[int], Test]] = {
    "crashes": crashes,
    "crashes-short": crashes_short,
    "undisturbed": calm,
}
