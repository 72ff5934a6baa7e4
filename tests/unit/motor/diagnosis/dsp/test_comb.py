from dataclasses import replace

import numpy as np
import pytest
from scipy.special import gammaincc

from tests.unit.motor.diagnosis.dsp.combs import BINS, SHAFT_HZ, noise, plan, with_lines
from vtox.motor.diagnosis.dsp import comb, comb_plan, surrogates
from vtox.motor.diagnosis.dsp.comb_plan import SHAFT, Plan
from vtox.motor.diagnosis.dsp.surrogates import Finding


def best_combs(lines: np.ndarray, p: Plan) -> dict[str, Finding]:
    near = comb.candidate_levels(comb.masked_lines([lines], [p]), [p])
    return surrogates.best_combs(near, [p], [1.0])[0]


@pytest.mark.parametrize("n_averages", [1.0, 4.7])
@pytest.mark.parametrize("sidebands", [False, True])
def test_level_one_is_the_sum_that_chance_allows(n_averages: float, sidebands: bool) -> None:
    ones = np.ones(BINS + 1, np.float32)
    p = replace(plan(n_averages), fundamental_weight=ones, unmasked=ones)
    rows = comb.masked_lines([np.ones((1, BINS), np.float32)], [p])[0]
    bins = np.array([[30], [60], [90], [25], [55], [85], [35], [65], [95]])[: 9 if sidebands else 3]
    total = len(bins) / float(comb.comb_levels(rows, bins, p)[-1, 0, 0])
    assert gammaincc(len(bins) * n_averages, total * n_averages) == pytest.approx(
        comb_plan.COMB_CHANCE, rel=1e-3
    )


def test_levels_of_noise_exceed_a_level_as_often_as_the_gamma_tail_says() -> None:
    rng = np.random.default_rng(0)
    bins = np.arange(30, 480).reshape(3, -1)
    ones = np.ones(BINS + 1, np.float32)
    p = replace(plan(), fundamental_weight=ones, unmasked=ones)
    rows = comb.masked_lines([noise(rng) for _ in range(40)], [p] * 40)
    levels = np.concatenate([comb.comb_levels(own, bins, p) for own in rows])
    at = 8.0
    expected = gammaincc(3, at)
    assert np.mean(levels > at / p.chance_sum[3]) == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize(("name", "order"), [("BPFO", 3.585), ("BPFI", 5.415), ("BSF", 4.714)])
@pytest.mark.parametrize("deviation", [-0.015, 0.0, 0.012])
def test_a_comb_is_found_where_it_is(name: str, order: float, deviation: float) -> None:
    p = plan()
    f = order * (1 + deviation) * SHAFT_HZ
    lines = with_lines(noise(np.random.default_rng(1)), [f, 2 * f, 3 * f], 40.0)
    best = best_combs(lines, p)
    assert best[name].level >= 1
    assert best[name].view == 2
    assert best[name].order == pytest.approx(order * (1 + deviation), rel=0.006)
    assert all(best[other].level < 1 for other in best if other != name)


def test_a_single_line_is_no_comb_however_strong() -> None:
    lines = with_lines(noise(np.random.default_rng(2)), [3.585 * SHAFT_HZ], 1e6)
    assert best_combs(lines, plan())["BPFO"].level < 1


def test_sidebands_raise_a_modulated_comb() -> None:
    f = 5.415 * SHAFT_HZ
    rng = np.random.default_rng(3)
    lines = with_lines(noise(rng), [h * f for h in (1, 2, 3)], 5.0)
    sides = [h * f + s * SHAFT_HZ for h in (1, 2, 3) for s in (-1, 1)]
    assert best_combs(lines, plan())["BPFI"].level < 1
    best = best_combs(with_lines(lines, sides, 5.0), plan())["BPFI"]
    assert best.level >= 1
    assert best.sidebands == SHAFT


def test_sidebands_without_carrier_are_no_comb() -> None:
    f = 5.415 * SHAFT_HZ
    sides = [h * f + s * SHAFT_HZ for h in (1, 2, 3) for s in (-1, 1)]
    lines = with_lines(np.ones((8, BINS), np.float32), sides, 30.0)
    assert best_combs(lines, plan())["BPFI"].level < 1


def test_harmonics_beyond_the_spectrum_do_not_count() -> None:
    p = plan(bins=192)
    f = 3.585 * SHAFT_HZ
    lines = np.ones((8, 192), np.float32)
    lines[2, [round(f), round(2 * f)]] = 40.0
    assert best_combs(lines, p)["BPFO"].level >= 1


def test_lines_outside_the_spectrum_do_not_wrap() -> None:
    # A plain comb is gathered with sidebands far outside the spectrum.
    p = plan(bins=192)
    lines = np.zeros((1, 192), np.float32)
    lines[0, 3:60] = 1e3
    near = comb.candidate_levels(comb.masked_lines([lines], [p]), [p])
    assert np.all(near[1, p.spans["BPFO"]] == 0)
