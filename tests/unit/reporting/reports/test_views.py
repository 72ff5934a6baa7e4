from typing import Any

import pytest

from vtox.motor.faults import FAMILIES
from vtox.reporting.reports.views import SpectrumView, hidden_parts, spectrum_views, waveform_groups

ALL = dict.fromkeys(("ia", "ib", "ic", "va", "vb", "vc", "vibration", "leakage"))


def verdict(fault: str, *evidence: dict[str, Any]) -> dict[str, Any]:
    return {"fault": fault, "evidence": list(evidence)}


SEARCHED = {"kind": "searched", "high_hz": 2.0, "from_supply_hz": 50.0}
ROTATION = {"kind": "line", "lower_hz": 26.0, "upper_hz": 74.0}
COMB = {"defect": "BPFO", "expected_hz": 100.0}


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (verdict("broken_bar", SEARCHED), ("demodulated", 46.8, 53.2)),
        (
            verdict("broken_bar", SEARCHED, {"kind": "line", "lower_hz": 40.0}),
            ("demodulated", 34.0, 66.0),
        ),
        (verdict("eccentricity", ROTATION), ("demodulated", 11.6, 88.4)),
        (verdict("bearing", COMB), ("envelope", 0.0, 340.0)),
    ],
)
def test_a_diagnosis_is_shown_where_its_lines_are(
    one: dict[str, Any], expected: tuple[str, float, float]
) -> None:
    view = next(spectrum_views([one], ALL, ()))
    assert (view.kind, view.fault) == (expected[0], one["fault"])
    assert (view.low_hz, view.high_hz) == pytest.approx(expected[1:])


def test_a_diagnosis_that_read_no_line_has_no_spectrum_of_its_own() -> None:
    blind = [verdict(f) for f in ("broken_bar", "eccentricity", "turn_short", "insulation")]
    assert [v.fault for v in spectrum_views(blind, ALL, ())] == ["", ""]
    assert [v.kind for v in spectrum_views(blind, {"vibration": None}, ())] == ["vibration"]
    assert list(spectrum_views([verdict("bearing", COMB)], {"ia": None}, ())) == [
        SpectrumView("current", harmonics=10.5)
    ]


def test_records_of_several_families_show_each_channel_once() -> None:
    hidden = [hidden_parts(f, FAMILIES) for f in FAMILIES]
    names = [n for h in hidden for group, _ in waveform_groups(ALL, h) for n in group]
    assert sorted(names) == sorted(ALL)
    overviews = [v.kind for h in hidden for v in spectrum_views([], ALL, h)]
    assert sorted(overviews) == ["current", "vibration"]
    assert sum("phasors" not in h for h in hidden) == 1
    assert hidden_parts("broken_bar", {"broken_bar", ""}) == frozenset(), "nobody else shows them"
    whole = [n for group, _ in waveform_groups(ALL, "") for n in group]
    assert sorted(whole) == sorted(ALL)
