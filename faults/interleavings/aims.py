"""Half of the seeds have one aim each: a rare case that needs several events together.

An aim gives the only events of the run, by command, and the work of the processes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from faults.interleavings.events import (
    CLOCK,
    CUT,
    DELAY,
    DIE,
    DIE_AFTER,
    HOUR_BACK_S,
    LATE,
    LOST,
    RARE_DIGIT,
    Chance,
)
from faults.interleavings.workload import Step, Workload

# A machine whose clock is behind: its windows are of the past, whenever they come.
BEHIND = "M1"
# Fewer windows of a machine are known than it sends.
SHORT_HORIZON = 8


@dataclass(frozen=True, slots=True)
class Aim:
    """The events of a run, by command (empty for any other), and its work."""

    chances: Mapping[str, Chance]
    work: Callable[[Workload, Random], Workload]


def aim_of(seed: int) -> Aim | None:
    """Return the aim of a seed, None for one of everything."""
    digit = seed % 10
    return AIMS[digit - RARE_DIGIT - 1] if digit > RARE_DIGIT else None


def aimed(seed: int, work: Workload) -> Workload:
    """Return the work of a seed with an aim, or the unchanged work of one without."""
    aim = aim_of(seed)
    if aim is None:
        return work
    plain = replace(
        work,
        partitions=1,
        retires=(),
        repartitions=(),
        records=False,
        acts=(),
        resends=(),
        deletions=(),
        ends_s=0.0,
    )
    return aim.work(plain, Random(f"aim {seed}"))


def _for_nobody(work: Workload, rng: Random) -> Workload:
    """Windows come slowly: one is there whenever a read comes late.

    Windows whose reader has gone are admitted after windows sent later; so are moved ones.
    """
    senders = tuple(
        tuple(replace(s, pause_s=rng.uniform(0.1, 1.2)) for s in steps) for steps in work.senders
    )
    return _long(replace(work, senders=senders))


def _again(work: Workload, rng: Random) -> Workload:
    """Windows come again when they are forgotten, while the recorder is slow."""
    firsts = [list(range(n, n + 4)) for n in range(0, 16, 4)]
    seqs = firsts + [rng.choice(firsts[:2]) for _ in range(3)]
    steps = tuple(Step(rng.uniform(0.1, 0.8), BEHIND, tuple(s)) for s in seqs)
    settings = work.settings | {"duplicate_horizon": SHORT_HORIZON}
    return replace(work, senders=(steps,), settings=settings, records=True, window_s=5.0)


def _hour_back(work: Workload, rng: Random) -> Workload:
    """A partition is left."""
    changes = ((rng.uniform(1.0, 6.0), 1),)
    return _long(replace(work, partitions=2, repartitions=changes, keeps_s=1.0))


def _deleted(work: Workload, rng: Random) -> Workload:
    """Windows are deleted while workers are at work on them."""
    times = tuple(sorted(rng.uniform(0.5, 12.0) for _ in range(8)))
    return replace(work, deletions=times, diagnosis_s=rng.choice((0.1, 0.4)))


def _back_in_force(work: Workload, rng: Random) -> Workload:
    """A partition is left, and in force again soon."""
    times = [1.0]
    while times[-1] < 16.0:
        times.append(times[-1] + rng.uniform(1.5, 4.5))
    changes = tuple((t, (1, 2)[n % 2]) for n, t in enumerate(times))
    return _long(replace(work, partitions=2, repartitions=changes, keeps_s=1.0))


def _long(work: Workload) -> Workload:
    """Set a long horizon of duplicates, for windows that are admitted after later ones."""
    return replace(work, settings=work.settings | {"duplicate_horizon": 10_000})


AIMS = (
    Aim({"XREADGROUP": Chance(0.06, (LATE,), 0.6, 6.0, before=150)}, _for_nobody),
    Aim({"portion": Chance(0.5, (DELAY,), 2.0, 16.0)}, _again),
    Aim(
        {
            "start": Chance(0.15, (DIE_AFTER, LOST), 0.0, 0.0),
            "lease": Chance(0.04, (DIE,), 0.0, 0.0),
            "": Chance(0.002, (CLOCK,), HOUR_BACK_S, HOUR_BACK_S),
        },
        _hour_back,
    ),
    Aim(
        {
            "refuse": Chance(0.8, (DELAY,), 0.3, 4.0),
            "HMGET": Chance(0.02, (CUT,), 0.0, 0.0),
            "XREADGROUP": Chance(0.06, (CUT,), 0.0, 0.0),
        },
        _deleted,
    ),
    Aim({"retire_partition": Chance(0.8, (DELAY,), 0.3, 4.5)}, _back_in_force),
)
