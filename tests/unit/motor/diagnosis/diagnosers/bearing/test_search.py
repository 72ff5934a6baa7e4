from dataclasses import replace

import pytest

from tests.signals.vibration import MOTOR, Machine, defect, recording
from vtox.motor.diagnosis.diagnosers.bearing.envelope_views import EnvelopeViews, analyse_envelopes
from vtox.motor.diagnosis.diagnosers.bearing.search import CombSearch, search_combs
from vtox.motor.diagnosis.diagnosers.bearing.search_setup import SearchSetup, set_up_search
from vtox.motor.diagnosis.diagnosers.bearing.shaft_speed import Speed
from vtox.motor.diagnosis.dsp.surrogates import Finding
from vtox.motor.values.domain import Recording

SPEED = Speed(1458.0, 0.005, ("speed_sensor",))


def views_of(x: Recording) -> EnvelopeViews:
    setup = set_up_search(0, x, MOTOR)
    assert isinstance(setup, SearchSetup)
    ((views,),) = analyse_envelopes([setup])
    return views


def search(levels: dict[str, float]) -> CombSearch:
    finding = Finding(1.0, 1.0, number=30, order=0.4, view=0, sidebands="plain")
    findings = {n: replace(finding, level=x) for n, x in levels.items()}
    return CombSearch(SPEED, None, None, findings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("levels", "leading", "detected"),
    [
        ({"BPFO": 0.5, "BPFI": 0.7, "FTF": 0.6}, "BPFI", 0),
        ({"BPFO": 0.5, "BPFI": 0.7, "FTF": 3.0}, "FTF", 1),
        ({"BPFO": 1.5, "BPFI": 0.7, "FTF": 3.0}, "BPFO", 2),
        ({"BPFO": 0.5, "FTF": 0.8}, "FTF", 0),
    ],
)
def test_the_bearing_cage_leads_where_nothing_else_is_found(
    levels: dict[str, float], leading: str, detected: int
) -> None:
    found = search(levels)
    assert (found.leading, len(found.detected)) == (leading, detected)


def test_an_uncertain_speed_raises_the_thresholds() -> None:
    views = views_of(recording(Machine(impacts=(defect("BPFO", 2.0),)), 4.0))
    sure, uncertain = (
        search_combs([views], [replace(SPEED, tolerance=t)])[0] for t in (0.01, 0.0101)
    )
    assert uncertain.findings["BPFO"].threshold == pytest.approx(
        1.25 * sure.findings["BPFO"].threshold, rel=0.1
    )


def test_a_comb_is_found_at_its_order() -> None:
    views = views_of(recording(Machine(impacts=(defect("BPFI", 2.0),)), 4.0))
    (found,) = search_combs([views], [SPEED])
    assert found.leading == "BPFI"
    assert found.findings["BPFI"].order == pytest.approx(5.415 * 1.004, rel=0.003)


def test_no_records_give_no_searches() -> None:
    assert search_combs([], []) == []
