"""Columns of a batch: rounding as `round` does, gathering of records, taking and spreading rows."""

from dataclasses import dataclass

import numpy as np
import pytest

from vtox.motor.diagnosis.diagnosers.columns import (
    Objects,
    Stated,
    extend,
    gathered,
    objects,
    rounded,
    spread,
    take,
)
from vtox.motor.values.arrays import Bool, Complex, Float64, Int
from vtox.motor.values.domain import Reason

SAID = (Reason("a"), Reason("b"))


@dataclass(frozen=True)
class Columns:
    level: Float64
    phasor: Complex
    bin: Int
    seen: Bool
    found: Objects
    stated: Stated


@dataclass(frozen=True)
class Level:
    level: Float64


FULL = {"level": 1.5, "phasor": 1j, "bin": 3, "seen": True, "found": (1, 2), "stated": SAID}


def row(x: Columns, i: int) -> tuple[object, ...]:
    return (x.level[i], x.phasor[i], x.bin[i], x.seen[i], x.found[i], x.stated[i])


def is_blank(x: Columns, i: int) -> bool:
    level, phasor, *others = row(x, i)
    return bool(np.isnan(level) and np.isnan(phasor)) and others == [0, False, None, ()]


@pytest.mark.parametrize("digits", [0, 2, 3, 6])
def test_numbers_are_rounded_as_round_does(digits: int) -> None:
    halves = (np.arange(-2000, 2000) + 0.5) / 10.0**digits
    x = np.concatenate((halves, [2.675, 1.005, 0.285, -2.675, 1e15 / 7, 0.0]))
    assert rounded(x, digits).tolist() == [round(v, digits) for v in x.tolist()]


def test_what_is_not_finite_stays_so_when_rounded() -> None:
    finite, nan, infinite = rounded(np.array([0.12345, np.nan, np.inf]), 3)
    assert finite == 0.123
    assert np.isnan(nan)
    assert infinite == np.inf


def test_rounding_leaves_its_input_and_takes_an_empty_batch() -> None:
    x = np.array([2.675, 0.1234])
    rounded(x, 2)
    assert x.tolist() == [2.675, 0.1234]
    assert rounded(np.array([]), 3).shape == (0,)


def test_objects_of_one_length_make_no_table() -> None:
    column = objects([(1, 2), (3, 4)])
    assert (column.shape, column.dtype, column.tolist()) == ((2,), object, [(1, 2), (3, 4)])
    assert objects([]).shape == (0,)


def test_a_record_without_a_value_is_blank() -> None:
    x = gathered(Columns, [FULL, {}])
    assert row(x, 0) == tuple(FULL.values())
    assert is_blank(x, 1)


def test_a_batch_that_nobody_fills_has_the_types_of_columns() -> None:
    x = gathered(Columns, [{}, {}])
    assert is_blank(x, 0)
    kinds = [c.dtype.kind for c in (x.level, x.phasor, x.bin, x.seen, x.found)]
    assert kinds == ["f", "c", "i", "b", "O"]


def test_columns_given_whole_are_taken_as_they_are() -> None:
    level = np.array([7.0, 8.0])
    x = gathered(Columns, [FULL, {"level": 1.0}], level=level)
    assert x.level is level
    assert x.bin.tolist() == [3, 0]


def test_columns_are_extended_by_rows_by_more_or_blank() -> None:
    narrow = Level(np.array([1.0, 2.0]))
    by_rows = extend(Columns, narrow, [{"bin": 4}, {}], seen=np.array([True, False]))
    assert by_rows.level is narrow.level
    assert (by_rows.bin.tolist(), by_rows.seen.tolist()) == ([4, 0], [True, False])
    blank = extend(Columns, narrow)
    assert (blank.found.tolist(), blank.stated) == ([None, None], [(), ()])


def test_more_takes_the_place_of_a_column_that_was_there() -> None:
    x = extend(Columns, Level(np.array([1.0])), level=np.array([5.0]))
    assert x.level.tolist() == [5.0]


def test_rows_are_taken_in_the_order_asked_for() -> None:
    x = gathered(Columns, [{"bin": 0}, {"bin": 1, "stated": SAID}, {"bin": 2}])
    some = take(x, np.array([2, 1]))
    assert (some.bin.tolist(), some.stated) == ([2, 1], [(), SAID])
    none = take(x, np.array([], int))
    assert (none.bin.shape, none.stated) == ((0,), [])


def test_spread_rows_are_blank_where_none_was_taken() -> None:
    wide = spread(gathered(Columns, [FULL]), np.array([1]), 3)
    assert row(wide, 1) == tuple(FULL.values())
    assert is_blank(wide, 0)
    assert is_blank(wide, 2)


def test_taking_what_was_spread_gives_it_back() -> None:
    x, rows = gathered(Columns, [FULL, FULL | {"bin": 9}]), np.array([3, 0])
    back = take(spread(x, rows, 5), rows)
    assert [row(back, i) for i in (0, 1)] == [row(x, i) for i in (0, 1)]
    assert spread(x, rows, 5).seen.dtype == bool
