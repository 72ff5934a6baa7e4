"""Columns of a batch: arrays of shape (batch,), or reasons of each record, in dataclasses."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from vtox.motor.values.arrays import Bool, Complex, Float64, Int
from vtox.motor.values.domain import Reason

T = TypeVar("T")
# Reasons that an earlier step stated for each record, none if it had no objection.
Stated = Sequence[tuple[Reason, ...]]
# A column of anything but numbers.
Objects = npt.NDArray[np.object_]
# Entry of a column for a record without a value.
BLANKS: Mapping[Any, Any] = {
    Bool: False,
    Complex: np.nan + 0j,
    Float64: np.nan,
    Int: 0,
    Objects: None,
    Stated: (),
}


def rounded(x: Float64, digits: int) -> Float64:
    """Return numbers rounded as `round` does, which `numpy.round` does only nearly.

    A whole number over a power of ten is exact unless a half decides.
    """
    scaled = x * 10.0**digits
    whole = np.rint(scaled)
    found = np.asarray(whole / 10.0**digits)
    with np.errstate(invalid="ignore"):
        in_doubt = (np.abs(np.abs(scaled - whole) - 0.5) < 1e-4) | (np.abs(scaled) > 1e11)
    for i in np.flatnonzero(in_doubt).tolist():
        found[i] = round(float(x[i]), digits)
    return found


def objects(values: Sequence[Any]) -> Objects:
    """Return a column of values as they are: numpy would make a table of tuples."""
    column = np.empty(len(values), object)
    for i, value in enumerate(values):
        column[i] = value
    return column


def gathered(of: type[T], rows: Sequence[Mapping[str, Any]], **whole: Any) -> T:
    """Return columns, of the values that each record has by name; those of `whole` are given."""
    found = dict(whole)
    named = set().union(*rows)
    for f in fields(of):  # type: ignore[arg-type]
        if f.name not in whole:
            blank = BLANKS[f.type]
            some = f.name in named
            values = [row.get(f.name, blank) for row in rows] if some else [blank] * len(rows)
            found[f.name] = _column(f.type, values)
    return of(**found)


def _column(kind: Any, values: list[Any]) -> Any:
    if kind == Stated:
        return values
    return objects(values) if kind == Objects else np.array(values)


def extend(of: type[T], x: Any, rows: Sequence[Mapping[str, Any]] | None = None, **more: Any) -> T:
    """Return columns together with more; the others are gathered from rows, or blank."""
    known = {f.name: getattr(x, f.name) for f in fields(x)} | more
    return gathered(of, rows or [{}] * len(next(iter(known.values()))), **known)


def take(x: T, rows: Int) -> T:
    """Return the columns of some records."""
    return type(x)(
        **{
            f.name: column[rows]
            if isinstance(column := getattr(x, f.name), np.ndarray)
            else [column[i] for i in rows.tolist()]
            for f in fields(x)  # type: ignore[arg-type]
        }
    )


def with_rows(x: T, rows: Int, of_rows: T) -> T:
    """Return columns of a batch with those of some records in their place."""
    wide: dict[str, Any] = {}
    for f in fields(x):  # type: ignore[arg-type]
        column, own = getattr(x, f.name), getattr(of_rows, f.name)
        wide[f.name] = column.copy() if isinstance(column, np.ndarray) else list(column)
        for k, row in enumerate(rows.tolist()):
            wide[f.name][row] = own[k]
    return type(x)(**wide)


def spread(x: T, rows: Int, count: int) -> T:
    """Return columns of some records as columns of a batch, blank in the other rows.

    Blank is NaN in numbers, 0 in whole ones, False in masks, None in objects.
    """
    wide: dict[str, Any] = {}
    for f in fields(x):  # type: ignore[arg-type]
        column = getattr(x, f.name)
        if isinstance(column, np.ndarray):
            blank = np.nan if column.dtype.kind in "fc" else None if column.dtype == object else 0
            wide[f.name] = np.full(count, blank, column.dtype)
            wide[f.name][rows] = column
        else:
            values: list[tuple[Reason, ...]] = [()] * count
            for row, value in zip(rows.tolist(), column, strict=True):
                values[row] = value
            wide[f.name] = values
    return type(x)(**wide)
