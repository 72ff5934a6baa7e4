"""The acknowledged windows that a fail-over loses.

    python -m faults.replication [--trials N]

Each trial has a separate Sentinel group: a primary, two replicas, three sentinels on this host.
A sender sends windows of 80 kB one by one, as fast as it can. The primary is killed with -9, or
stopped for some seconds and woken. The new primary is searched for the acknowledged windows.
`faults.replication_cost` measures the cost of losing none.
"""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import redis

from faults.sender import small_window
from faults.sentinel_group import SentinelGroup, sentinel_group
from tests.cluster import free_ports
from vtox.pipeline.client.publisher import Publisher
from vtox.pipeline.configuration import keys
from vtox.pipeline.store.server.client import connect

BALLAST = bytes(80_000)
T0 = 1_764_000_000.0
BEFORE_S, AFTER_S, STOPPED_S = 3.0, 3.0, 12.0
KEEP_S = 20.0
PAGE = 200
MIN_REPLICAS = ("min-replicas-to-write 1", "min-replicas-max-lag 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How windows are sent, and the disturbance of the primary."""

    name: str
    kill: bool = True
    keep_s: float = 0.0
    replicas: int = 0
    more: Sequence[str] = ()
    # A sender that waits for ever on the connection that it has, as many programs do.
    stubborn: bool = False


VARIANTS = (
    Variant(name="killed; acknowledged by the primary alone"),
    Variant(name="killed; acknowledged by one replica", replicas=1),
    Variant(name=f"killed; last {KEEP_S:.0f} s sent again", keep_s=KEEP_S),
    Variant(name="stopped; sender without time-outs", kill=False, stubborn=True),
    Variant(
        name="stopped; the same, min-replicas-to-write 1",
        kill=False,
        stubborn=True,
        more=MIN_REPLICAS,
    ),
    Variant(name="stopped; acknowledged by one replica", kill=False, replicas=1),
    Variant(name=f"stopped; last {KEEP_S:.0f} s sent again", kill=False, keep_s=KEEP_S),
)


class Sender(threading.Thread):
    """Sends windows until `ending` is set; `acknowledged` are their numbers."""

    def __init__(self, group: SentinelGroup, variant: Variant) -> None:
        super().__init__(daemon=True)
        self.group = group
        self.variant = variant
        self.acknowledged: list[int] = []
        self.ending = threading.Event()

    def run(self) -> None:
        """Send."""
        if self.variant.stubborn:
            self._send_to_one()
        else:
            self._send_to_whoever_is_the_primary()

    def _send_to_one(self) -> None:
        node = self.group.primary()
        assert node
        client = node.client()
        client.connection_pool.connection_kwargs["socket_timeout"] = None
        for seq in range(sys.maxsize):
            if self.ending.is_set():
                return
            try:
                client.xadd(keys.RAW, small_window(0, seq, T0) | {"ballast": BALLAST})
            except redis.RedisError:
                return
            self.acknowledged.append(seq)

    def _send_to_whoever_is_the_primary(self) -> None:
        v = self.variant
        publisher = Publisher(
            self.group.url, keep_s=v.keep_s, replicas=v.replicas, patience_s=float("inf")
        )
        with publisher:
            for seq in range(sys.maxsize):
                if self.ending.is_set():
                    return
                fields = small_window(0, seq, T0) | {"ballast": BALLAST}
                publisher.collect_entry(
                    {k: x if isinstance(x, bytes) else str(x) for k, x in fields.items()}
                )
                self.acknowledged += [a.seq for a in publisher.flush()]


def trial(variant: Variant) -> tuple[int, int, float]:
    """Return how many windows were acknowledged and how many are lost, and the time without, s."""
    folder = Path(tempfile.mkdtemp(prefix="vtox-replication-"))
    with sentinel_group(folder, free_ports(6), more=variant.more) as group:
        sender = Sender(group, variant)
        sender.start()
        time.sleep(BEFORE_S)
        old = group.primary()
        assert old
        began = time.monotonic()
        if variant.kill:
            old.kill()
        else:
            old.signal(signal.SIGSTOP)
        group.wait_for_new_primary(old)
        away_s = time.monotonic() - began
        if not variant.kill:
            time.sleep(max(0.0, STOPPED_S - away_s))
            old.signal(signal.SIGCONT)
            group.wait_until_whole()
        time.sleep(AFTER_S)
        sender.ending.set()
        sender.join(timeout=30)
        lost = set(sender.acknowledged) - window_numbers(group.url)
        return len(sender.acknowledged), len(lost), away_s


def window_numbers(url: str) -> set[int]:
    """Return the numbers of the windows that the primary has."""
    numbers: set[int] = set()
    last = "-"
    with connect(url, "count") as client:
        while entries := client.xrange(keys.RAW, min=last, count=PAGE):
            numbers |= {int(fields[b"seq"]) for _, fields in entries}
            last = f"({entries[-1][0].decode()}"
    return numbers


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=5)
    parser.add_argument("--only", default="", help="variants whose name contains this")
    options = parser.parse_args()
    print("| primary | trials | acknowledged | lost | most in a trial | new primary after, s |")
    print("|---|---:|---:|---:|---:|---:|")
    for variant in VARIANTS:
        if options.only not in variant.name:
            continue
        results = [trial(variant) for _ in range(options.trials)]
        acknowledged, lost, away = zip(*results, strict=True)
        print(
            f"| {variant.name} | {len(results)} | {sum(acknowledged)} | {sum(lost)} | {max(lost)} "
            f"| {median(away):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
