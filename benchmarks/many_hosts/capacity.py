"""What a number of hosts carries, by arithmetic from the measured cost of a window.

Nothing here is a measurement of more than one box: each limit is a measured cost divided into what
a host has, and the smallest limit is the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# A choice, not a measurement: the rest is for bursts, and for the work of a host that fails.
UTILISATION = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCost:
    """CPU of a window of one machine, ms, by where it is spent; and its bytes."""

    server_ms: float  # of the server's process, most of it on its one thread for commands
    bridge_ms: float
    recorder_ms: float
    workers_ms: Mapping[str, float]
    window_bytes: int

    @property
    def workers_total_ms(self) -> float:
        """CPU of all families, ms."""
        return sum(self.workers_ms.values())

    @property
    def total_ms(self) -> float:
        """CPU of all processes, ms."""
        return self.server_ms + self.bridge_ms + self.recorder_ms + self.workers_total_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Server hosts, each with the bridge and recorder of its partitions, and hosts of workers."""

    server_hosts: int
    worker_hosts: int  # 0: the workers run on the server hosts
    cores: int
    network_bytes_per_s: float


def limits(hosts: Hosts, cost: WindowCost, utilisation: float = UTILISATION) -> dict[str, float]:
    """Return machines (one window a second each) by limit; the smallest is what is carried."""
    per_core = 1000 * utilisation
    servers = hosts.server_hosts
    beside = cost.server_ms + cost.bridge_ms + cost.recorder_ms
    found = {"thread of the server": servers * per_core / cost.server_ms}
    found["thread of the bridge"] = servers * per_core / cost.bridge_ms
    if hosts.worker_hosts == 0:
        return found | {"cores": servers * hosts.cores * per_core / cost.total_ms}
    families = len(cost.workers_ms)
    per_server = utilisation * hosts.network_bytes_per_s / (families * cost.window_bytes)
    return found | {
        "cores of the server hosts": servers * hosts.cores * per_core / beside,
        "cores of the worker hosts": (
            hosts.worker_hosts * hosts.cores * per_core / cost.workers_total_ms
        ),
        # A window comes in once and goes out to each family; links carry both ways at once.
        "network of the server hosts": servers * per_server,
    }
