"""Levels of lines from results: the content of a sample, and the results that are samples."""

from collections import Counter
from typing import Any

import pytest

from vtox.motor.values import codec
from vtox.pipeline.store.machines.line_levels import EVERY_S, LINES, QUANTITIES, LineSampler
from vtox.pipeline.store.machines.points import Point, points_of_result

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


def sampled(
    fault: str,
    detail: Any,
    start: float = -5.0,
    end: float = 5.0,
    sampler: LineSampler | None = None,
    machine: str = "M1",
) -> list[Point]:
    fields = {
        b"machine_id": machine.encode(),
        b"fault": fault.encode(),
        b"t_start": str(T0 + start).encode(),
        b"t_end": str(T0 + end).encode(),
        b"state": b"fault",
        b"code": b"x",
        b"severity": b"0.5",
        b"detail": detail if isinstance(detail, bytes) else codec.encode(detail),
    }
    (point,) = points_of_result(b"%d-0" % (1000 * (T0 + round(end) + 9)), fields)
    return list((sampler or LineSampler()).points(point, fields))


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
    assert expected.keys() <= {x.quantity for x in LINES.get(fault, ())} <= QUANTITIES
    assert {(p.state, p.code, p.severity) for p in found} <= {("fault", "", None)}
    assert {p.threshold for p in found} <= {1.0 if fault == "bearing" else None}


@pytest.mark.parametrize(
    ("length_s", "every_s"),
    [(1, 1), (2, 2), (14, 14), (40, 40), (2, 30), (2, 61), (2, 600), (10, 3600)],
)
def test_the_first_record_of_five_minutes_is_sampled(length_s: int, every_s: int) -> None:
    sampler, hours = LineSampler(), 4 * 3600
    ends = [k * every_s + length_s for k in range(hours // every_s)]
    found = [
        end
        for end in ends
        for machine in ("M1", "M2")
        if sampled("broken_bar", SIDEBANDS, end - length_s, end, sampler, machine)
    ]
    stretches = Counter(end // EVERY_S for end in found)
    assert stretches == dict.fromkeys({end // EVERY_S for end in ends}, 2)


def test_a_sample_that_was_not_written_is_taken_again() -> None:
    sampler = LineSampler()
    for kept, taken in ((False, True), (True, True), (True, False)):
        assert bool(sampled("bearing", COMBS, sampler=sampler)) == taken
        assert not sampled("bearing", COMBS, sampler=sampler)
        sampler.keep() if kept else sampler.forget()


@pytest.mark.parametrize(
    "detail",
    [b"", b"{", b"[]", b"3", b'{"evidence": 5}', b'{"evidence": ["x"]}', b'{"indicators": []}'],
)
def test_a_detail_of_another_program_gives_no_line(detail: bytes) -> None:
    for fault in LINES:
        assert all(p.value is None for p in sampled(fault, detail))
