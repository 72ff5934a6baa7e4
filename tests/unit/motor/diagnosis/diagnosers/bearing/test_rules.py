"""The order of the rules, on signs written for the test."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.motor.diagnosis.diagnosers.columns import columns, outcome
from vtox.motor.diagnosis.diagnosers.bearing.ambiguities import Ambiguities
from vtox.motor.diagnosis.diagnosers.bearing.aperiodic_impacts import AperiodicImpacts
from vtox.motor.diagnosis.diagnosers.bearing.diagnoser import bearing_verdicts
from vtox.motor.diagnosis.diagnosers.bearing.evidence import BearingEvidence, evidence
from vtox.motor.diagnosis.diagnosers.bearing.lagging_elements import LaggingElements
from vtox.motor.diagnosis.diagnosers.bearing.leading_comb import LeadingComb
from vtox.motor.diagnosis.diagnosers.bearing.rules import RULES
from vtox.motor.diagnosis.diagnosers.bearing.search import CombSearch
from vtox.motor.diagnosis.diagnosers.bearing.severity import is_weak
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.diagnosers.bearing.signs import Signs
from vtox.motor.diagnosis.diagnosers.bearing.unassigned_comb import UnassignedComb
from vtox.motor.diagnosis.dsp.comb_plan import CombTarget, make_plan
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.domain import Diagnosis, Reason, reason

SPEED = Speed(1458.0, 0.005, ("speed_sensor",))
PLAN = make_plan(
    (CombTarget("BPFO", 3.6),),
    bins=256,
    df_hz=1.0,
    n_averages=1.0,
    shaft_hz=24.3,
    bearing_cage_order=None,
    tolerance=0.02,
)
IMPACTS = {"order": 7.3, "repetition_hz": 177.0, "speed_rpm": 1458.0, "modulation_db": -10.0}
STRONG = UnassignedComb(reason("unassigned_impacts", **IMPACTS), {"impulsive_order": 7.3}, True)
WEAK = UnassignedComb(reason("weak_unassigned_impacts", **IMPACTS), {"impulsive_order": 7.3}, False)
BAND = {"channel": "vibration", "band_low_hz": 0.0, "band_high_hz": 2500.0}
APERIODIC = AperiodicImpacts(
    reason("aperiodic_impacts", modulation=0.7, **BAND), {"irregular_modulation_db": -3.1}
)
MASKED = reason(
    "lines_at_masked_orders", defects=("BPFI",), speed_rpm=1458.0, speed_source=SPEED.source
)


def signs(ratio: float, defect: str = "BPFO", modulation: float = 0.5) -> Signs:
    finding = Finding(ratio, 1.0, number=262, order=3.6, view=0, sidebands="plain")
    rows = np.zeros((257, 2), np.float32)
    search = CombSearch(SPEED, PLAN, rows, {defect: finding})
    weak = is_weak(modulation, modulation, 2)
    leading = LeadingComb(
        defect,
        finding,
        Ambiguities((), 1.0),
        modulation=modulation,
        weak=weak,
        channel="vibration",
        band_high_hz=2500.0,
    )
    return Signs(search, {defect: 3.6}, leading)


def conclude(s: Signs) -> Diagnosis:
    x = evidence([s], [()])
    (d,) = bearing_verdicts(x, RULES.decide(x, 1), np.array([np.nan]))
    return d


def test_an_ambiguity_comes_first() -> None:
    d = conclude(replace(signs(0.5), ambiguity=MASKED, unassigned=STRONG))
    assert (d.state, d.code, d.statistic) == ("unknown", "lines_at_masked_orders", None)


@pytest.mark.parametrize(
    ("unassigned", "aperiodic", "code", "doubts"),
    [
        (None, None, "no_defect_comb", []),
        (WEAK, None, "no_defect_comb", ["weak_unassigned_impacts"]),
        (WEAK, APERIODIC, "aperiodic_impacts", []),
        (STRONG, None, "unassigned_impacts", []),
    ],
)
def test_impacts_decide_where_no_comb_is_found(
    unassigned: UnassignedComb | None,
    aperiodic: AperiodicImpacts | None,
    code: str,
    doubts: list[str],
) -> None:
    d = conclude(replace(signs(0.5), unassigned=unassigned, aperiodic=aperiodic))
    assert (d.code, [r.code for r in d.doubts]) == (code, doubts)
    assert d.state == ("normal" if code == "no_defect_comb" else "unknown")
    assert d.statistic == 0.5


@pytest.mark.parametrize(
    ("modulation", "sidebands", "aperiodic", "code"),
    [
        (0.5, False, None, "slower_shaft_or_bearing_cage"),
        (0.5, True, None, "element_or_bearing_cage"),
        (0.05, True, None, "element_or_bearing_cage"),
        (0.5, False, APERIODIC, "slower_shaft_or_bearing_cage"),
    ],
)
def test_signs_of_an_element_decide_where_the_bearing_cage_is_alone(
    modulation: float, sidebands: bool, aperiodic: AperiodicImpacts | None, code: str
) -> None:
    e = signs(20.0, "FTF", modulation)
    d = conclude(replace(e, element_sidebands=sidebands, aperiodic=aperiodic))
    assert d.code == code
    assert d.state == ("warning" if sidebands else "unknown")
    assert d.confidence <= 0.4


def test_weak_lines_at_a_defect_order_are_no_alarm() -> None:
    d = conclude(signs(20.0, modulation=0.06))
    assert (d.state, d.code, d.confidence) == ("unknown", "weak_defect_lines", 0)
    assert "defect" not in d.indicators
    assert d.indicators["leading"] == "BPFO"
    assert conclude(signs(20.0, modulation=0.11)).state == "warning"


@pytest.mark.parametrize(
    ("ratio", "modulation", "state"),
    [(1.9, 0.24, "unknown"), (2.1, 0.24, "warning"), (1.9, 0.26, "warning")],
)
def test_a_comb_weak_in_both_counts_only_if_it_stays(
    ratio: float, modulation: float, state: str
) -> None:
    d = conclude(signs(ratio, modulation=modulation))
    assert d.state == state
    kinds = [e.get("kind") for e in d.evidence]
    assert ("weak_sign" in kinds) == (state == "unknown")


@pytest.mark.parametrize(
    ("defect", "modulation", "cage", "state"),
    [
        ("BPFO", 0.24, True, "warning"),
        ("BPFI", 0.24, True, "warning"),
        ("BPFO", 0.26, True, "fault"),
        ("BPFO", 0.24, False, "fault"),
        ("BSF", 0.24, True, "fault"),
    ],
)
def test_a_race_that_modulates_little_beside_its_cage_may_be_an_element(
    defect: str, modulation: float, cage: bool, state: str
) -> None:
    e = signs(20.0, defect, modulation)
    findings = e.search.findings | ({"FTF": e.search.findings[defect]} if cage else {})
    d = conclude(
        replace(e, search=replace(e.search, findings=findings), orders={"FTF": 0.4, defect: 3.6})
    )
    assert (d.state, d.indicators["defect"]) == (state, defect)
    either = "element_as_likely" in [x.code for x in d.doubts]
    assert (either, d.confidence <= 0.5) == (state == "warning", state == "warning")


def test_lines_weaker_than_a_warning_do_not_count_however_long_they_stay() -> None:
    assert "weak_sign" not in [
        e.get("kind") for e in conclude(signs(1.5, modulation=0.06)).evidence
    ]


@pytest.mark.parametrize(
    ("deviation", "modulated", "state"),
    [(-0.03, False, "warning"), (-0.03, True, "fault"), (0.01, False, "fault")],
)
def test_a_fault_beyond_slippage_needs_sidebands_too(
    deviation: float, modulated: bool, state: str
) -> None:
    comb = {"defect": "BPFO", "confidence": 0.6, "modulation": 0.3, "deviation": deviation}
    x = columns(BearingEvidence, known_bearing=True, detected=True, modulated=modulated, **comb)
    assert outcome(RULES, x)[0].state == state


@pytest.mark.parametrize(
    ("defect", "masked", "state", "code"),
    [
        ("FTF", None, "normal", "cage_lines_of_neighbour"),
        ("FTF", MASKED, "unknown", "lines_at_masked_orders"),
        ("BPFO", None, "unknown", "neighbour_or_bearing"),
    ],
)
def test_lines_of_a_shaft_on_the_nameplate_are_named(
    defect: str, masked: Reason | None, state: str, code: str
) -> None:
    d = conclude(replace(signs(20.0, defect), neighbour=(0.4, 9), masked=masked))
    assert (d.state, d.code) == (state, code)


def test_masked_lines_are_the_reason_where_only_the_bearing_cage_is_found() -> None:
    d = conclude(replace(signs(20.0, "FTF"), masked=MASKED))
    assert (d.code, d.values["defects"]) == ("lines_at_masked_orders", ("BPFI",))
    assert [r.code for r in d.doubts] == ["slower_shaft_or_bearing_cage"]


@pytest.mark.parametrize(
    ("defect", "others", "code"),
    [
        ("BPFI", (), "here_or_a_neighbour"),
        ("BSF", (), "here_or_a_neighbour"),
        ("BSF", ("FTF",), "bearing_defect"),
    ],
)
def test_a_comb_that_may_be_another_shafts_is_undecided(
    defect: str, others: tuple[str, ...], code: str
) -> None:
    e = signs(20.0, defect)
    assert e.leading is not None
    findings = {n: e.leading.finding for n in (defect, *others)}
    search = replace(e.search, findings=findings)
    leading = replace(e.leading, foreign=True)
    d = conclude(replace(e, search=search, orders=dict.fromkeys(findings, 3.6), leading=leading))
    assert d.code == code


@pytest.mark.parametrize(
    ("modulation", "whole", "segments", "deviation", "weak"),
    [
        (0.2, 0.05, 1, 0.0, True),  # one band of a short record, and little as a whole
        (0.2, 0.08, 1, 0.0, False),
        (0.35, 0.05, 1, 0.0, False),
        (0.2, 0.05, 2, 0.0, False),
        (0.09, 0.09, 1, 0.0, True),
        (0.09, 0.09, 6, 0.0, True),
        (0.09, 0.09, 7, 0.0, False),
        (0.07, 0.07, 7, 0.0, True),
        (0.12, 0.12, 7, -0.02, True),  # beyond slippage
        (0.12, 0.12, 7, 0.01, False),
        (0.16, 0.16, 2, -0.03, False),
    ],
)
def test_short_records_and_orders_beyond_slippage_need_more_modulation(
    modulation: float, whole: float, segments: int, deviation: float, weak: bool
) -> None:
    assert is_weak(modulation, whole, segments, deviation) == weak


@pytest.mark.parametrize("ratio", [1.5, 20.0])
def test_lines_of_the_supply_above_a_comb_leave_it_undecided(ratio: float) -> None:
    d = conclude(replace(signs(ratio), supply_hz=50.0))
    assert (d.state, d.code, d.values["supply_hz"]) == ("unknown", "supply_or_bearing", 50.0)


def test_smeared_lines_are_no_sound_bearing() -> None:
    smeared = reason(
        "smeared_defect_lines", defect="BPFO", order=3.6, smear=0.02, modulation_db=-10.0
    )
    d = conclude(replace(signs(0.5), smeared=smeared))
    assert (d.state, d.code, d.statistic) == ("unknown", "smeared_defect_lines", 0.5)


def test_a_comb_of_low_confidence_among_half_orders_is_undecided() -> None:
    d = conclude(replace(signs(1.5), half_orders=True))
    assert (d.state, d.code) == ("unknown", "looseness_or_bearing")
    assert conclude(replace(signs(20.0), half_orders=True)).code == "bearing_defect"


def test_lagging_elements_weaken_the_confidence_and_are_named() -> None:
    sure = conclude(signs(20.0)).confidence
    for defects, penalty in ((("BPFO",), 0.8), (("BPFO", "BSF"), 0.5)):
        lagging = LaggingElements("BPFO", 0.03, defects)
        d = conclude(replace(signs(20.0), lagging=lagging))
        assert d.confidence == pytest.approx(penalty * sure, abs=0.002)
        assert [r.code for r in d.doubts] == ["elements_lag"]
        assert d.doubts[0].values["defects"] == defects


def test_a_comb_found_gives_its_numbers() -> None:
    d = conclude(signs(20.0))
    assert (d.state, d.code, d.statistic, d.threshold) == ("fault", "bearing_defect", 20.0, 1.0)
    assert d.values["ratio"] == 20.0
    assert d.values["repetition_hz"] == pytest.approx(3.6 * 24.3)
    assert d.indicators["deviation"] == 0.0


@pytest.mark.parametrize(
    ("defect", "sure", "modulation", "state"),
    [
        ("BPFO", 0.5, 0.15, "fault"),
        ("BPFO", 0.49, 0.15, "warning"),
        ("BPFO", 0.5, 0.14, "warning"),
        ("FTF", 0.9, 0.9, "warning"),
    ],
)
def test_a_fault_needs_confidence_modulation_and_not_the_cage(
    defect: str, sure: float, modulation: float, state: str
) -> None:
    comb = {"defect": defect, "confidence": sure, "modulation": modulation}
    x = columns(BearingEvidence, known_bearing=True, detected=True, **comb)
    assert outcome(RULES, x)[0].state == state
