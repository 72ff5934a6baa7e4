"""The cost of waiting for replicas: the time of a window, windows a second, CPU of the primary.

    python -m faults.replication_cost [--rounds N]

A primary and two replicas on this host, windows of 80 kB by `vtox.pipeline.client.Publisher`. Each
round takes every way of acknowledging, in another order each time: windows one by one, then in
batches as fast as it can. The table compares the medians over rounds.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from faults.replication import BALLAST, T0
from faults.sender import small_window
from faults.sentinel_group import Node, SentinelGroup, sentinel_group
from tests.cluster import free_ports
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.configuration import keys

SINGLE, BATCHES, BATCH = 50, 8, 25


@dataclass(slots=True)
class Way:
    """How a window is acknowledged, and its time, rate and CPU in each round."""

    name: str
    replicas: int = 0
    min_replicas: int = 0
    window_ms: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def ways() -> list[Way]:
    """Return the compared ways; all others are compared with the first."""
    return [
        Way("the primary alone"),
        Way("the same, `min-replicas-to-write 1`", min_replicas=1),
        Way("one replica (`WAIT`)", replicas=1),
        Way("two replicas (`WAIT`)", replicas=2),
    ]


def measure(way: Way, publisher: Publisher, primary: psutil.Process, seqs: Iterator[int]) -> None:
    """Take one round of a way."""
    times = []
    for _ in range(SINGLE):
        _collect(publisher, next(seqs))
        began = time.perf_counter()
        publisher.flush()
        times.append(1000 * (time.perf_counter() - began))
    way.window_ms.append(median(times))
    way.p95_ms.append(sorted(times)[int(0.95 * SINGLE)])
    cpu, began = _cpu_s(primary), time.perf_counter()
    for _ in range(BATCHES):
        for _ in range(BATCH):
            _collect(publisher, next(seqs))
        publisher.flush()
    windows = BATCHES * BATCH
    way.rate.append(windows / (time.perf_counter() - began))
    way.cpu_ms.append(1000 * (_cpu_s(primary) - cpu) / windows)


def _collect(publisher: Publisher, seq: int) -> None:
    fields = small_window(0, seq, T0) | {"ballast": BALLAST}
    publisher.collect_entry({k: x if isinstance(x, bytes) else str(x) for k, x in fields.items()})


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def group() -> Iterator[tuple[SentinelGroup, Node]]:
    """Run a group; yield it and its primary."""
    folder = Path(tempfile.mkdtemp(prefix="vtox-replication-"))
    with sentinel_group(folder, free_ports(6)) as running:
        primary = running.primary()
        assert primary
        yield running, primary


def compare(rounds: int) -> Sequence[Way]:
    """Return the ways with their figures."""
    found, order = ways(), random.Random(1)
    with group() as (running, primary), ExitStack() as stack:
        assert primary.process
        process = psutil.Process(primary.process.pid)
        publishers = {n: stack.enter_context(Publisher(running.url, replicas=n)) for n in range(3)}
        client = stack.enter_context(primary.client())
        seqs = iter(range(10**9))
        for _ in range(rounds):
            for way in order.sample(found, len(found)):
                client.config_set("min-replicas-to-write", way.min_replicas)
                measure(way, publishers[way.replicas], process, seqs)
                client.config_set("min-replicas-to-write", 0)
                client.xtrim(keys.RAW, maxlen=0)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    found = compare(parser.parse_args().rounds)
    columns = [
        "acknowledged by",
        "a window, ms",
        "95 %, ms",
        "ratio",
        "windows/s in batches",
        "ratio",
        "CPU of the primary a window, ms",
    ]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    alone = found[0]
    for way in found:
        # Ratios are of the same round: other load on the box affects both.
        time_ratio = median(a / b for a, b in zip(way.window_ms, alone.window_ms, strict=True))
        rate_ratio = median(a / b for a, b in zip(way.rate, alone.rate, strict=True))
        print(
            f"| {way.name} | {median(way.window_ms):.2f} | {median(way.p95_ms):.2f} "
            f"| {time_ratio:.2f} | {median(way.rate):.0f} | {rate_ratio:.2f} "
            f"| {median(way.cpu_ms):.2f} |"
        )


if __name__ == "__main__":
    main()
