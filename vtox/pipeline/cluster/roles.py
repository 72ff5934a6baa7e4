"""The roles of the cluster that a host has: `vtox up --roles worker:bearing,worker:broken_bar`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vtox.motor.errors import InputError
from vtox.motor.faults import FAMILIES
from vtox.pipeline.configuration.settings import Settings

WORKERS = "workers"
ROLES = (
    "server",
    "bridge",
    WORKERS,
    "recorder",
    "notifier",
    "mqtt",
    "api",
    "flower",
    "mcp",
    "opcua",
)
# Workers of one queue.
WORKER = "worker:"
NAMES = (*ROLES, *(f"{WORKER}{family}" for family in FAMILIES))


@dataclass(frozen=True, slots=True)
class HostRoles:
    """The roles of this host, and the queues of its workers."""

    names: frozenset[str]
    queues: tuple[str, ...]


def host_roles(
    settings: Settings, chosen: Sequence[str] = (), without: Collection[str] = ()
) -> HostRoles:
    """Return the roles that were chosen, by default all, without some.

    Raises `InputError`: there is no such role, or the settings leave nothing to start for one that
    was chosen.
    """
    wanted = [name.strip() for text in chosen for name in text.split(",") if name.strip()]
    _require_known("--roles", wanted, NAMES)
    _require_known("--without", without, ROLES)
    absent = {}
    if settings.redis_url:
        absent["server"] = "VTOX_REDIS_URL names the server"
    if settings.notify_file is None:
        absent["notifier"] = "VTOX_NOTIFY_FILE is not set"
    for setting in ("mqtt_mapping", "mqtt_url"):
        if getattr(settings, setting) is None:
            absent["mqtt"] = f"VTOX_{setting.upper()} is not set"
    for name in ("mcp", "opcua"):
        if getattr(settings, f"{name}_port") is None:
            absent[name] = f"VTOX_{name.upper()}_PORT is not set"
    for name in absent.keys() & set(wanted):
        raise InputError(f"--roles {name}: {absent[name]}, so there is none to start")
    names = {WORKERS if n.startswith(WORKER) else n for n in wanted or ROLES}
    queues = tuple(f for f in FAMILIES if f"{WORKER}{f}" in wanted)
    if WORKERS in wanted or not queues:
        queues = tuple(FAMILIES)
    return HostRoles(frozenset(names - absent.keys() - set(without)), queues)


def _require_known(option: str, names: Collection[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"{option} {name}: expected one of {', '.join(known)}")
