"""The processes of this host under one supervisor: checked, locked, watched, stopped in order."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import redis

from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import processes
from vtox.pipeline.cluster.absence import report_absences
from vtox.pipeline.cluster.cluster_log import ClusterLog
from vtox.pipeline.cluster.embedded_server import program
from vtox.pipeline.cluster.file_lock import try_lock, write_holder
from vtox.pipeline.cluster.flower_password import USER
from vtox.pipeline.cluster.parts import keep_parts
from vtox.pipeline.cluster.ports import base_url, require_distinct_ports, require_free_ports
from vtox.pipeline.cluster.processes import ProcessSpec
from vtox.pipeline.cluster.roles import WORKERS, HostRoles
from vtox.pipeline.cluster.scaler import Scaler
from vtox.pipeline.cluster.supervisor import Supervisor
from vtox.pipeline.configuration.settings import Settings, given_settings, unknown_settings
from vtox.pipeline.store.server.client import check_when_loaded, connect
from vtox.pipeline.store.system.agreement import require_agreement
from vtox.pipeline.store.system.apikeys import require_keys, required
from vtox.pipeline.store.system.audit import Actor
from vtox.pipeline.store.system.deeds import note_settings


async def run_supervised(supervised: Supervisor, roles: HostRoles) -> None:
    """Run the processes, and let the number of workers follow the load if that is set."""
    settings = supervised.settings
    supervised.run_background("supervisor", lambda: keep_parts(settings, supervised))
    supervised.run_background("supervisor", lambda: report_absences(settings, supervised))
    if settings.cluster_workers.follows_load and WORKERS in roles.names:
        scaler = Scaler(settings, roles.queues, supervised, supervised.log)
        supervised.run_background("scaler", scaler.run)
    await supervised.run()


def supervisor(
    settings: Settings, specs: Sequence[ProcessSpec], log: ClusterLog, who: Actor
) -> Supervisor:
    """Return the supervisor of `specs`, which logs the addresses once all processes are ready.

    `who` started it, and is named in the audit with the settings that are new.
    """

    def preflight() -> None:
        with connect(settings.working_url(), "up") as client:
            check_when_loaded(client)
            require_agreement(client, settings)
            with suppress(redis.exceptions.NoPermissionError):  # a host of workers alone
                note_settings(client, who, given_settings(settings))
            if any(s.name == "api" for s in specs) and required(settings):
                require_keys(client, settings)

    def on_ready() -> None:
        log.write_own("VTOX is up", **addresses(settings, specs))

    for unknown in unknown_settings():
        log.write_own(str(unknown), level="warning")
    return Supervisor(
        specs,
        settings,
        log,
        preflight=preflight,
        on_ready=on_ready,
        server_responds=lambda: processes.server_responds(settings),
    )


@contextmanager
def exclusive_use(settings: Settings, specs: Sequence[ProcessSpec]) -> Iterator[None]:
    """Lock the data folder for this instance, after checking all that can be checked beforehand.

    Raises `VtoxError`: two settings name one port, there is no server, another instance uses the
    data folder, or a port is in use.
    """
    require_distinct_ports(processes.configured_ports(settings, specs))
    if settings.broker_url:
        settings.working_broker_url()
    if settings.redis_url:
        with connect(settings.working_url(), "up") as client:
            check_when_loaded(client)
    elif any(s.name == "server" for s in specs):
        program()
    lock = try_lock(settings.data_dir / "cluster.lock")
    if lock is None:
        raise SystemStateError(
            f"another vtox runs on {settings.data_dir}",
            remedy="stop it, or give this one its own VTOX_DATA_DIR and ports",
        )
    write_holder(lock)
    try:
        require_free_ports(s.listener for s in specs if s.listener and not s.optional)
        yield
    finally:
        os.close(lock)


def addresses(settings: Settings, specs: Sequence[ProcessSpec]) -> dict[str, str]:
    """Return name -> address or path of the pages and files that a person may want to open."""
    names = {s.name for s in specs}
    by_name = {}
    if "api" in names:
        by_name["page"] = base_url(settings.api_host, settings.api_port)
    if "flower" in names:
        by_name["flower"] = base_url("", settings.flower_port)
        if settings.cluster_mode != "development" and not settings.flower_password:
            by_name["flower_password"] = f"of user {USER}, in {settings.flower_password_file}"
    return by_name | {"log": str(settings.data_dir / "cluster.log")}
