"""How much of the system is in use, and how many more machines like today's it would carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from vtox.motor.values.domain import Reason, reason
from vtox.pipeline.monitoring.throughput import metrics_age_s
from vtox.pipeline.store.ledger.metrics import STALE_INTERVALS
from vtox.pipeline.store.stream.entries import Metrics

# Long records are diagnosed ten seconds at a time or more: an average over less swings with them.
AVERAGE_S = 60.0
CPU = "cpu"
# Processes with one thread, and so at most one core. The bridge's is that of the process that
# measures.
SERVER, BRIDGE = THREADS = ("server", "bridge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The load, as averages over the last minute, and the room that is left."""

    used: dict[str, float]
    """queue -> share of its workers' time that tasks took, `server` and `bridge` -> share of a core
    that their thread used, `cpu` -> share of the cores that the bridge may use which are in use;
    averages over a minute"""
    limit: str | None = None
    """the most used resource"""
    machines: int | None = None
    """machines that sent in the last minute"""
    room: int | None = None
    """about how many more there would be with all of `limit` in use"""
    why: Reason


def capacity(metrics: Sequence[Metrics], now: float) -> Capacity:
    """Return the shares of the last minute's entries; `metrics` has the newest first, `now` in s.

    The use grows in proportion to the machines: room = machines * (1 / share - 1). It holds for
    machines that send as these do. It is an estimate: a window costs less as the load of a host
    grows (docs/adr/0023), while near a share of 1 windows wait.
    """
    recent = last_minute_metrics(metrics, now)
    if not recent:
        return Capacity(used={}, why=reason("room_without_figures"))
    latest = recent[0]
    used = {name: fmean(shares) for name, shares in _shares(recent).items()}
    if not latest.busy.keys() - THREADS:
        return Capacity(used=used, why=reason("room_without_workers"))
    machines = None if latest.machines is None else int(latest.machines)
    limit, room, why = _room_of(used, machines)
    return Capacity(used=used, limit=limit, machines=machines, room=room, why=why)


def last_minute_metrics(metrics: Sequence[Metrics], now: float) -> Sequence[Metrics]:
    """Return the entries of the last minute, the latest at least; none if that is stale."""
    latest = metrics[0] if metrics else None
    age = metrics_age_s(latest, now)
    if latest is None or age is None or age > STALE_INTERVALS * (latest.interval_s or 0.0):
        return []
    return [m for m in metrics if m.t is not None and now - m.t < AVERAGE_S] or [latest]


def _room_of(used: Mapping[str, float], machines: int | None) -> tuple[str, int | None, Reason]:
    """Return the scarcest resource, the room for more machines (None: unknown), and why."""
    limit = max(used, key=lambda name: used[name])
    if not machines or not used[limit]:
        return limit, None, reason("room_without_machines")
    if CPU not in used:
        return limit, None, reason("room_without_load")
    room = max(0, int(machines * (1 / used[limit] - 1)))
    return limit, room, reason("room", room=room, machines=machines, limit=limit, share=used[limit])


def _shares(recent: Sequence[Metrics]) -> dict[str, list[float]]:
    shares: dict[str, list[float]] = {}
    for m in recent:
        for name, share in {**m.busy, **({} if m.cpu is None else {CPU: m.cpu})}.items():
            shares.setdefault(name, []).append(share)
    return shares
