"""The windows that a replica behind a slow or broken line lacks when it takes over.

    python -m faults.replica_line [--trials N]

A primary and one replica, which follows over the proxy of `faults.proxy`; no sentinels. Small
windows are sent one by one, `RATE` a second. Then the line is disturbed, and the primary is killed
with -9. The replica is made the primary manually, and searched for the acknowledged windows.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import redis

from faults.proxy import Link, Links
from faults.replication import MIN_REPLICAS, T0, window_numbers
from faults.sender import small_window
from faults.sentinel_group import PASSWORD, Node, server_lines
from tests.cluster import free_ports
from tests.waiting import eventually
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import NotReplicated
from vtox.pipeline.store.stream.durability import add_window_on_replicas

RATE = 50.0
# Each packet is late by once to twice this; a chunk waits for the one before it.
DELAY_S = 0.1
BEFORE_S, DISTURBED_S = 2.0, 6.0
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Variant:
    """The condition on which a window is acknowledged."""

    name: str
    replicas: int = 0
    more: Sequence[str] = ()


VARIANTS = (
    Variant("the primary alone"),
    Variant("the same, `min-replicas-to-write 1`, `min-replicas-max-lag 1`", more=MIN_REPLICAS),
    Variant("one replica (`WAIT`)", replicas=1),
)
LINES = ("late by 0.1 s", "cut")


@dataclass(slots=True)
class Sent:
    """The outcome of the windows: numbers of the acknowledged, and the count of refused ones."""

    acknowledged: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0


@contextmanager
def primary_and_replica(more: Sequence[str]) -> Iterator[tuple[Node, Node, Link]]:
    """Run both; the link leads from the replica to the primary."""
    folder = Path(tempfile.mkdtemp(prefix="vtox-replica-line-"))
    first, second = (Node(folder=folder / str(p), port=p) for p in free_ports(2))
    links = Links(lambda: first.port)
    link = links.add("replica")
    try:
        first.write_config([*server_lines({}), *more])
        second.write_config([*server_lines({}), f"replicaof 127.0.0.1 {link.port}"])
        for node in (first, second):
            node.start()
        eventually(lambda: second.info("replication").get("master_link_status") == "up", 20.0)
        yield first, second, link
    finally:
        for node in (first, second):
            node.kill()
        links.close()


def send(node: Node, variant: Variant, sent: Sent, first_seq: int, seconds: float) -> int:
    """Send for a time, each window once; return the next number."""
    seq, began = first_seq, time.monotonic()
    with node.client() as client:
        client.connection_pool.connection_kwargs["socket_timeout"] = TIMEOUT_S
        while time.monotonic() < began + seconds:
            time.sleep(max(0.0, began + (seq - first_seq) / RATE - time.monotonic()))
            asked = time.monotonic()
            try:
                if variant.replicas:
                    add_window_on_replicas(client, small_window(0, seq, T0), variant.replicas)
                else:
                    client.xadd(keys.RAW, small_window(0, seq, T0))
                sent.acknowledged.append(seq)
                sent.seconds.append(time.monotonic() - asked)
            except (redis.RedisError, NotReplicated):
                sent.refused += 1
            seq += 1
    return seq


def trial(line: str, variant: Variant) -> tuple[Sent, int]:
    """Return the windows sent while the line was disturbed, and the number of lost ones."""
    before, disturbed = Sent(), Sent()
    with primary_and_replica(variant.more) as (primary, replica, link):
        eventually(lambda: bool(primary.info("replication").get("connected_slaves")), 20.0)
        seq = send(primary, variant, before, 0, BEFORE_S)
        if line == "cut":
            link.half_open()
        else:
            link.delay_s = DELAY_S
        send(primary, variant, disturbed, seq, DISTURBED_S)
        primary.kill()
        with replica.client() as client:
            client.replicaof("NO", "ONE")
        found = window_numbers(f"redis://:{PASSWORD}@127.0.0.1:{replica.port}/0")
    return disturbed, len({*before.acknowledged, *disturbed.acknowledged} - found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=3)
    options = parser.parse_args()
    columns = ("line", "acknowledged by", "trials", "acknowledged", "refused", "lost", "ms")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for line in LINES:
        for variant in VARIANTS:
            trials = [trial(line, variant) for _ in range(options.trials)]
            times = [s for sent, _ in trials for s in sent.seconds]
            cells = [
                line,
                variant.name,
                len(trials),
                sum(len(sent.acknowledged) for sent, _ in trials),
                sum(sent.refused for sent, _ in trials),
                ", ".join(str(lost) for _, lost in trials),
                f"{1000 * median(times):.1f}" if times else "-",
            ]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
