"""The deviation to expect of a further record, from few."""

from math import inf

import numpy as np
import pytest

from vtox.motor.diagnosis.dsp.prediction import prediction_std


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


def test_what_is_usual_counts_as_so_many_records() -> None:
    """Machines whose scatter is drawn from the prior: 1 further record in 1000 is beyond 3.1."""
    rng = np.random.default_rng(3)
    usual, usual_n, n, machines = 1.4, 3, 4, 100_000
    true = usual * np.sqrt(usual_n / rng.chisquare(usual_n, machines))
    learnt = true[:, None] * rng.standard_normal((machines, n))
    scatter = np.sqrt(learnt.var(axis=1, ddof=1))
    spread = np.array([prediction_std(n, s, usual_std=usual, usual_n=usual_n) for s in scatter])
    further = true * rng.standard_normal(machines) - learnt.mean(axis=1)
    assert np.mean(further > 3.09 * spread) == pytest.approx(1e-3, abs=3e-4)
