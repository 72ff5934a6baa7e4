from typing import Any

import pytest

from vtox.store.entries import json_bytes
from vtox.store.line_levels import LINES, QUANTITIES, line_points
from vtox.store.points import Point, points_of_result

T0 = 1_764_000_000  # a multiple of EVERY_S
SIDEBANDS = {"indicators": {"lower_sideband_dbc": -42.5, "upper_sideband_dbc": None}}
LINE = {
    "evidence": [{"kind": "alternative"}, {"kind": "line", "lower_dbc": -50.0, "upper_dbc": -60}]
}
COMBS = {
    "evidence": [
        {"defect": "BPFO", "statistic": 3.5, "threshold": 1.0},
        {"defect": "FTF", "statistic": 0.5, "threshold": 1.0},
        {"line": 1, "hz": 69.0},
    ]
}


def sampled(fault: str, detail: Any, start: float = -5.0, end: float = 5.0) -> list[Point]:
    fields = {
        b"machine_id": b"M1",
        b"fault": fault.encode(),
        b"t_start": str(T0 + start).encode(),
        b"t_end": str(T0 + end).encode(),
        b"state": b"fault",
        b"code": b"x",
        b"severity": b"0.5",
        b"detail": detail if isinstance(detail, bytes) else json_bytes(detail),
    }
    (point,) = points_of_result(b"%d-0" % (1000 * (T0 + 9)), fields)
    return list(line_points(point, fields))


@pytest.mark.parametrize(
    ("fault", "detail", "expected"),
    [
        ("broken_bar", SIDEBANDS, {"broken_bar_lower_dbc": -42.5, "broken_bar_upper_dbc": None}),
        ("eccentricity", LINE, {"eccentricity_lower_dbc": -50.0, "eccentricity_upper_dbc": -60.0}),
        ("bearing", COMBS, {"bearing_bpfo": 3.5, "bearing_ftf": 0.5}),
        ("turn_short", SIDEBANDS, {}),
    ],
)
def test_the_lines_of_a_diagnosis_have_their_levels(
    fault: str, detail: Any, expected: dict[str, float | None]
) -> None:
    found = sampled(fault, detail)
    assert {p.quantity: p.value for p in found} == expected
    assert expected.keys() <= set(LINES.get(fault, ())) <= QUANTITIES
    assert {(p.state, p.code, p.severity) for p in found} <= {("fault", "", None)}
    assert {p.threshold for p in found} <= {1.0 if fault == "bearing" else None}


@pytest.mark.parametrize("length_s", [1.0, 2.0, 10.0, 14.0, 40.0])
def test_of_records_without_a_gap_one_in_five_minutes_is_sampled(length_s: float) -> None:
    starts = [-1000.0 + k * length_s for k in range(int(1000 // length_s))]
    found = [s for s in starts if sampled("broken_bar", SIDEBANDS, s, s + length_s)]
    boundaries = [-900.0, -600.0, -300.0, 0.0]
    covered = [t for t in boundaries if t <= starts[-1] + length_s]
    assert len(found) == len(covered)
    assert all(s < t <= s + length_s for s, t in zip(found, covered, strict=True))


@pytest.mark.parametrize(
    "detail",
    [b"", b"{", b"[]", b"3", b'{"evidence": 5}', b'{"evidence": ["x"]}', b'{"indicators": []}'],
)
def test_a_detail_of_another_program_gives_no_line(detail: bytes) -> None:
    for fault in LINES:
        assert all(p.value is None for p in sampled(fault, detail))
