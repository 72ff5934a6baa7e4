import pytest

from vtox.motor.diagnosis.diagnosers.bearing.severity import confidence, decibels, severity
from vtox.motor.diagnosis.dsp.surrogates import Finding


def finding(ratio: float) -> Finding:
    return Finding(ratio, 1.0, number=30, order=0.4, view=0, sidebands="plain")


@pytest.mark.parametrize(("modulation", "expected"), [(1e-3, 0.0), (0.1778, 0.5), (2.0, 1.0)])
def test_severity_follows_the_modulation_in_db(modulation: float, expected: float) -> None:
    assert severity(modulation) == pytest.approx(expected, abs=1e-3)
    assert decibels(0.1) == pytest.approx(-20)


def test_confidence_is_even_at_five_times_the_threshold() -> None:
    assert confidence({"BPFO": finding(5.0)}, "BPFO", 1.0) == pytest.approx(0.5)
    assert confidence({"BPFO": finding(1e6)}, "BPFO", 1.0) == 0.95


def test_an_equal_comb_of_another_part_halves_confidence() -> None:
    pair = {"BPFO": finding(5.0), "BPFI": finding(5.0)}
    assert confidence(pair, "BPFO", 1.0) == pytest.approx(0.25)
    with_cage = {"BPFO": finding(5.0), "FTF": finding(5.0)}
    assert confidence(with_cage, "BPFO", 1.0) == pytest.approx(0.5)


def test_confidence_in_normal_falls_with_the_highest_comb() -> None:
    levels = [confidence({"BPFO": finding(r)}, "BPFO", 0.8) for r in (0.2, 0.6, 0.99)]
    assert levels == pytest.approx([0.72, 0.56, 0.404])
