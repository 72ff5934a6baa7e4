from dataclasses import replace

import numpy as np
import pytest
from scipy.special import gammaincc

from vtox.dsp import comb, comb_plan
from vtox.dsp.comb_plan import CAGE, SHAFT, Plan, Target
from vtox.dsp.surrogates import Finding, best_comb

BINS, DF_HZ, SHAFT_HZ, CAGE_ORDER = 512, 1.0, 24.5, 0.398
TARGETS = (
    Target("BPFO", 3.585),
    Target("BPFI", 5.415, SHAFT),
    Target("BSF", 4.714, CAGE, plain_weight=0.5, divisors=(3,)),
)


def plan(
    n_averages: float = 1.0, *, bins: int = BINS, tolerance: float = 0.02, **more: float
) -> Plan:
    return comb_plan.make_plan(
        TARGETS,
        bins=bins,
        df_hz=DF_HZ,
        n_averages=n_averages,
        shaft_hz=SHAFT_HZ,
        bearing_cage_order=CAGE_ORDER,
        tolerance=tolerance,
        mains_hz=(50.0,),
        **more,  # type: ignore[arg-type]
    )


def noise(rng: np.random.Generator, n_averages: float = 1.0, views: int = 8) -> np.ndarray:
    return (rng.gamma(n_averages, 1 / n_averages, (views, BINS))).astype(np.float32)


def with_lines(lines: np.ndarray, hz: list[float], size: float) -> np.ndarray:
    for f in hz:
        if f < BINS * DF_HZ:
            lines[2, round(f / DF_HZ)] += size
    return lines


def found(lines: np.ndarray, p: Plan) -> dict[str, Finding]:
    near = comb.candidate_levels(comb.masked_lines([lines], [p]), [p])[0]
    return {t.name: best_comb(near[t.name], p, t) for t in TARGETS}


def test_lines_are_those_at_the_multiples_of_the_fundamental() -> None:
    number = np.array([90, 91, 92])
    expected = np.rint(np.outer([1, 2, 3], number / 3))
    np.testing.assert_array_equal(comb_plan.comb_bins(number, 0), expected)
    sided = comb_plan.comb_bins(number, 7)
    np.testing.assert_array_equal(sided, np.concatenate([expected, expected - 7, expected + 7]))


def test_lines_of_shaft_and_supply_are_left_out() -> None:
    unmasked = plan().unmasked
    assert len(unmasked) == BINS + 1
    for k in (1, 2, 7):
        assert not unmasked[round(k * SHAFT_HZ)]
    assert not unmasked[200]
    assert unmasked[round(3.585 * SHAFT_HZ)]
    assert not unmasked[-1]


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
    best = found(lines, p)
    assert best[name].level >= 1
    assert best[name].view == 2
    assert best[name].order == pytest.approx(order * (1 + deviation), rel=0.006)
    assert all(best[other].level < 1 for other in best if other != name)


def test_a_single_line_is_no_comb_however_strong() -> None:
    lines = with_lines(noise(np.random.default_rng(2)), [3.585 * SHAFT_HZ], 1e6)
    assert found(lines, plan())["BPFO"].level < 1


def test_sidebands_help_a_modulated_comb() -> None:
    f = 5.415 * SHAFT_HZ
    rng = np.random.default_rng(3)
    lines = with_lines(noise(rng), [h * f for h in (1, 2, 3)], 5.0)
    sides = [h * f + s * SHAFT_HZ for h in (1, 2, 3) for s in (-1, 1)]
    assert found(lines, plan())["BPFI"].level < 1
    best = found(with_lines(lines, sides, 5.0), plan())["BPFI"]
    assert best.level >= 1
    assert best.sidebands == SHAFT


def test_sidebands_without_carrier_are_no_comb() -> None:
    f = 5.415 * SHAFT_HZ
    sides = [h * f + s * SHAFT_HZ for h in (1, 2, 3) for s in (-1, 1)]
    lines = with_lines(np.ones((8, BINS), np.float32), sides, 30.0)
    assert found(lines, plan())["BPFI"].level < 1


def test_a_comb_on_a_shaft_line_counts_less() -> None:
    close = comb_plan.make_plan(
        (Target("BPFO", 3.02),),
        bins=BINS,
        df_hz=DF_HZ,
        n_averages=1.0,
        shaft_hz=SHAFT_HZ,
        bearing_cage_order=None,
        tolerance=0.001,
    )
    assert np.all(close.fundamental_weight[close.candidate_bins[0]] == comb_plan.MASKED_WEIGHT)


def test_a_vague_speed_distrusts_combs_near_whole_orders() -> None:
    at = round(5.13 * SHAFT_HZ)
    assert plan().fundamental_weight[at] == 1
    assert plan(shaft_tolerance=0.03).fundamental_weight[at] == comb_plan.MASKED_WEIGHT


def test_wider_searches_and_more_channels_ask_for_more() -> None:
    usual = plan().chance_sum[3]
    assert plan(tolerance=0.05).chance_sum[3] > usual
    assert plan(channels=3).chance_sum[3] > usual


def test_harmonics_beyond_the_spectrum_do_not_count() -> None:
    p = plan(bins=192)
    f = 3.585 * SHAFT_HZ
    lines = np.ones((8, 192), np.float32)
    lines[2, [round(f), round(2 * f)]] = 40.0
    assert found(lines, p)["BPFO"].level >= 1


def test_lines_beyond_the_spectrum_are_not_those_of_its_start() -> None:
    # A plain comb is looked at with sidebands far outside, and a line above 192 has none below.
    p = plan(bins=192)
    lines = np.zeros((1, 192), np.float32)
    lines[0, 3:60] = 1e3
    near = comb.candidate_levels(comb.masked_lines([lines], [p]), [p])[0]
    assert np.all(near["BPFO"][1] == 0)
