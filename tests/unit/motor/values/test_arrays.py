"""The short cuts on arrays give the results of numpy's own functions."""

import numpy as np
import pytest

from vtox.motor.values import arrays

RECORDS = np.arange(60, dtype=np.float32).reshape(4, 3, 5)
ROWS = np.random.default_rng(1).standard_normal((4, 3, 9))


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_medians_are_those_of_numpy(size: int) -> None:
    x = ROWS[..., :size]
    assert np.array_equal(arrays.median(x), np.median(x, axis=-1))


def test_elements_of_rows_are_those_of_numpy() -> None:
    x, index = ROWS[:, 0], np.array([[0, 8], [3, 3], [7, 1], [2, 0]])
    assert np.array_equal(arrays.pick_several(x, index), np.take_along_axis(x, index, axis=-1))
    assert np.array_equal(arrays.pick(x, index[:, 0]), arrays.pick_several(x, index)[:, 0])


@pytest.mark.parametrize(
    ("rows", "copied"),
    [
        (RECORDS, False),
        (RECORDS[1:], False),
        (RECORDS[:1], False),
        (RECORDS[:, :2], False),
        (RECORDS[[0, 2, 1]], False),
        ([RECORDS[0], RECORDS[2], RECORDS[3]], True),
        ([RECORDS[1], RECORDS[0]], True),
        (RECORDS[..., ::-1], True),
        ([np.array(r) for r in RECORDS], True),
        (RECORDS.astype(np.float64), True),
    ],
)
def test_arrays_at_equal_steps_in_one_are_not_copied(rows: np.ndarray, copied: bool) -> None:
    own = [list(r) for r in rows]
    found = arrays.stacked(own, 5)
    np.testing.assert_array_equal(found, np.array(rows))
    assert found.dtype == np.float32
    assert np.shares_memory(found, own[0][0]) is not copied


def test_records_without_such_channels_have_no_rows() -> None:
    assert arrays.stacked([[], []], 5).shape == (2, 0, 5)
