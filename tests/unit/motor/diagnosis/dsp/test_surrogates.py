import numpy as np
import pytest

from tests.unit.motor.diagnosis.dsp.combs import BINS, SHAFT_HZ, TARGETS, noise, plan, with_lines
from vtox.motor.diagnosis.dsp import comb, comb_plan, surrogates
from vtox.motor.diagnosis.dsp.surrogates import Finding

BPFO, BPFI, BSF = TARGETS


def compare(lines: np.ndarray, target: comb_plan.CombTarget) -> Finding:
    p = plan()
    rows = comb.masked_lines([lines], [p])
    return surrogates.compare_with_surrogates(
        rows[0], p, target, comb.candidate_levels(rows, [p])[:, p.spans[target.name], :-1]
    )


def test_a_comb_within_chance_has_the_threshold_of_chance() -> None:
    found = compare(noise(np.random.default_rng(5)), BPFO)
    assert found.level < 1
    assert found.threshold == 1


def comb_hz(order: float, harmonics: int = 3) -> list[float]:
    return [h * order * SHAFT_HZ for h in range(1, harmonics + 1)]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_a_comb_alone_is_a_finding(target: comb_plan.CombTarget) -> None:
    lines = with_lines(noise(np.random.default_rng(0)), comb_hz(target.order), 60.0)
    found = compare(lines, target)
    assert found.ratio > 1.5
    assert found.view == 2
    assert found.order == pytest.approx(target.order, rel=0.005)


def test_its_own_sidebands_are_no_surrogates_of_a_comb() -> None:
    f = 5.415 * SHAFT_HZ
    sides = [h * f + s * SHAFT_HZ for h in (1, 2, 3) for s in (-2, -1, 1, 2)]
    lines = with_lines(noise(np.random.default_rng(1)), comb_hz(5.415), 200.0)
    assert compare(with_lines(lines, sides, 60.0), BPFI).ratio > 3


def test_a_record_full_of_combs_has_no_finding() -> None:
    rng = np.random.default_rng(2)
    lines = noise(rng)
    for order in np.arange(1.3, 8, 0.37):
        lines = with_lines(lines, comb_hz(order), 60.0 * rng.uniform(0.5, 1.5))
    lines = with_lines(lines, comb_hz(3.585), 60.0)
    assert compare(lines, BPFO).ratio < 1


@pytest.mark.parametrize("divisor", [2, 3])
def test_every_second_or_third_line_of_a_denser_comb_is_no_finding(divisor: int) -> None:
    dense = comb_hz(3.585 / divisor, 3 * divisor)
    lines = with_lines(noise(np.random.default_rng(3)), dense, 60.0)
    assert compare(lines, BPFO).ratio < 1


def test_half_orders_of_the_shaft_are_no_inner_race() -> None:
    # 5.5 lies within the slip of 5.415: looseness fills all half orders.
    half = [k / 2 * SHAFT_HZ for k in range(1, int(2 * BINS / SHAFT_HZ))]
    lines = with_lines(noise(np.random.default_rng(4)), half, 60.0)
    assert compare(lines, BPFI).ratio < 1
