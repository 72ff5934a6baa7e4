"""The sensitivity of one machine: when each of its faults alerts, as a person has set it. Pure.

A number that is not set is the default of the fault (`vtox.motor.faults.PERSISTENCE`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from types import MappingProxyType
from typing import Any

from vtox.motor.errors import SensitivityError
from vtox.motor.faults import FAULTS, PERSISTENCE, Persistence

# Least and most of each number that may be set. Twenty records of a broken bar are up to 13
# minutes. A machine's memory holds the last `n` or `clear` slots of each fault. People do not wait
# longer than two weeks of days.
COUNTS = {"k": (1, 20), "n": (1, 20), "clear": (1, 50), "days": (1, 14), "of_days": (1, 14)}
SHARES = ("min_severity", "min_confidence")
FIELDS = (*COUNTS, *SHARES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """When each fault of a machine alerts; version 0 are the defaults, which are not set.

    `faults` are the ones set, `t` (s, server clock) and `by` say when and by whom.
    """

    version: int = 0
    """0: never set"""
    t: float = 0.0
    by: str = ""
    """name and id of the API key; without one, the name that was sent"""
    faults: Mapping[str, Persistence] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse numbers that may not be set."""
        for fault, rule in self.faults.items():
            _check(fault, rule)

    @property
    def rules(self) -> Mapping[str, Persistence]:
        """The rule of every fault; the numbers of its diagnoser are not set."""
        if not self.faults:
            return PERSISTENCE
        known = {
            fault: replace(rule, slot_s=PERSISTENCE[fault].slot_s, hold=PERSISTENCE[fault].hold)
            for fault, rule in self.faults.items()
            if fault in FAULTS
        }
        return MappingProxyType({**PERSISTENCE, **known})


DEFAULT = Sensitivity()


def rules_from_dict(data: Mapping[str, Any]) -> dict[str, Persistence]:
    """Return fault -> rule of plain data; a field that is left out is the default of its fault.

    Raises
    ------
    SensitivityError
        A fault or field is unknown or its value impossible; the error names it.
    """
    return {fault: rule_from_dict(fault, table) for fault, table in data.items()}


def rule_from_dict(fault: str, table: Any) -> Persistence:
    """Return the rule of one fault, as `rules_from_dict` does."""
    if fault not in FAULTS:
        expected = ", ".join(FAULTS)
        raise SensitivityError(f"{fault:.80}: no such fault, expected some of {expected}", fault)
    if not isinstance(table, Mapping):
        what = type(table).__name__
        raise SensitivityError(f"{fault}: {what}, expected a table of {', '.join(FIELDS)}", fault)
    for name in table:
        if name not in FIELDS:
            where = f"{fault}.{name:.80}"
            expected = ", ".join(FIELDS)
            raise SensitivityError(f"{where}: no such field, expected some of {expected}", where)
    rule = replace(PERSISTENCE[fault], **table)
    _check(fault, rule)
    return rule


def _check(fault: str, rule: Persistence) -> None:
    for name, (low, high) in COUNTS.items():
        value = getattr(rule, name)
        if type(value) is not int or not low <= value <= high:
            _refuse(f"{fault}.{name}", f"{value!r:.80}", f"a whole number from {low} to {high}")
    for name in SHARES:
        value = getattr(rule, name)
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not 0 <= value <= 1:
            _refuse(f"{fault}.{name}", f"{value!r:.80}", "a number from 0 to 1")
    if rule.k > rule.n:
        _refuse(f"{fault}.k", f"{rule.k} of {rule.n} records", "k of at most n")
    if rule.days > rule.of_days:
        given = f"{rule.days} of {rule.of_days} days"
        _refuse(f"{fault}.days", given, "days of at most of_days")


def _refuse(where: str, value: str, expected: str) -> None:
    raise SensitivityError(f"{where}: {value}, expected {expected}", where)
