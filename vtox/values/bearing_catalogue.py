"""Deep groove ball bearings by designation: geometry of several makers, each with its source. Pure.

A designation fixes bore, outer diameter and width (ISO 15), not the balls: makers differ. The
orders of a designation are the middle of the range over makers, its tolerance half that range.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from math import cos, radians
from typing import NamedTuple

from vtox.errors import NameplateError

# A maker's name may precede the number; seals, clearance and the like follow it.
_NUMBER = re.compile(r"(?:[A-Z]+[ -]+)?(\d{4,5})(?:[ /-]?[A-Z0-9].*)?")
# A ball whose spin differs more than this among makers is left out: no narrow comb would hold it.
_SPIN_SPREAD = 0.015


class MadeBearing(NamedTuple):
    """One maker's bearing: balls, their diameter and that of the pitch circle, in one unit."""

    maker: str
    balls: int
    ball: float
    pitch: float
    source: str


class CataloguedOrders(NamedTuple):
    """Defect orders of a designation; those of both races and the cage hold within `tolerance`."""

    orders: Mapping[str, float]
    tolerance: float


_CWRU = "Case Western Reserve University Bearing Data Center, bearing information"
_OTTAWA = "Sehri & Dumond, doi:10.17632/y2px5tg92h.5, table 2"
_PADERBORN = "Lessmeier et al., PHM Europe 3 (2016), fact sheets of the bearings"
_UOS = "Lee et al., Data in Brief 57 (2024) 110940, table 2"
_KAIST = "Jung et al., Data in Brief 48 (2023) 109049, table 1"
_HUST = "Thuan & Hong, BMC Research Notes 16 (2023) 138; pitch: mean of bore and outer diameter"
_HAUST = "Yang et al., doi:10.17632/3d5kcz83ny.1"
# Of the balls in an outer ring of that size: its order of the outer race gives ball over pitch.
_TIMKEN = "Timken, Ball Bearing Housed Unit Catalog, table A-9"


def orders_of_geometry(
    balls: int, ball: float, pitch: float, angle_deg: float = 0.0
) -> dict[str, float]:
    """Return the defect orders (Randall & Antoni 2011, MSSP 25(2), eq. 1-4, outer race fixed)."""
    ratio = ball / pitch * cos(radians(angle_deg))
    return {
        "BPFO": balls / 2 * (1 - ratio),
        "BPFI": balls / 2 * (1 + ratio),
        "BSF": pitch / (2 * ball) * (1 - ratio**2),
        "FTF": (1 - ratio) / 2,
    }


def _by_outer_race(maker: str, balls: int, bpfo: float, source: str) -> MadeBearing:
    """Return the bearing whose maker gives the order of its outer race."""
    return MadeBearing(maker, balls, 1 - 2 * bpfo / balls, 1.0, source)


# Where a paper was not at hand, as the package bearing-datasets 0.3.0 quotes it.
CATALOGUE: Mapping[str, tuple[MadeBearing, ...]] = {
    "6203": (
        MadeBearing("SKF", 8, 6.746, 28.50, _CWRU),
        MadeBearing("NSK, Fafnir", 8, 6.77, 28.50, _OTTAWA),
        MadeBearing("FAG", 8, 6.75, 28.55, _PADERBORN),
        MadeBearing("IBU, MTK", 8, 6.75, 29.05, _PADERBORN),
        _by_outer_race("Timken", 8, 3.053, _TIMKEN),
    ),
    "6204": (
        MadeBearing("MOCHU", 8, 7.94, 34.57, _UOS),
        MadeBearing("KG", 8, 7.6, 33.5, _HUST),
        _by_outer_race("Timken", 8, 3.052, _TIMKEN),
    ),
    "6205": (
        MadeBearing("SKF", 9, 7.940, 39.04, _CWRU),
        MadeBearing("NSK", 9, 7.90, 38.5, _KAIST),
        MadeBearing("KG", 9, 7.8, 38.5, _HUST),
        _by_outer_race("Timken", 9, 3.574, _TIMKEN),
    ),
    "6206": (
        MadeBearing("SKF", 9, 9.525, 46.0, _HAUST),
        MadeBearing("KG", 9, 9.0, 46.0, _HUST),
        _by_outer_race("Timken", 9, 3.568, _TIMKEN),
    ),
    "6207": (
        MadeBearing("KG", 9, 11.0, 53.5, _HUST),
        _by_outer_race("Timken", 9, 3.565, _TIMKEN),
    ),
    "6208": (
        MadeBearing("KG", 9, 12.0, 60.0, _HUST),
        _by_outer_race("Timken", 9, 3.547, _TIMKEN),
    ),
}


@cache
def catalogued(designation: str) -> CataloguedOrders:
    """Return the orders of a designation such as `6205-2RS`, `SKF 6205-2Z/C3`.

    BSF is left out where makers differ in it by more than 1.5 % about the middle.

    Raises `NameplateError`: it is not in the catalogue; the error names what is.
    """
    found = _NUMBER.fullmatch(designation.strip().upper())
    number = found[1] if found else ""
    if number not in CATALOGUE:
        near = get_close_matches(number, CATALOGUE, 1, 0.8)
        hint = f"; {near[0]} is" if near else ""
        raise NameplateError(
            f"bearing.designation: {designation[:40]!r} is not in the catalogue{hint}, expected "
            f"{', '.join(CATALOGUE)} with any suffix, or orders or geometry from its data sheet",
            "bearing.designation",
        )
    made = [orders_of_geometry(b.balls, b.ball, b.pitch) for b in CATALOGUE[number]]
    ranges = {name: [o[name] for o in made] for name in made[0]}
    middle = {name: (min(x) + max(x)) / 2 for name, x in ranges.items()}
    half = {name: max(x) / middle[name] - 1 for name, x in ranges.items()}
    if half["BSF"] > _SPIN_SPREAD:
        del middle["BSF"]
    return CataloguedOrders(middle, max(half[name] for name in ("BPFO", "BPFI", "FTF")))
