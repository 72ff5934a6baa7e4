"""The checks of `vtox doctor` on this host: versions, settings, files, memory and ports."""

import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from vtox.motor.faults import PACKAGES, REFUSED
from vtox.motor.files.formats import refused_formats
from vtox.motor.words.catalogue import refused_words
from vtox.pipeline.cluster import data_folder, ports, processes, server_allocator
from vtox.pipeline.cluster.embedded_server import program
from vtox.pipeline.configuration.server_urls import complete_database, mask, unencrypted_host
from vtox.pipeline.configuration.settings import Settings, files, unknown_settings
from vtox.pipeline.configuration.version import version
from vtox.pipeline.errors import ServerUnavailable, SettingsError
from vtox.pipeline.monitoring.known_advisories import advisory_checks
from vtox.pipeline.monitoring.readiness import Check, Status
from vtox.pipeline.store.stream import shared_memory

VERSIONS = ("celery", "kombu", "redis", "flower", "numpy", "scipy", "sqlalchemy")
PACKAGE_REMEDY = "correct the package (docs/howto/add-a-fault-in-your-package.md) or uninstall it"
DISK_WARN_BYTES, DISK_FAIL_BYTES = 2 << 30, 64 << 20


def host_checks(settings: Settings) -> Iterator[Check]:
    """Yield the checks that need no connection."""
    yield _versions()
    yield from advisory_checks(settings.data_dir)
    if is_built_by_profile(sysconfig.get_config_vars()) is False:
        yield Check(
            name="interpreter",
            status="pass",
            observed=f"{sys.executable} was built without profile-guided optimisation "
            "(`--enable-optimizations`): Python's own work takes more CPU than it must "
            "(docs/howto/limit-memory.md)",
        )
    yield _packages()
    yield _celeryconfig()
    yield _settings()
    yield from transport(settings)
    yield from _data_dir(settings)
    yield from room_for_windows(settings)
    yield from _allocator(settings)
    yield _history(settings)
    yield from _ports(settings)


def _versions() -> Check:
    text = ", ".join(f"{p} {metadata.version(p)}" for p in VERSIONS)
    return Check(
        name="versions",
        status="pass",
        observed=f"vtox {version()}, Python {platform.python_version()}, {text}",
    )


def _packages() -> Check:
    """Check the faults and formats that packages of others bring."""
    found = ", ".join(f"{f.name} ({f.package})" for f in PACKAGES.values()) or "no fault of others"
    refused = [*REFUSED, *refused_words(), *refused_formats()]
    if not refused:
        return Check(name="packages", status="pass", observed=found)
    left_out = "; ".join(f"{r.name} ({r.package}): {r.code}: {r.detail}" for r in refused)
    return Check(name="packages", status="warn", observed=left_out, remedy=PACKAGE_REMEDY)


def is_built_by_profile(variables: Mapping[str, Any]) -> bool | None:
    """Return whether a profile guided the build of an interpreter, by its `sysconfig` variables.

    None: not known. Distributions run that build by their own steps, which no variable shows.
    """
    arguments = variables.get("CONFIG_ARGS")
    if not arguments or variables.get("installed_base") == "/usr":
        return None
    return "--enable-optimizations" in arguments


def _celeryconfig() -> Check:
    ours = Path(__file__).parents[3] / "celeryconfig.py"
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
    if reason := data_folder.folder_problem(folder):
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


def _allocator(settings: Settings) -> Iterator[Check]:
    """Yield which allocator the embedded server gets on this host."""
    if settings.redis_url or sys.platform != "linux":
        return
    try:
        preloaded = server_allocator.environment(program()).get("LD_PRELOAD")
    except ServerUnavailable:
        return  # the check of the server says so
    jemalloc = "libjemalloc" in (preloaded or "")
    observed = "jemalloc for the embedded server"
    if not jemalloc:
        observed = (
            f"the C library's for the embedded server: with {server_allocator.JEMALLOC} on this "
            "host it takes less memory and CPU (docs/howto/limit-memory.md)"
        )
    yield Check(name="allocator", status="pass", observed=observed)


def _history(settings: Settings) -> Check:
    """Return the place of the history; whether it is recorded is a check of the running system."""
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
    for spec in specs:
        if spec.listener:
            yield _port(f"port:{spec.name}", spec.listener)


def _port(name: str, at: ports.Listener) -> Check:
    path = "/" if at.setting == "VTOX_FLOWER_PORT" else processes.LIVENESS_PATH
    if ports.responds(ports.base_url(at.host, at.port) + path):
        return Check(name=name, status="pass", observed=f"{at.port} responds")
    if ports.port_is_free(at.port, at.host):
        return Check(name=name, status="pass", observed=f"{at.port} is free")
    return _port_in_use(name, at.setting, at.port)


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
