"""Settings of a machine that have versions: the present one, and those before it.

Each is a field of the machine's hash, a JSON table with `version`, `t` (s, server clock), `by` and
the values set; `<field>:<version>` are the same of the last versions. With the machine they are
saved by a backup and deleted.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

import structlog

from vtox.motor.alarms.health.sensitivity import DEFAULT, Sensitivity
from vtox.motor.values import codec
from vtox.motor.values.domain import Motor
from vtox.pipeline.configuration import keys
from vtox.pipeline.errors import SettingChanged, UnknownMachine
from vtox.pipeline.store.server import scripts
from vtox.pipeline.store.server.client import Client
from vtox.pipeline.store.stream.entries import number
from vtox.pipeline.store.stream.unreadable import read_or_none

log = structlog.get_logger()
T = TypeVar("T")

# The most versions of each setting of a machine; the earliest are dropped.
VERSIONS_KEPT = 50


# Each is one of a kind: compared and hashed as such.
@dataclass(frozen=True, slots=True, eq=False)
class SettingKind(Generic[T]):
    """One setting: its field, its type, and its value if none is set.

    If `strict`, a setting with a wrong part cannot be read; else only that part is absent.
    """

    field: str
    type: type[Any]
    default: T
    strict: bool = True


# The nameplate has no versions. Impossible parts of it are a reason to abstain, the rest is used.
MOTOR: SettingKind[Motor | None] = SettingKind("motor", Motor, None, strict=False)
# When the faults of a machine alert; those left out of `faults` have their defaults.
SENSITIVITY = SettingKind("sensitivity", Sensitivity, DEFAULT)


def store_setting(
    client: Client,
    machine_id: str,
    kind: SettingKind[Any],
    table: dict[str, Any],
    *,
    by: str,
    expected_version: int | None = None,
) -> int:
    """Keep a setting as its next version; return the version.

    Raises `UnknownMachine`: the machine is not known. `SettingChanged`: the present version is not
    the one that was expected: somebody has changed it meanwhile.
    """
    text = codec.encode({"by": by, **table})
    expected = "" if expected_version is None else expected_version
    args = [machine_id, kind.field, text, VERSIONS_KEPT, expected]
    where = [keys.MACHINES, keys.machine(machine_id)]
    script = client.register_script(scripts.source("set_machine_setting", shared=True))
    reply = int(script(keys=where, args=args))
    if reply == 0:
        raise UnknownMachine(machine_id)
    if reply < 0:
        raise SettingChanged(kind.field, -reply - 1)
    return reply


def present_setting(client: Client, machine_id: str, kind: SettingKind[T]) -> T:
    """Return the setting of a machine that is in force."""
    found: T = decode_setting(client.hget(keys.machine(machine_id), kind.field), kind)
    return found


def setting_versions(client: Client, machine_id: str, kind: SettingKind[T]) -> list[T]:
    """Return the versions of a setting that are kept and can be read, the newest first."""
    key = keys.machine(machine_id)
    newest = int(number(client.hget(key, f"{kind.field}_version")) or 0)
    oldest = max(newest - VERSIONS_KEPT + 1, 1)
    names = [f"{kind.field}:{version}" for version in range(newest, oldest - 1, -1)]
    found = client.hmget(key, names) if names else []
    read = (read_or_none(codec.decode, kind.type, x, strict=kind.strict) for x in found if x)
    return [version for version in read if version is not None]


@lru_cache(maxsize=8192)
def decode_setting(text: bytes | None, kind: SettingKind[Any]) -> Any:
    """Return a stored setting; the default if there is none, or it cannot be read."""
    try:
        return codec.decode(kind.type, text, strict=kind.strict) if text else kind.default
    except ValueError as error:
        # Its records must not become poison: nothing is set until it is set again.
        log.error("a setting cannot be read: set it again", field=kind.field, reason=repr(error))
        return kind.default
