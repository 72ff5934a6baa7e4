"""Shared by the routes of a machine's settings: the versions, and the body that sets a new one."""

from collections.abc import Mapping
from typing import Any

from api.http.errors import Problem
from api.schemas.common import rfc3339
from vtox.motor.alarms.health.sensitivity import Sensitivity
from vtox.motor.values.channel_map import ChannelMap


def time_set(setting: Sensitivity | ChannelMap) -> str | None:
    """Return when a setting was set; None for version 0."""
    return rfc3339(setting.t) if setting.version else None


def setting_of_body(
    body: Mapping[str, Any], schema: Mapping[str, Any], what: str, problem: str
) -> tuple[Mapping[str, Any], int | None]:
    """Return the table `what` of a body, and the version that it replaces.

    `schema` is that of the body, `problem` the code of the error if it does not fit.
    """
    for name in body:
        if name not in schema["properties"]:
            expected = ", ".join(schema["properties"])
            detail = f"{name:.80}: no such field, expected some of {expected}"
            raise Problem(problem, detail, field=name)
    table, version = body.get(what), body.get("version")
    if not isinstance(table, Mapping):
        raise Problem(problem, f"{what}: {table!r:.80}, expected a table of {what}", field=what)
    if version is not None and (type(version) is not int or version < 0):
        detail = f"version: {version!r:.80}, expected that of the setting that this replaces"
        raise Problem(problem, detail, field="version")
    return table, version
