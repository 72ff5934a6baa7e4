"""Values as plain data and back, and as people read them: four significant digits."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any


def known_fields(kind: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items of a stored table that are fields of a dataclass: versions may differ."""
    names = {f.name for f in fields(kind)}
    return {name: value for name, value in table.items() if name in names}


def plain(value: Any) -> Any:
    """Return `value` for JSON: numbers of numpy as those of Python, not finite ones as null."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def digits(value: Any) -> str:
    """Return a value with four significant digits, or as a whole number from 10,000 on."""
    if isinstance(value, list | tuple):
        return ",".join(map(digits, value))
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the differences between two tables: values of `after`, then the removed ones.

    >>> changes({"k": 2, "bearing": {"balls": 9}}, {"k": 3, "site": "Hall 2"})
    ('k: 2 -> 3', 'site: none -> Hall 2', 'bearing.balls: 9 -> none')
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [n for n in (*new, *(n for n in old if n not in new)) if old.get(n) != new.get(n)]
    return tuple(f"{n}: {_or_none(old.get(n))} -> {_or_none(new.get(n))}" for n in names)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _or_none(value: Any) -> str:
    return "none" if value is None else digits(value)
