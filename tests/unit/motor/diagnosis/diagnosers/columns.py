"""Columns of one record for tests of rules: columns that a test does not give are empty."""

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from vtox.motor.diagnosis.diagnosers.columns import Objects, Stated, objects
from vtox.motor.diagnosis.diagnosers.decision import DecisionTable, Rule
from vtox.motor.values.arrays import Bool, Complex, Float64, Int
from vtox.motor.values.domain import Reason

T = TypeVar("T")
BLANK: dict[Any, Any] = {
    Bool: np.array([False]),
    Float64: np.array([np.nan]),
    Complex: np.array([np.nan + 0j]),
    Int: np.array([0]),
    Objects: objects([""]),
    Stated: [()],
}


def column(value: Any) -> Any:
    """Return one value as a column."""
    return [value] if isinstance(value, tuple) else np.array([value])


def columns(of: type[T], **given: Any) -> T:
    """Return columns of one record."""
    blank = {f.name: BLANK[f.type] for f in fields(of)}  # type: ignore[arg-type]
    return of(**blank | {name: column(value) for name, value in given.items()})


def outcome(table: DecisionTable[T], x: T) -> tuple[Rule[T], tuple[Reason, ...]]:
    """Return the rule that decides a record, and its reasons: the code, then doubts."""
    decided = table.decide(x, 1)
    (reasons,) = table.reasons(x, decided)
    return table.rules[decided[0]], reasons
