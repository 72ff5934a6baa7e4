"""A layout of hosts, and what is known of how VTOX behaves on them: settings and measured costs."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from vtox.motor.faults import FAMILIES
from vtox.motor.values.record_lengths import record_length_s
from vtox.pipeline.bridge.lease import LEASE_LIFE_MS
from vtox.pipeline.bridge.loop import MAINTENANCE_EVERY_S
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.store.server.client import SOCKET_TIMEOUT_S

MEASURED = Path(__file__).with_name("measured.toml")


def default(setting: str) -> float:
    """Return the default of a setting."""
    return float(Settings.model_fields[setting].default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Time that a task takes a worker: in all, for each record and for each second of data in it.

    By family, in s (`second_s` without unit).
    """

    task_s: dict[str, float]
    record_s: dict[str, float]
    second_s: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long VTOX takes to notice and to come back, s.

    What constants and settings of the code say is read from there; the others are measured.
    """

    lease_s: float = LEASE_LIFE_MS / 1000
    maintenance_s: float = MAINTENANCE_EVERY_S
    redispatch_s: float = default("redispatch_after_s")
    # A record waits so long for others of its task, for each second of its length.
    batch_wait_s: float = default("batch_wait_ms") / 1000
    # TCP sends what was not acknowledged again after this time, doubled each time (RFC 6298; the
    # lower bound of Linux).
    retransmit_s: float = 0.2
    # From the expiry of a lease until the next bridge has built the open records again.
    takeover_s: float
    # From the death of a primary until its successor is written to.
    failover_s: float
    # Who waits for a server that is silent gives it up after this, and then needs `reconnect_s`
    # until it is at work again.
    socket_timeout_s: float = SOCKET_TIMEOUT_S
    reconnect_s: float

    def away_s(self, kind: str, seconds: float) -> float:
        """Return for how long nobody has a server, if it is stopped or killed in this way."""
        if kind == "all":
            return seconds
        if kind == "primary":
            return self.failover_s
        return max(self.failover_s, self.socket_timeout_s) + self.reconnect_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Hosts of workers, partitions with a bridge each, and the machines that send."""

    machines: int
    worker_hosts: int
    workers_per_family: int = 1  # on each host
    partitions: int = 1
    window_s: float = 1.0
    batch_windows: int = int(default("batch_windows"))
    in_flight_windows: int = int(default("in_flight_windows"))


def record_s(family: str) -> float:
    """Return the length of a record of a family without a nameplate, s."""
    return record_length_s(family, None)


def measured_times(name: str, path: Path = MEASURED) -> tuple[Costs, Delays]:
    """Return costs and delays of a section of `measured.toml`, which says where they are from."""
    with path.open("rb") as file:
        section = tomllib.load(file)[name]
    costs = {
        f"{what}_s": {f: section["worker_ms"][what][f] / 1000 for f in FAMILIES}
        for what in ("task", "record", "second")
    }
    return Costs(**costs), Delays(**section["delays_s"])
