"""The work of the processes for a seed: their number, the windows sent, the settings."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from faults.interleavings.events import is_general
from vtox.pipeline.configuration.settings import Settings, load
from vtox.pipeline.configuration.values import KeptFor

# Windows of so few samples that a real diagnosis takes a few milliseconds.
FS_HZ = 100.0
# One whose windows have voltages and a rate that count energy.
METERED, METERED_HZ = "M0", 500.0
# One that retires while it sends: then it is a new machine, and its repeated windows are accepted.
RETIRING = "M9"
# Error of its clock, s.
WRONG_S = 1000.0
# Disturbances end after the first time, s; everything must be finished within the second.
DISTURBED_S, DRAINED_WITHIN_S = 20.0, 240.0
# Records of days in the past stay in the history, which keeps them by their time.
KEPT_S, _OF_DAYS = 60 * 86_400.0, ("history_records", "history_minutes")


@dataclass(frozen=True, slots=True)
class Step:
    """The next step of a sender, after a pause: windows of a machine by number."""

    pause_s: float
    machine_id: str
    seqs: tuple[int, ...]
    malformed: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """The processes of a run and their settings."""

    partitions: int
    workers: int
    settings: dict[str, Any]
    senders: tuple[tuple[Step, ...], ...]
    retires: tuple[float, ...] = ()
    repartitions: tuple[tuple[float, int], ...] = ()
    records: bool = False
    acts: tuple[float, ...] = ()
    resends: tuple[float, ...] = ()
    # Whether the server has the scripts already, as after the first hour of its life.
    knows_scripts: bool = False
    # Mean time of a batch, s. With 0 hardly anything is in flight at an event.
    diagnosis_s: float = 0.0
    # Whether the first sender sends by HTTP.
    by_http: bool = False
    # Whether there is no standby bridge; mean time after which one ends in order, s, 0: never.
    lone: bool = False
    ends_s: float = 0.0
    # When an operator deletes windows that are in work.
    deletions: tuple[float, ...] = ()
    # How long finished windows are kept, s.
    keeps_s: float = 60.0
    # How long a window is: of long ones a record of any family takes few, and is soon finished.
    window_s: float = 1.0

    def settings_for(self, url: str, folder: Path) -> Settings:
        """Return the settings of all processes."""
        settings = _settings(url, folder)
        kept = {"windows": KeptFor(self.keeps_s), **dict.fromkeys(_OF_DAYS, KeptFor(KEPT_S))}
        keep = settings.keep.model_copy(update=kept)
        return settings.model_copy(update=self.settings | {"keep": keep})


@cache
def _settings(url: str, folder: Path) -> Settings:
    return load(redis_url=url, data_dir=folder)


def workload(seed: int) -> Workload:
    """Return the work that a seed chooses."""
    rng = Random(f"workload {seed}")
    rare = not is_general(seed)
    partitions = rng.choice((1, 1, 1, 2))
    senders = tuple(tuple(_steps(rng, f"M{i}")) for i in range(rng.choice((1, 2, 2, 3))))
    retires: tuple[float, ...] = ()
    if rng.random() < (0.5 if rare else 0.2):
        senders += (tuple(_steps(rng, RETIRING)),)
        latest_s = 6.0 if rare else DISTURBED_S
        retires = tuple(rng.uniform(0, latest_s) for _ in range(rng.choice((1, 2))))
    changes: tuple[tuple[float, int], ...] = ()
    if rng.random() < (0.5 if rare else 0.35):
        times = [rng.uniform(2, DISTURBED_S) for _ in range(rng.choice((1, 2, 4)))]
        if rare:  # one comes while the last one is not known to all
            times = [times[0] / 2 + 2 * k * rng.random() for k in range(5)]
        changes = tuple((t, rng.choice((1, 2, 3))) for t in times)
    settings = {
        # Windows that move to another partition come later than windows sent after them.
        "duplicate_horizon": rng.choice((8, 16, 256))
        if partitions == 1 and not changes
        else 10_000,
        "in_flight_windows": rng.choice((16, 24, 200)),
        "batch_windows": rng.choice((4, 16, 256)),
        "batch_wait_ms": rng.choice((1.0, 40.0)),
        "redispatch_after_s": rng.choice((2.0, 4.0, 8.0)),
        "shared_windows_mb": 0,
        "stream_partitions": None,
        "silence_after_s": 4.0,
        "monitor_interval_s": 3.0,
    }
    # They take extra time, so that only some seeds have them.
    records = rng.random() < 0.3
    acts = tuple(rng.uniform(2, DISTURBED_S) for _ in range(3)) if records else ()
    resends = (rng.uniform(2, DISTURBED_S),) if rng.random() < 0.2 else ()
    workers = rng.choice((1, 2))
    knows_scripts = rng.random() < 0.8
    return Workload(
        partitions,
        workers,
        settings,
        senders,
        retires,
        changes,
        records=records,
        acts=acts,
        resends=resends,
        knows_scripts=knows_scripts,
        diagnosis_s=rng.choice((0.0, 0.02, 0.1, 0.4)),
        by_http=rng.random() < 0.3,
        lone=rng.random() < 0.3,
        ends_s=0.0 if rare else rng.choice((0.0, 0.0, 5.0)),
        deletions=tuple(rng.uniform(2, DISTURBED_S) for _ in range(rng.choice((0, 0, 0, 0, 3)))),
        keeps_s=rng.choice((1.0, 60.0)),
        window_s=rng.choice((1.0, 1.0, 5.0)),
    )


def _steps(rng: Random, machine_id: str) -> list[Step]:
    """Return the steps of the sender of a machine."""
    steps, seq = [], 0
    pause_s = rng.choice((0.05, 0.3, 1.0))
    # As many as a first record of broken bars at least, and more than a short horizon.
    most = rng.choice((11, 17, 24))
    while seq < most:
        n = rng.choice((1, 1, 2, 4, 8))
        seqs = list(range(seq, seq + n))
        seq += n
        if n > 1 and rng.random() < 0.2:  # one of them late
            seqs.append(seqs.pop(0))
        if seq > n and rng.random() < 0.3:  # one again that was sent before
            seqs.append(max(0, seq - n - rng.randrange(1, 5)))
        if rng.random() < 0.05:  # one is never sent
            seq += 1
        malformed = rng.random() < 0.1
        steps.append(Step(rng.expovariate(1 / pause_s), machine_id, tuple(seqs), malformed))
    return steps
