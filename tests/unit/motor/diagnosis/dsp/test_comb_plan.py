import numpy as np

from tests.unit.motor.diagnosis.dsp.combs import BINS, DF_HZ, SHAFT_HZ, plan
from vtox.motor.diagnosis.dsp import comb_plan
from vtox.motor.diagnosis.dsp.comb_plan import CombTarget


def test_lines_are_those_at_the_multiples_of_the_fundamental() -> None:
    number = np.array([90, 91, 92])
    expected = np.rint(np.outer([1, 2, 3], number / 3))
    np.testing.assert_array_equal(comb_plan.comb_bins(number, 0), expected)
    sided = comb_plan.comb_bins(number, 7)
    np.testing.assert_array_equal(sided, np.concatenate([expected, expected - 7, expected + 7]))


def test_lines_of_shaft_and_supply_are_masked() -> None:
    unmasked = plan().unmasked
    assert len(unmasked) == BINS + 1
    for k in (1, 2, 7):
        assert not unmasked[round(k * SHAFT_HZ)]
    assert not unmasked[200]
    assert unmasked[round(3.585 * SHAFT_HZ)]
    assert not unmasked[-1]


def test_a_comb_on_a_shaft_line_has_half_the_weight() -> None:
    close = comb_plan.make_plan(
        (CombTarget("BPFO", 3.02),),
        bins=BINS,
        df_hz=DF_HZ,
        n_averages=1.0,
        shaft_hz=SHAFT_HZ,
        bearing_cage_order=None,
        tolerance=0.001,
    )
    assert np.all(close.fundamental_weight[close.candidate_bins[0]] == comb_plan.MASKED_WEIGHT)


def test_an_uncertain_speed_lowers_the_weight_near_whole_orders() -> None:
    at = round(5.13 * SHAFT_HZ)
    assert plan().fundamental_weight[at] == 1
    assert plan(shaft_tolerance=0.03).fundamental_weight[at] == comb_plan.MASKED_WEIGHT


def test_wider_searches_and_more_channels_raise_the_sum_by_chance() -> None:
    usual = plan().chance_sum[3]
    assert plan(tolerance=0.05).chance_sum[3] > usual
    assert plan(channels=3).chance_sum[3] > usual
