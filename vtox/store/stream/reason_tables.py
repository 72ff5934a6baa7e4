"""Reasons, and what a record said of a fault, as the plain data that entries and hashes keep."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vtox.alarms.health.alerts import Verdict
from vtox.values.domain import Reason, ReasonValue

_VALUES = (str, int, float)


def reason_from_table(table: Mapping[str, Any]) -> Reason:
    """Return a reason that was kept as a table."""
    return Reason(table["code"], values_from_table(table.get("values") or {}))


def reasons_from_table(tables: Sequence[Mapping[str, Any]] | None) -> tuple[Reason, ...]:
    """Return reasons that were kept as tables, none where an older version kept none."""
    return tuple(map(reason_from_table, tables or ()))


def reasons_table(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Return reasons as plain data."""
    return [{"code": r.code, "values": dict(r.values)} for r in reasons]


def verdict_from_table(table: Mapping[str, Any] | None) -> Verdict | None:
    """Return what a record said from plain data, None where an earlier version kept none."""
    if not table:
        return None
    return Verdict(
        table["state"],
        table["code"],
        table["reason"],
        table["t"],
        values_from_table(table.get("values") or {}),
        reasons_from_table(table.get("doubts")),
    )


def values_from_table(table: Mapping[str, Any]) -> dict[str, ReasonValue]:
    """Return the values of a reason that were kept as a table: numbers, texts, lists of texts."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in table.items()
        if isinstance(value, _VALUES) or (isinstance(value, list) and _are_texts(value))
    }


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(v, str) for v in values)
