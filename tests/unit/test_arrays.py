"""The short cuts on arrays give what numpy's own functions give."""

import numpy as np
import pytest

from vtox.values import arrays

ROWS = np.random.default_rng(1).standard_normal((4, 3, 9))


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_medians_are_those_of_numpy(size: int) -> None:
    x = ROWS[..., :size]
    assert np.array_equal(arrays.median(x), np.median(x, axis=-1))


def test_elements_of_rows_are_those_of_numpy() -> None:
    x, index = ROWS[:, 0], np.array([[0, 8], [3, 3], [7, 1], [2, 0]])
    assert np.array_equal(arrays.pick_several(x, index), np.take_along_axis(x, index, axis=-1))
    assert np.array_equal(arrays.pick(x, index[:, 0]), arrays.pick_several(x, index)[:, 0])
