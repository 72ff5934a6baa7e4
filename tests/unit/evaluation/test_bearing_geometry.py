"""Geometry of bearings from published ratings: it agrees with published geometry and is stored."""

import csv

import pytest

from evaluation.inputs.bearing_geometry import MAKERS, geometries, read_ratings, rows


@pytest.mark.parametrize(
    ("designation", "maker", "balls", "ball"),
    [
        # Geometry of CWRU, Paderborn, UOS and HAUST: 6.746, 7.94, 7.94 and 9.525 mm.
        ("6203", "NSK", 8, 6.747),
        ("6204", "NSK", 8, 7.938),
        ("6205", "NSK", 9, 7.938),
        ("6206", "Koyo", 9, 9.525),
    ],
)
def test_ratings_give_the_published_balls(
    designation: str, maker: str, balls: int, ball: float
) -> None:
    (of,) = [r for r in read_ratings() if (r.designation, r.maker) == (designation, maker)]
    (found,) = geometries(of)
    assert (found.balls, found.ball) == (balls, ball)
    assert found.pitch_min >= (of.bore + of.outside) / 2


@pytest.mark.long
def test_the_catalogue_has_what_the_ratings_give() -> None:
    lines = (x for x in MAKERS.read_text().splitlines() if "ratings: " in x)
    assert [tuple(row) for row in csv.reader(lines)] == rows()
