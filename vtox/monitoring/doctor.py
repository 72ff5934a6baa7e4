"""The checks of `vtox doctor`: each says what was observed and what to do about it."""

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from math import ceil
from pathlib import Path

import redis

import vtox
from vtox import keys
from vtox.cluster import data_folder, ports, processes
from vtox.cluster.embedded_server import USE_ANOTHER_SERVER, program
from vtox.errors import BrokerUnavailable, ServerUnavailable, SettingsError
from vtox.monitoring.measured_load import measured_load
from vtox.monitoring.readiness import Check, Status, checks
from vtox.monitoring.requirements import TYPICAL, Box, requirements
from vtox.queues import broker
from vtox.sentences.rendering import advice
from vtox.server_urls import broker_address, complete_database, mask, unencrypted_host
from vtox.settings import Settings, files, unknown_settings
from vtox.store import shared_memory
from vtox.store.client import (
    Client,
    check,
    connect,
    server_info,
    server_time,
    unavailable,
)
from vtox.store.partition_table import number_in_force
from vtox.store.retention import sizes_are_measured
from vtox.store.status import Snapshot, snapshot

PACKAGES = ("vtox", "celery", "kombu", "redis", "flower", "numpy", "scipy", "sqlalchemy")
REDIS_MIN = (7, 0)
# Alerts carry the senders' times, throughput the server's: a second shows.
CLOCK_WARN_S = 1.0
DISK_WARN_BYTES, DISK_FAIL_BYTES = 2 << 30, 64 << 20
LAG_WARN = 1000


def inspect(settings: Settings, machines: int | None = None) -> Iterator[Check]:
    """Yield the checks in the order in which a person would make them.

    `machines` is how many there are to be; None: as many as send.
    """
    yield _versions()
    yield _celeryconfig()
    yield _settings()
    yield from transport(settings)
    yield from _data_dir(settings)
    yield from room_for_windows(settings)
    yield _history(settings)
    yield from _ports(settings)
    yield from _broker(settings)
    if not settings.several_servers:
        yield from _one_server(settings, settings.working_url, machines)
        return
    urls = settings.server_urls()
    share = machines and ceil(machines / len(urls))
    for i, url in enumerate(urls, start=1):
        for found in _one_server(settings, partial(str, url), share):
            yield replace(found, name=f"{found.name}, server {i}")


def _one_server(
    settings: Settings, url: Callable[[], str], machines: int | None
) -> Iterator[Check]:
    snap: Snapshot | None = None
    load = TYPICAL
    try:
        with connect(url(), "doctor") as client:
            check(client)
            yield from _server(client, settings)
            snap = snapshot(client)
            yield from _work(snap)
            yield from _partitions(client, settings)
            load = measured_load(client, snap)
    except ServerUnavailable as error:
        yield _no_server(settings, error)
    except SettingsError as error:
        remedy = error.remedy
        yield Check(name="server", status="fail", observed=error.observed, remedy=remedy)
    except (redis.ConnectionError, redis.TimeoutError) as error:
        yield _no_server(settings, unavailable(error))
    if wanted := machines or load.machines:
        yield from requirements(wanted, load, settings, box(settings, snap))


def box(settings: Settings, snap: Snapshot | None) -> Box:
    """Return what there is on this box, and of the server."""
    limit = settings.redis_maxmemory_mb << 20
    if snap and snap.server:
        limit = snap.server.maxmemory_bytes or 0
    folder = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
    return Box(
        limit_bytes=limit,
        memory_bytes=shared_memory.memory_bytes(),
        disk_free_bytes=shutil.disk_usage(folder).free,
        workers=len(snap.workers) if snap and snap.workers else settings.cluster_workers,
        cores=os.cpu_count() or 1,
        server_here=not settings.redis_url,
        ring_bytes=shared_memory.ring_mb(settings) << 20,
    )


def _broker(settings: Settings) -> Iterator[Check]:
    """Yield whether the broker of `VTOX_BROKER_URL` answers this process."""
    if not settings.broker_url:
        return
    try:
        product = broker.product()
        where = broker_address(settings.working_broker_url())
        yield Check(name="broker connection", status="pass", observed=f"{product} at {where}")
    except (BrokerUnavailable, SettingsError) as error:
        remedy = error.remedy or "start it, or correct VTOX_BROKER_URL or VTOX_BROKER_CA"
        yield Check(name="broker connection", status="fail", observed=error.observed, remedy=remedy)


def _no_server(settings: Settings, error: ServerUnavailable) -> Check:
    observed = error.observed
    if settings.redis_url:
        remedy = (
            error.remedy
            or "start it, or set VTOX_REDIS_URL to another; without it `vtox up` starts its own"
        )
    else:
        remedy = error.remedy or f"start it with `vtox up`, or {USE_ANOTHER_SERVER}"
        if data_folder.why_unusable(settings.data_dir):
            observed = "no server can run without a data folder"
            remedy = "first make the data folder usable (see above)"
        try:
            program()
        except ServerUnavailable as missing:
            observed, remedy = missing.observed, missing.remedy
    return Check(name="server", status="fail", observed=observed, remedy=remedy)


def _versions() -> Check:
    text = ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    return Check(
        name="versions", status="pass", observed=f"Python {platform.python_version()}, {text}"
    )


def _celeryconfig() -> Check:
    ours = Path(vtox.__file__).parent.parent / "celeryconfig.py"
    if not ours.exists():
        remedy = "reinstall vtox"
        return Check(name="celeryconfig", status="fail", observed=f"{ours} missing", remedy=remedy)
    foreign = Path.cwd() / "celeryconfig.py"
    ignored = foreign.exists() and not foreign.samefile(ours)
    note = f"; {foreign} is not ours and is ignored" if ignored else ""
    return Check(name="celeryconfig", status="pass", observed=f"{ours}{note}")


def _settings() -> Check:
    read = "; ".join(f"{path} is read" for path in files())
    unknown = "; ".join(map(str, unknown_settings()))
    if not unknown:
        observed = "every name is a setting" + (f"; {read}" if read else "")
        return Check(name="settings", status="pass", observed=observed)
    if read:
        unknown += f"; {read}"
    remedy = "correct or remove the names that have no effect"
    return Check(name="settings", status="warn", observed=unknown, remedy=remedy)


def transport(settings: Settings) -> Iterator[Check]:
    """Warn of passwords and windows that travel to another host as they are."""
    for setting, url in (
        ("VTOX_REDIS_URL", settings.redis_url),
        ("VTOX_BROKER_URL", settings.broker_url),
        ("VTOX_DATABASE_URL", settings.database_url),
    ):
        if host := unencrypted_host(url or ""):
            yield Check(
                name="encryption",
                status="warn",
                observed=f"{setting} leads to {host} unencrypted: password and windows can be read "
                "on the way",
                remedy="use rediss://, amqps:// or sslmode=verify-full (SECURITY.md)",
            )


def _data_dir(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    if reason := data_folder.why_unusable(folder):
        remedy = "correct that, or set VTOX_DATA_DIR to a folder that this user can write to"
        yield Check(name="data", status="fail", observed=f"{folder}: {reason}", remedy=remedy)
        return
    if not folder.exists():
        yield Check(name="data", status="pass", observed=f"{folder}: created at the first start")
        return
    free = shutil.disk_usage(folder).free
    status: Status = "pass" if free > DISK_WARN_BYTES else "warn"
    if free < DISK_FAIL_BYTES:
        status = "fail"
    remedy = "" if status == "pass" else "free space, or set VTOX_DATA_DIR to a larger disk"
    observed = f"{folder}, {free / 1e9:.1f} GB free"
    yield Check(name="data", status=status, observed=observed, remedy=remedy)
    overcommit = Path("/proc/sys/vm/overcommit_memory")
    if not settings.redis_url and overcommit.exists() and overcommit.read_text().strip() == "0":
        yield Check(
            name="overcommit",
            status="warn",
            observed="vm.overcommit_memory is 0: with little memory free, rewriting the server's "
            "log can fail",
            remedy="`sysctl vm.overcommit_memory=1` avoids it",
        )


def room_for_windows(settings: Settings, folder: Path = shared_memory.FOLDER) -> Iterator[Check]:
    """Yield whether this host has room for the ring of windows; none is a loss of speed alone."""
    name, megabytes = "shared memory", shared_memory.ring_mb(settings, folder)
    without = "workers fetch their windows from the server"
    if not folder.exists():
        yield Check(name=name, status="pass", observed=f"none on this system: {without}")
    elif not megabytes and settings.shared_windows_mb is None and not settings.redis_url:
        yield Check(
            name=name,
            status="warn",
            observed=f"{shared_memory.free_bytes(folder) >> 20} MB free in {folder}: {without}",
            remedy="give a container more (`--shm-size`)",
        )
    elif not megabytes:
        yield Check(name=name, status="pass", observed=f"switched off: {without}")
    elif problem := shared_memory.shortage(megabytes << 20, folder):
        yield Check(
            name=name,
            status="warn",
            observed=f"{problem}: {without}",
            remedy="give a container more (`--shm-size`), or set VTOX_SHARED_WINDOWS_MB lower, or "
            "to 0",
        )
    else:
        yield Check(name=name, status="pass", observed=f"room for {megabytes} MB in {folder}")


def _history(settings: Settings) -> Check:
    """Return where the history is; whether it is recorded is a check of the running system."""
    if settings.database_url:
        try:
            url = complete_database("VTOX_DATABASE_URL", settings.database_url)
        except SettingsError as error:
            return Check(
                name="history", status="fail", observed=error.observed, remedy=error.remedy
            )
        return Check(name="history", status="pass", observed=mask(url))
    file = settings.history_file
    if not file.exists():
        return Check(name="history", status="pass", observed=f"{file}: made by the recorder")
    return Check(
        name="history", status="pass", observed=f"{file}, {file.stat().st_size / 1e6:.0f} MB"
    )


def _ports(settings: Settings) -> Iterator[Check]:
    specs = processes.cluster(settings)
    try:
        ports.require_distinct_ports(processes.configured_ports(settings, specs))
    except SettingsError as error:
        yield Check(name="ports", status="fail", observed=error.observed, remedy=error.remedy)
    for setting, (host, port) in processes.listen_addresses(settings, specs).items():
        name = f"port:{setting.removeprefix('VTOX_').removesuffix('_PORT').lower()}"
        path = "/" if setting == "VTOX_FLOWER_PORT" else processes.LIVENESS_PATH
        if ports.responds(ports.base_url(host, port) + path):
            yield Check(name=name, status="pass", observed=f"{port} responds")
        elif ports.port_is_free(port, host):
            yield Check(name=name, status="pass", observed=f"{port} is free")
        else:
            yield _port_in_use(name, setting, port)


def _port_in_use(name: str, setting: str, port: int) -> Check:
    process = ports.process_on_port(port)
    program_name = f"{process.name()} (pid {process.pid})" if process else "another program"
    observed = f"{port} is in use by {program_name}, which does not respond as VTOX"
    remedy = f"stop that, or set {setting} to a free port"
    if process and ports.is_vtox_process(process):
        observed = f"{port} is in use by VTOX's own {program_name}, which does not respond"
        remedy = (
            f"it hangs or was stopped: `kill -9 {process.pid}`; `vtox up` does so within a minute "
            "and starts it again"
        )
    return Check(name=name, status="fail", observed=observed, remedy=remedy)


def _server(client: Client, settings: Settings) -> Iterator[Check]:
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


def _work(snap: Snapshot) -> Iterator[Check]:
    yield from (
        replace(c, name="memory") if c.name == "server" else c
        for c in checks(snap)
        if c.name != "disk"  # `persistence` says more
    )
    for a in snap.alarms:
        status: Status = "fail" if a.level == "fault" else "warn"
        yield Check(
            name=f"alarm {a.fault}", status=status, observed=a.reason, remedy=advice(a.code)
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


def _partitions(client: Client, settings: Settings) -> Iterator[Check]:
    """Yield whether the number of partitions in force is the one that is set here."""
    number, wanted = number_in_force(client), settings.stream_partitions
    if wanted is not None:
        wanted //= len(settings.server_urls())
    if wanted is None or wanted == number:
        yield Check(name="partitions", status="pass", observed=f"{number} in force")
        return
    yield Check(
        name="partitions",
        status="warn",
        observed=f"{number} in force, but by VTOX_STREAM_PARTITIONS there would be {wanted} here",
        remedy="set it alike for all processes; the bridge that starts last decides",
    )
