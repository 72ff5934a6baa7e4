"""Nameplates to and from plain data: JSON of the API, `motor.toml`, `fleet.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from vtox.motor.errors import NameplateError
from vtox.motor.values.bearing import Bearing
from vtox.motor.values.domain import Motor

_MOTOR = tuple(f.name for f in fields(Motor))
_BEARING = tuple(f.name for f in fields(Bearing))


def motor_from_dict(data: Mapping[str, Any]) -> Motor:
    """Return the motor of plain data; names are the fields of `Motor` and `Bearing`.

    Raises `NameplateError`: a field is unknown or its value impossible; the error names it.
    """
    values = _check_fields(data, _MOTOR, "")
    bearing = values.get("bearing")
    if bearing is not None:
        if not isinstance(bearing, Mapping):
            raise NameplateError(
                f"bearing: {bearing!r}, expected a table of orders or of geometry", "bearing"
            )
        values["bearing"] = Bearing(**_check_fields(bearing, _BEARING, "bearing."))
    return Motor(**values)


def motor_to_dict(motor: Motor) -> dict[str, Any]:
    """Return the known fields of a motor as plain data."""
    data = {k: v for k, v in asdict(motor).items() if v is not None}
    if bearing := data.get("bearing"):
        data["bearing"] = {k: v for k, v in bearing.items() if v is not None}
    return data


def read_motor(path: Path) -> Motor:
    """Return the motor of a `motor.toml` (its fields at top level or in a table `[motor]`)."""
    data = _toml(path)
    try:
        return motor_from_dict(data.get("motor", data))
    except NameplateError as error:
        raise NameplateError(f"{path}: {error}", error.field) from error


def read_fleet(path: Path) -> dict[str, Motor]:
    """Return machine id -> motor of a `fleet.toml`: one table `[machines.<id>]` a machine."""
    machines = _toml(path).get("machines")
    if not isinstance(machines, Mapping) or not machines:
        raise NameplateError(
            f"{path}: no machines, expected tables [machines.<machine_id>]", "machines"
        )
    fleet = {}
    wrong = []
    for machine_id, data in machines.items():
        try:
            fleet[machine_id] = motor_from_dict(data)
        except NameplateError as error:
            wrong.append(NameplateError(f"{machine_id}: {error}", error.field))
    try:
        refuse_all(wrong)
    except NameplateError as error:
        raise NameplateError(f"{path}: {error}", error.field) from error
    return fleet


def refuse_all(wrong: Sequence[NameplateError]) -> None:
    """Raise `NameplateError` with a line for each of several, or the one there is."""
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        lines = "\n".join(map(str, wrong))
        raise NameplateError(f"{len(wrong)} machines are wrong:\n{lines}", wrong[0].field)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise NameplateError(f"{path}: no such file, expected nameplates in TOML") from error
    except OSError as error:
        raise NameplateError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NameplateError(f"{path}: expected TOML: {error}") from error


def _check_fields(data: Any, names: tuple[str, ...], prefix: str) -> dict[str, Any]:
    """Return `data` as a dictionary whose keys are all among `names`."""
    if not isinstance(data, Mapping):
        kind = type(data).__name__
        raise NameplateError(f"{prefix.rstrip('.') or 'motor'}: {kind}, expected a table of fields")
    for name in data:
        if name not in names:
            raise NameplateError(
                f"{prefix}{name}: unknown field, expected some of {', '.join(names)}",
                f"{prefix}{name}",
            )
    return dict(data)
