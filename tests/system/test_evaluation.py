"""The figures that the evaluation reports, against closed form and obvious cases."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation import metrics
from evaluation.metrics import Rate
from evaluation.outcome import (
    Outcome,
    abstentions,
    alarms,
    commonest_codes,
    select,
    shorten,
    worst_machine,
)
from evaluation.runs import recordings
from evaluation.runs.recordings import ShortRecording
from evaluation.studies import model
from evaluation.tables import detection_table, peer_table
from vtox.motor.values.domain import Recording


def example(faulty: bool, state: str, code: str = "record_too_short", **tags: object) -> Outcome:
    machine = str(tags.get("machine", "m"))
    return Outcome(faulty, state, code, "record of 1 s", machine, 1.0, tags=tags)


def test_exact_interval_of_known_values() -> None:
    # 95 % of 0 of n: 1 - 0.025 ** (1 / n).
    low, high = metrics.clopper_pearson(0, 100)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert metrics.clopper_pearson(100, 100)[1] == 1


def test_none_seen_quotes_three_over_n() -> None:
    assert str(Rate(0, 3000)) == "0/3000 (<= 0.1 %)"
    assert str(Rate(0, 0)) == "none"


def test_area_counts_ties_half() -> None:
    assert metrics.auc(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == pytest.approx(0.875)
    assert np.isnan(metrics.auc(np.zeros(0), np.ones(3)))


def test_area_is_that_of_the_curve() -> None:
    rng = np.random.default_rng(1)
    healthy, faulty = rng.standard_normal(200), rng.standard_normal(200) + 1
    far, found = metrics.roc(healthy, faulty)
    assert metrics.auc(healthy, faulty) == pytest.approx(float(np.trapezoid(found, far)))


def test_partial_area_of_perfect_and_of_blind() -> None:
    healthy = np.linspace(0, 1, 1000)
    assert metrics.partial_auc(healthy, healthy + 2) == pytest.approx(1)
    assert metrics.partial_auc(healthy, healthy - 2) == pytest.approx(0)


def test_detection_at_a_rate_needs_enough_healthy_records() -> None:
    healthy = np.arange(1001.0)
    assert metrics.detection_rate_at(healthy, np.array([999.5, 990.0]), 1e-3) == pytest.approx(0.5)
    assert np.isnan(metrics.detection_rate_at(healthy[:99], healthy, 1e-2))


def test_abstentions_are_left_out_and_counted_as_errors() -> None:
    b = metrics.balanced_accuracy([True, True, False, False], [True, None, False, False])
    assert (b.decided, b.coverage, b.as_errors) == (1.0, 0.75, 0.75)


def test_risk_coverage_is_lower_when_the_unsure_are_wrong() -> None:
    sure, right = np.array([0.9, 0.8, 0.1]), np.array([True, True, False])
    assert metrics.risk_coverage_area(sure, right) == pytest.approx(1 / 9)
    assert metrics.risk_coverage_area(1 - sure, right) > 0.5


def test_calibration_error_of_a_sure_liar_is_one() -> None:
    assert metrics.calibration_error(np.ones(4), np.zeros(4, bool)) == 1
    assert metrics.calibration_error(np.ones(4), np.ones(4, bool)) == 0


def test_bootstrap_draws_whole_machines() -> None:
    x = np.array([0.0] * 50 + [1.0] * 50)
    low, high = metrics.bootstrap(["a"] * 50 + ["b"] * 50, lambda i: float(x[i].mean()))
    assert (low, high) == (0.0, 1.0)


def test_alarms_leave_abstentions_out_of_the_decided() -> None:
    found = [example(True, "fault"), example(True, "unknown"), example(True, "normal")]
    assert str(alarms(found)).startswith("1/3")
    assert str(alarms(found, of_decided=True)).startswith("1/2")
    assert abstentions(found).hits == 1


def test_selection_by_tags() -> None:
    found = [example(True, "fault", slip=s) for s in (0.01, 0.02, 0.03)]
    assert len(select(found, slip=(0.01, 0.03))) == 2
    assert len(select(found, slip=0.02)) == 1


def test_worst_machine_is_named() -> None:
    found = [example(True, "normal", machine="b"), example(True, "fault", machine="a")]
    assert worst_machine(found, faulty=True) == "b: 1 of 1 missed"
    assert worst_machine(found[1:], faulty=True) == ""


def test_abstentions_are_counted_by_code() -> None:
    outcomes = [example(True, "unknown", code) for code in ("b", "a", "b")]
    outcomes.append(example(True, "fault", "c"))
    assert commonest_codes(outcomes) == [("b", "record of 1 s", 2), ("a", "record of 1 s", 1)]


def test_an_abstention_without_a_code_counts_by_its_reason() -> None:
    assert commonest_codes([example(True, "unknown", "")])[0][0] == "record of 1 s"


def test_long_reasons_are_cut_at_a_word() -> None:
    assert shorten("no speed", 8) == "no speed"
    assert shorten("record too short: 1 s", 18) == "record too …"


def test_a_rate_of_none_judges_nothing() -> None:
    assert Rate(0, 0).at_least(0.9) is None
    assert Rate(9, 10).at_least(0.9) is True
    assert Rate(0, 1000).at_most(1e-3, shown_on=3000) is False
    assert Rate(2, 1000).at_most(1e-3) is False


def test_windows_near_a_switching_are_not_scored() -> None:
    flat = Recording({"ia": np.zeros(5000)}, 1000.0)
    short = ShortRecording("x", flat, "A", 10, 1.0, 3.0)
    assert short.label(1.2, 2.2) is None
    assert short.label(1.4, 2.4) is True
    assert short.label(3.4, 4.4) is False


def test_tables_of_nothing_decided_still_print() -> None:
    found = [example(True, "unknown"), example(False, "unknown")]
    with np.errstate(all="raise"):
        assert detection_table("t", {"k": found}).rows[0][3].startswith("2/2")
    assert peer_table("t", [], ("nobody",)).rows[0][1] == "none"


def test_goals_are_judged_from_the_answers() -> None:
    refused, answered = example(False, "unknown"), example(False, "normal")
    for blind, met in (([refused], True), ([refused, answered], False)):
        study = model.insulation_study({"leakage": [answered], "no leakage channel": blind})
        assert study.goals[0].met is met
        assert study.goals[1].met is None


@pytest.mark.long
@pytest.mark.timeout(600)  # seconds of work, but a loaded machine takes minutes
def test_the_smallest_run_makes_a_whole_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evaluation", "--smallest", "--jobs", "1", "--out", tmp_path]
    quiet = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, env=quiet, capture_output=True, cwd=recordings.ROOT)
    page = (tmp_path / "appendix/evaluation.md").read_text()
    for title in ("Goals", "What was used during design", "Words and figures", "Cost"):
        assert f"\n## {title}\n" in page
    for fault in ("Broken bars", "Slip", "Shorted turns", "Air gap", "Insulation"):
        assert f"\n## {fault}" in page
    met = {row.split(" | ")[0]: row.split(" | ")[-1] for row in page.splitlines() if "| " in row}
    # Without an alarm, but on too few records to show it; and nothing to evaluate.
    assert met["| broken bar false alarms, 10 s records"] == "**no** |"
    assert met["| sideband levels"] == "not run |"
    assert met["| insulation without leakage channel"] == "yes |"
