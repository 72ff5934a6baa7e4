"""The deviation to expect of a further record, from few."""

from math import inf

import numpy as np
import pytest

from vtox.dsp.prediction import prediction_std


def test_few_records_are_trusted_less() -> None:
    spreads = [prediction_std(n, 1.0) for n in (1, 2, 3, 5, 20, 1000)]
    assert spreads[0] == inf
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("n", "spread"), [(2, 126.2), (5, 2.54), (20, 1.19)])
def test_the_spread_of_few_records(n: int, spread: float) -> None:
    assert prediction_std(n, 1.0) == pytest.approx(spread, rel=5e-3)


def test_the_spread_holds_what_it_promises() -> None:
    """A further value leaves 3.09 spreads in one case in a thousand on each side."""
    rng = np.random.default_rng(0)
    for n in (3, 6, 20):
        x = rng.normal(size=(40_000, n + 1))
        levels = x[:, :n].mean(axis=1), x[:, :n].std(axis=1, ddof=1)
        spread = prediction_std(n, 1.0) * levels[1]
        outside = np.mean((x[:, n] - levels[0]) / spread > 3.09)
        assert 0.0004 < outside < 0.002
