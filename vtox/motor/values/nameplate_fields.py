"""The fields of a nameplate, from the types of `Motor` and the ranges: forms, tables, exports."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from vtox.motor.values.bearing import DEFECTS, Bearing
from vtox.motor.values.bearing_catalogue import CATALOGUE
from vtox.motor.values.domain import Motor
from vtox.motor.values.nameplate_ranges import PLACE_LENGTHS, RANGES, Range

_Kind = Literal["number", "numbers", "choice", "text"]


@dataclass(frozen=True, slots=True)
class NameplateField:
    """One value of a nameplate; `name` has dots where it lies in a table: `bearing.orders.BPFO`."""

    name: str
    kind: _Kind
    range: Range | None = None
    # For a text: its possible beginnings; for a choice: all values.
    choices: tuple[str, ...] = ()
    max_length: int = 0
    # The value that an unknown one counts as, if there is one.
    default: float | str | None = None


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)


def _of(cls: type, prefix: str) -> Iterator[NameplateField]:
    hints = get_type_hints(cls)
    for f in fields(cls):
        name = f"{prefix}{f.name}"
        kinds = get_args(hints[f.name]) if _is_union(hints[f.name]) else (hints[f.name],)
        default = f.default if isinstance(f.default, float | str) else None
        hint = next(k for k in kinds if k is not type(None))
        if hint is Bearing:
            yield from _of(Bearing, f"{name}.")
        elif get_origin(hint) is Mapping:
            yield from (NameplateField(f"{name}.{d}", "number", RANGES[name]) for d in DEFECTS)
        elif get_origin(hint) is Literal:
            yield NameplateField(name, "choice", choices=get_args(hint), default=default)
        elif hint is str:
            known = tuple(CATALOGUE) if name == "bearing.designation" else ()
            yield NameplateField(name, "text", choices=known, max_length=PLACE_LENGTHS[name])
        else:
            kind: _Kind = "numbers" if get_origin(hint) is tuple else "number"
            yield NameplateField(name, kind, RANGES[name], default=default)


FIELDS = tuple(_of(Motor, ""))


def flattened(plate: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nameplate as plain data without tables in it: `bearing.orders.BPFO` -> value."""
    flat: dict[str, Any] = {}
    for name, value in plate.items():
        if isinstance(value, Mapping):
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nameplate of flat data, as `motor_from_dict` takes it."""
    plate: dict[str, Any] = {}
    for name, value in flat.items():
        *tables, last = name.split(".")
        place = plate
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = value
    return plate
