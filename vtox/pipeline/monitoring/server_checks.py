"""The checks of `vtox doctor` on a server that answers: clock, rights, log, and its load."""

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import redis

from vtox.motor.faults import FAILED
from vtox.motor.words.rendering import advice, full_reason, render
from vtox.pipeline.configuration import keys
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.monitoring.host_checks import PACKAGE_REMEDY
from vtox.pipeline.monitoring.readiness import Check, Status, checks
from vtox.pipeline.store.ledger.retention import sizes_are_measured
from vtox.pipeline.store.server.client import Client, server_info, server_time
from vtox.pipeline.store.server.partition_table import number_in_force
from vtox.pipeline.store.stream import outputs
from vtox.pipeline.store.system.agreement import PACKAGES_TERM, REFUSED_TERM, title
from vtox.pipeline.store.system.status import Snapshot

REDIS_MIN = (7, 0)
# Alerts carry the senders' times, throughput the server's: a second shows.
CLOCK_WARN_S = 1.0
LAG_WARN = 1000
# A package that fails shows in each result of its fault: in one of six and more.
RESULTS_READ = 200


def server_checks(client: Client, settings: Settings) -> Iterator[Check]:
    """Yield the round trip, the clock, and whether the server keeps the data that VTOX writes."""
    before = time.time()
    server_t = server_time(client)
    after = time.time()
    trip_ms = (after - before) * 1000
    offset = server_t - (before + after) / 2
    yield Check(name="round trip", status="pass", observed=f"{trip_ms:.1f} ms")
    far = abs(offset) > CLOCK_WARN_S
    yield Check(
        name="clock",
        status="warn" if far else "pass",
        observed=f"the server's clock differs from this host's by {offset:+.3f} s",
        remedy="synchronise both by NTP" if far else "",
    )
    try:
        info = server_info(client)
    except redis.ResponseError as error:
        yield Check(name="version", status="warn", observed=f"INFO is denied: {error}")
        return
    yield _version(info)
    if not sizes_are_measured(client):
        observed = "MEMORY USAGE is denied: outputs are bounded in time only, not in size"
        remedy = "allow the user of VTOX_REDIS_URL `+memory|usage` (deploy/redis/users.acl)"
        yield Check(name="rights", status="warn", observed=observed, remedy=remedy)
    yield _persistence(info, settings)
    policy = info.get("maxmemory_policy", "noeviction")
    yield Check(
        name="eviction",
        status="pass" if policy == "noeviction" else "fail",
        observed=policy,
        remedy=""
        if policy == "noeviction"
        else "set `maxmemory-policy noeviction`, otherwise data are lost",
    )


def _version(info: dict[str, object]) -> Check:
    if "valkey_version" in info:
        return Check(name="version", status="pass", observed=f"valkey {info['valkey_version']}")
    text = str(info.get("redis_version", "0"))
    old = tuple(int(n) for n in text.split(".")[:2] if n.isdigit()) < REDIS_MIN
    remedy = "VTOX needs Redis 7 or newer, or any Valkey" if old else ""
    return Check(
        name="version", status="fail" if old else "pass", observed=f"redis {text}", remedy=remedy
    )


def _persistence(info: dict[str, object], settings: Settings) -> Check:
    if not info.get("aof_enabled"):
        remedy = "set `appendonly yes` on that server, otherwise windows are lost when it ends"
        return Check(name="persistence", status="warn", observed="off", remedy=remedy)
    bad = [k for k in ("aof_last_write_status", "aof_last_bgrewrite_status") if info.get(k) != "ok"]
    size = f"{int(str(info.get('aof_current_size') or 0)) / 1e6:.0f} MB"
    return Check(
        name="persistence",
        status="fail" if bad else "pass",
        observed=f"append-only log, {size}" + (f"; {', '.join(bad)} not ok" if bad else ""),
        remedy=f"is the disk of {settings.data_dir} full? cluster.log there says why"
        if bad
        else "",
    )


def work_checks(snap: Snapshot) -> Iterator[Check]:
    """Yield the state of the work: readiness, alarms, dead letters, windows that wait."""
    yield from (
        replace(c, name="memory") if c.name == "server" else c
        for c in checks(snap)
        if c.name != "disk"  # `persistence` says more
    )
    for a in snap.alarms:
        status: Status = "fail" if a.level == "fault" else "warn"
        yield Check(
            name=f"alarm {a.fault}",
            status=status,
            observed=full_reason(a),
            remedy=advice(a.code, a.values),
        )
    dead = snap.lengths[keys.DEAD_LETTERS]
    yield Check(
        name="dead letters",
        status="warn" if dead else "pass",
        observed=str(dead),
        remedy="`vtox dead-letters list` shows why" if dead else "",
    )
    group = snap.group
    if group is None:
        return
    if group.lag is None:
        observed = f"unknown to the server; {group.pending} pending"
        yield Check(name="lag", status="pass", observed=observed)
        return
    behind = group.lag > LAG_WARN
    each = [f"{p.number}: {p.group.lag}" for p in snap.partitions if p.group]
    parts = f" (by partition {', '.join(each)})" if len(each) > 1 else ""
    yield Check(
        name="lag",
        status="warn" if behind else "pass",
        observed=f"{group.lag} windows of {keys.RAW} unread{parts}, {group.pending} pending",
        remedy="start more workers: raise VTOX_CLUSTER_WORKERS" if behind else "",
    )


def package_checks(client: Client, snap: Snapshot) -> Iterator[Check]:
    """Yield the bridges and workers that lack a package of others, or in which one fails."""
    noted = {title(p): p.terms.get(PACKAGES_TERM, "") for p in snap.parties}
    every = {name for text in noted.values() for name in text.split(", ") if name}
    for name in sorted(every):
        if lacking := [f"{who} ({_host(snap, who)})" for who, t in noted.items() if name not in t]:
            yield Check(
                name="packages of hosts",
                status="warn",
                observed=f"{name} is not installed for {', '.join(lacking)}: its fault is unknown",
                remedy="install it on every host, with the same version",
            )
    for p in snap.parties:
        if refused := p.terms.get(REFUSED_TERM):
            observed = f"{title(p)} ({p.host}) leaves out {refused}"
            yield Check(
                name="packages of hosts", status="warn", observed=observed, remedy=PACKAGE_REMEDY
            )
    latest = (e for _, e in outputs.before(client, keys.RESULTS, "", count=RESULTS_READ))
    failed = {e[b"fault"].decode(): e[b"reason"].decode() for e in latest if _failed(e)}
    for fault, why in failed.items():
        observed = f"{fault}: {why}"
        yield Check(
            name="packages at work", status="warn", observed=observed, remedy=PACKAGE_REMEDY
        )


def _host(snap: Snapshot, who: str) -> str:
    return next(p.host for p in snap.parties if title(p) == who)


def _failed(entry: Mapping[bytes, bytes]) -> bool:
    return entry.get(b"code") == FAILED.encode()


def scaling_checks(snap: Snapshot, settings: Settings) -> Iterator[Check]:
    """Yield whether the number of workers of this host follows the load, if that is set."""
    if not settings.cluster_workers.follows_load:
        return
    report = next((r for r in snap.scaling if r.host == socket.gethostname()), None)
    if report is None:
        yield Check(
            name="scaling",
            status="warn",
            observed="VTOX_CLUSTER_WORKERS is a range, and nothing on this host changes the number "
            "of workers",
            remedy="start the workers by `vtox up`; if it runs here, cluster.log says why",
        )
        return
    observed = f"{report.workers} of {report.least} to {report.most} workers"
    why = render(report.code, report.values)
    yield Check(name="scaling", status="pass", observed=f"{observed}; {why}")


def partition_checks(client: Client, settings: Settings) -> Iterator[Check]:
    """Yield whether the number of partitions in force is the one that is set here."""
    number, wanted = number_in_force(client), settings.stream_partitions
    if wanted is None or wanted == number:
        yield Check(name="partitions", status="pass", observed=f"{number} in force")
        return
    yield Check(
        name="partitions",
        status="warn",
        observed=f"{number} in force, but by VTOX_STREAM_PARTITIONS there would be {wanted} here",
        remedy="set it alike for all processes; the bridge that starts last decides",
    )
