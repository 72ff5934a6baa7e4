"""The checks of `vtox doctor`: each reports an observation and a remedy."""

import shutil
from collections.abc import Iterator

import psutil
import redis

from vtox.pipeline.cluster import data_folder
from vtox.pipeline.cluster.embedded_server import USE_ANOTHER_SERVER, program
from vtox.pipeline.configuration.server_urls import broker_address
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.usable_cores import usable_cores
from vtox.pipeline.errors import BrokerUnavailable, ServerUnavailable, SettingsError
from vtox.pipeline.monitoring.host_checks import host_checks
from vtox.pipeline.monitoring.measured_load import measured_load
from vtox.pipeline.monitoring.readiness import Check
from vtox.pipeline.monitoring.requirements import TYPICAL, Box, requirements
from vtox.pipeline.monitoring.server_checks import (
    package_checks,
    partition_checks,
    scaling_checks,
    server_checks,
    work_checks,
)
from vtox.pipeline.queues import broker
from vtox.pipeline.store.server.client import check, connect, replicas_of, unavailable
from vtox.pipeline.store.stream import shared_memory
from vtox.pipeline.store.system.status import Snapshot, snapshot


def inspect(settings: Settings, machines: int | None = None, hosts: int = 1) -> Iterator[Check]:
    """Yield the checks in the order in which a person would make them.

    `machines` is how many there are to be, None: as many as send; on `hosts` like this one.
    """
    yield from host_checks(settings)
    yield from _broker(settings)
    snap: Snapshot | None = None
    load, replicas = TYPICAL, 0
    try:
        with connect(settings.working_url(), "doctor") as client:
            check(client)
            yield from server_checks(client, settings)
            snap = snapshot(client)
            yield from work_checks(snap)
            yield from package_checks(client, snap)
            yield from scaling_checks(snap, settings)
            yield from partition_checks(client, settings)
            load, replicas = measured_load(client, snap), replicas_of(client)
    except ServerUnavailable as error:
        yield _no_server(settings, error)
    except SettingsError as error:
        remedy = error.remedy
        yield Check(name="server", status="fail", observed=error.observed, remedy=remedy)
    except (redis.ConnectionError, redis.TimeoutError) as error:
        yield _no_server(settings, unavailable(error))
    if wanted := machines or load.machines:
        yield from requirements(wanted, load, settings, _box(settings, snap, hosts, replicas))


def _box(settings: Settings, snap: Snapshot | None, hosts: int = 1, replicas: int = 0) -> Box:
    """Return the resources of this box and of the server."""
    limit = settings.redis_maxmemory_mb << 20
    if snap and snap.server:
        limit = snap.server.maxmemory_bytes or 0
    folder = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
    return Box(
        limit_bytes=limit,
        memory_bytes=shared_memory.memory_bytes(),
        disk_free_bytes=shutil.disk_usage(folder).free,
        workers=len(snap.workers) if snap and snap.workers else settings.cluster_workers.least,
        # The monitor knows how many cores the cgroup allows to bridge and workers.
        cores=(snap and snap.metrics and snap.metrics[0].cores) or usable_cores(),
        link_bytes_per_s=_link_bytes_per_s(),
        hosts=hosts,
        partitions=max(len(snap.partitions), 1) if snap else 1,
        replicas=replicas,
        server_here=not settings.redis_url,
        ring_bytes=shared_memory.ring_mb(settings) << 20,
    )


def _link_bytes_per_s() -> float:
    """Return the speed of the fastest link of this host; 1 Gbit/s if none says it."""
    links = psutil.net_if_stats().values()
    return max([n.speed for n in links if n.isup and n.speed], default=1000) * 125_000.0


def _broker(settings: Settings) -> Iterator[Check]:
    """Yield whether the broker of `VTOX_BROKER_URL` answers this process."""
    if not settings.broker_url:
        return
    try:
        product = broker.product()
        where = broker_address(settings.working_broker_url())
        yield Check(name="broker connection", status="pass", observed=f"{product} at {where}")
    except (BrokerUnavailable, SettingsError) as error:
        remedy = error.remedy or "start it, or correct VTOX_BROKER_URL"
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
        if data_folder.folder_problem(settings.data_dir):
            observed = "no server can run without a data folder"
            remedy = "first make the data folder usable (see above)"
        try:
            program()
        except ServerUnavailable as missing:
            observed, remedy = missing.observed, missing.remedy
    return Check(name="server", status="fail", observed=observed, remedy=remedy)
