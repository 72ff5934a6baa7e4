"""Geometry of deep groove ball bearings from the load ratings that makers publish.

A maker's catalogue gives the dynamic and the static load rating and the factor f0, not the balls.
ISO 281 and ISO 76 compute all three from number, diameter and pitch diameter of the balls, and
balls come in steps of 1/64 inch. So at most one number of balls reproduces the ratings, and an
interval of pitch diameters does. `python -m evaluation.inputs.bearing_geometry` writes them into
the catalogue of the product. Ratings of SKF are not in it: its dynamic ones do not follow ISO 281.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATINGS = Path(__file__).with_name("bearing_ratings.csv")
MAKERS = Path(__file__).parents[2] / "vtox" / "motor" / "values" / "bearing_makers.csv"
SOURCES = {
    "NSK": "ratings: NSK, Rolling Bearings, pages B8 to B17",
    "Koyo": "ratings: Koyo, general catalogue of standard bearings, pages 20 to 31",
    "KYK, TPI": "ratings: KYK, general catalogue, pages 32 to 37",
}

# ISO 76:2006, table 1: f0 of radial ball bearings at ball over pitch 0, 0.01, ...
_F0 = np.array([14.7, 14.9, 15.1, 15.3, 15.5, 15.7, 15.9, 16.1, 16.3, 16.5, 16.4, 16.1])
_F0 = np.append(_F0, [15.9, 15.6, 15.4, 15.2, 14.9, 14.7, 14.4, 14.2, 14.0, 13.7, 13.5, 13.2])
_F0 = np.append(_F0, [13.0, 12.8, 12.5, 12.3, 12.1, 11.8, 11.6])
# ISO 281:2007, table 2: fc of single row deep groove bearings.
_FC_AT = [0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26]
_FC_AT += [0.28, 0.3]
_FC = [46.7, 49.1, 51.1, 52.8, 54.3, 55.5, 57.5, 58.8, 59.6, 59.9, 59.9, 59.6, 59.0, 58.2]
_FC += [57.1, 56.0]
# Standard balls, mm: steps of 1/64 inch, of 1/32 from 9/16 inch on (ISO 3290-1).
_BALLS = [k * 25.4 / 64 for k in range(7, 128) if k < 36 or k % 2 == 0]
# Pitch diameter over the mean of bore and outer diameter: published geometries have 1 to 1.032.
_PITCHES = np.arange(1, 1.0351, 0.0025)
# Catalogues round f0 to 0.1, ratings to 1.00, 1.01, ... 3.00, 3.05, ... 9.95 times a power of ten;
# the rest is for the interpolation of tables.
_FACTOR, _TABLES = 0.07, 0.002
# Balls of a bearing that is assembled by eccentric displacement (Conrad) fill about 186 degrees;
# with the spread over makers and thin sections less than this.
_MAX_FILLED_DEG = 215.0

Float64 = NDArray[np.float64]


class Ratings(NamedTuple):
    """Published values of one maker's bearing: mm, kN; `factor` is f0, 0 if not published."""

    designation: str
    bore: float
    outside: float
    maker: str
    dynamic: float
    static: float
    factor: float


class Geometry(NamedTuple):
    """Balls that reproduce ratings, at any pitch diameter of a range, mm."""

    balls: int
    ball: float
    pitch_min: float
    pitch_max: float


def dynamic_rating(balls: int, ball: float, pitch: Float64) -> Float64:
    """Return the dynamic load rating, kN (ISO 281:2007, 5.1.1, bm 1.3)."""
    size = ball**1.8 if ball <= 25.4 else 3.647 * ball**1.4
    return np.asarray(1.3e-3 * np.interp(ball / pitch, _FC_AT, _FC) * balls ** (2 / 3) * size)


def factor_f0(ball: float, pitch: Float64) -> Float64:
    """Return f0 (ISO 76:2006, table 1)."""
    return np.asarray(np.interp(ball / pitch, np.arange(_F0.size) / 100, _F0))


def static_rating(balls: int, ball: float, pitch: Float64) -> Float64:
    """Return the static load rating, kN (ISO 76:2006, 6.1.1)."""
    return factor_f0(ball, pitch) * balls * ball**2 / 1000


def _tolerance(rating: float) -> float:
    """Return how far a computed rating may be from a published one, as a share."""
    leading = rating / 10 ** np.floor(np.log10(rating))
    return float((0.005 if leading < 3 else 0.025) / leading + _TABLES)


def geometries(of: Ratings) -> list[Geometry]:
    """Return the standard balls that reproduce the ratings of a bearing."""
    mean = (of.bore + of.outside) / 2
    found = []
    for ball in (b for b in _BALLS if 0.05 < b / mean < 0.3):
        most = int(_MAX_FILLED_DEG / 2 / np.degrees(np.arcsin(ball / mean))) + 1
        for balls in range(6, most + 1):
            pitches = mean * _PITCHES
            good = np.abs(dynamic_rating(balls, ball, pitches) / of.dynamic - 1) < _tolerance(
                of.dynamic
            )
            good &= np.abs(static_rating(balls, ball, pitches) / of.static - 1) < _tolerance(
                of.static
            )
            good &= (np.abs(factor_f0(ball, pitches) - of.factor) < _FACTOR) | (not of.factor)
            if good.any():
                low, high = pitches[good][[0, -1]].round(2).tolist()
                found.append(Geometry(balls, round(ball, 3), low, high))
    return found


def read_ratings() -> Iterator[Ratings]:
    """Return the published ratings, those of one designation together."""
    lines = (x for x in RATINGS.read_text().splitlines() if not x.startswith("#"))
    for row in csv.DictReader(lines):
        numbers = [float(row[n]) for n in ("c_kn", "c0_kn", "f0")]
        bore, outside = float(row["bore"]), float(row["outside"])
        yield Ratings(row["designation"], bore, outside, row["maker"], *numbers)


def rows() -> list[tuple[str, ...]]:
    """Return the rows of the catalogue that ratings give: designation, maker, geometry, source.

    A maker's bearing whose number of balls is not certain is left out, and a single maker's.
    """
    every = [(of, geometries(of)) for of in read_ratings()]
    certain: dict[str, set[int]] = {}
    for of, found in every:
        if len(counts := {g.balls for g in found}) == 1:
            certain.setdefault(of.designation, set()).update(counts)
    made: dict[str, list[tuple[str, ...]]] = {}
    for of, found in every:
        counts = {g.balls for g in found}
        # Ratings without f0 may allow two numbers: the one that another maker has is taken.
        counts = counts if len(counts) < 2 else counts & certain.get(of.designation, set())
        if len(counts) == 1:
            made.setdefault(of.designation, []).extend(
                (of.designation, of.maker, *map(str, g), SOURCES[of.maker])
                for g in found
                if g.balls in counts
            )
    # One maker is no range.
    several = (rows for rows in made.values() if len({row[1] for row in rows}) > 1)
    return [row for rows in several for row in rows]


def main() -> None:
    """Replace the rows of ratings in the catalogue of the product."""
    kept = [x for x in MAKERS.read_text().splitlines() if "ratings: " not in x]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows())
    MAKERS.write_text("\n".join(kept) + "\n" + out.getvalue())


if __name__ == "__main__":
    main()
