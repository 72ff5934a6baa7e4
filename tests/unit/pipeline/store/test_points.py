"""Points of entries: kept or refused by the history."""

import pytest

from vtox.pipeline.configuration import keys
from vtox.pipeline.store.machines.points import POINTS_OF, Point, entry_numbers

RESULT = {
    b"machine_id": b"M1",
    b"fault": b"bearing",
    b"t_start": b"998.0",
    b"t_end": b"1000.0",
    b"state": b"warning",
    b"code": b"outer_race",
    b"statistic": b"5.5",
    b"threshold": b"4",
    b"severity": b"",
}


def points(stream: str, fields: dict[bytes, bytes], entry_id: bytes = b"2000000-3") -> list[Point]:
    return list(POINTS_OF[stream](entry_id, fields))


def test_a_result_is_one_point() -> None:
    expected = Point(
        "M1", "bearing", 1_000_000, 2_000_000, 3, 2000, "warning", "outer_race", 5.5, 4.0, None
    )
    assert points(keys.RESULTS, RESULT) == [expected]


def test_marks_are_kept_and_the_confidence_of_what_was_found() -> None:
    marked = RESULT | {b"marks": b"nf", b"confidence": b"0.75"}
    (found,) = points(keys.RESULTS, marked)
    assert (found.marks, found.confidence) == ("nf", 0.75)
    (quiet,) = points(keys.RESULTS, marked | {b"marks": b"n"})
    assert (quiet.marks, quiet.confidence) == ("n", None)
    (silent,) = points(keys.RESULTS, marked | {b"marks": b""})
    assert silent.marks == ""
    (foreign,) = points(keys.RESULTS, marked | {b"marks": b"\0"})
    assert foreign.marks is None


def test_a_time_of_the_future_is_that_of_the_arrival() -> None:
    (point,) = points(keys.RESULTS, RESULT | {b"t_end": b"9e9"})
    assert point.t_ms == 2_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {b"machine_id": b""},
        {b"machine_id": b"a b"},
        {b"fault": b"Not a fault"},
        {b"t_end": b""},
        {b"t_end": b"-1"},
        {b"t_end": b"nan"},
        {b"t_end": b"9e99"},
    ],
)
def test_what_has_no_name_or_time_is_no_point(changes: dict[bytes, bytes]) -> None:
    assert points(keys.RESULTS, RESULT | changes) == []


def test_an_id_that_no_clock_gives_is_no_point() -> None:
    assert entry_numbers(f"{2**64 - 1}-0".encode()) is None
    assert points(keys.RESULTS, RESULT, f"{2**64 - 1}-0".encode()) == []


def test_an_assessment_is_a_point_of_the_health() -> None:
    fields = {b"machine_id": b"M1", b"t": b"10", b"health": b"75", b"state": b"warning"}
    (point,) = points(keys.ASSESSMENTS, fields)
    assert (point.quantity, point.value, point.state) == ("health", 75.0, "warning")


def test_metrics_are_a_point_for_each_figure_that_was_measured() -> None:
    fields = {b"t": b"10", b"interval_s": b"10", b"throughput": b"50", b"backlog": b""}
    assert [(p.machine_id, p.quantity, p.value) for p in points(keys.METRICS, fields)] == [
        ("", "throughput", 50.0)
    ]
