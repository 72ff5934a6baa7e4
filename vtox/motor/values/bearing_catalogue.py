"""Deep groove ball bearings by designation: geometry of several makers, each with its source. Pure.

A designation fixes bore, outer diameter and width (ISO 15), not the balls: makers differ. The
orders of a designation are the middle of the range over makers, its tolerance half that range.
If makers differ too much, orders are unknown until the maker is before the number: `NSK 6203`.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from math import cos, radians
from pathlib import Path
from typing import NamedTuple

from vtox.motor.errors import NameplateError

# A maker and other prefixes may precede the number; seals, cage, clearance and the like follow it.
# 19 after the 6 is SKF's: it writes 61905 for 6905.
_NUMBER = re.compile(
    r"(?P<prefix>(?:[A-Z][A-Z0-9]*[ .-]+)*)(?:61(?=9)|6)(?P<rest>\d/\d\d|\d{3})"
    r"(?P<suffix>$|2?[A-Z ./-].*)"
)
# SKF fits larger balls with this cage: other orders.
_LARGER_BALLS = "ETN9"
# A ball whose spin differs more than this among makers is left out: no narrow comb would hold it.
_SPIN_SPREAD = 0.015
# Races that differ more among makers are unknown without one: slippage alone is this much.
_RACE_SPREAD = 0.015


class _MadeBearing(NamedTuple):
    """One maker's bearing: balls, their diameter and that of the pitch circle, in one unit.

    Published ratings leave a range of pitch diameters; if they are published, both are one.
    """

    maker: str
    balls: int
    ball: float
    pitch_min: float
    pitch_max: float
    source: str


class _CataloguedOrders(NamedTuple):
    """Defect orders of a designation; those of both races and the cage hold within `tolerance`.

    They are empty if makers differ: in the number of balls, or by more than slippage.
    """

    orders: Mapping[str, float]
    tolerance: float


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


def _read_makers() -> dict[str, list[_MadeBearing]]:
    text = Path(__file__).with_name("bearing_makers.csv").read_text(encoding="utf-8")
    made: dict[str, list[_MadeBearing]] = {}
    for row in csv.DictReader(x for x in text.splitlines() if not x.startswith("#")):
        ball, low, high = (float(row[name]) for name in ("ball", "pitch_min", "pitch_max"))
        bearing = _MadeBearing(row["maker"], int(row["balls"]), ball, low, high, row["source"])
        made.setdefault(row["designation"], []).append(bearing)
    return {designation: made[designation] for designation in sorted(made)}


CATALOGUE: Mapping[str, Iterable[_MadeBearing]] = _read_makers()


@cache
def catalogued(designation: str) -> _CataloguedOrders:
    """Return the orders of a designation such as `6205-2RS`, `SKF 6205-2Z/C3`, `61905`.

    If makers differ, those of the maker before the number. BSF is left out if makers differ
    in it by more than 1.5 % about the middle.

    Raises `NameplateError`: it is not in the catalogue; the error names near designations.
    """
    found = _NUMBER.fullmatch(designation.strip().upper())
    number = f"6{found['rest']}" if found else ""
    if not found or number not in CATALOGUE or _LARGER_BALLS in found["suffix"]:
        near = get_close_matches(number, CATALOGUE, 1, 0.8)
        hint = f"; {near[0]} is" if near and near[0] != number else ""
        raise NameplateError(
            f"bearing.designation: {designation[:40]!r} is not in the catalogue{hint}, expected "
            "such as 6205 or SKF 6205-2Z/C3, or orders or geometry from its data sheet",
            "bearing.designation",
        )
    common = _common_orders(CATALOGUE[number])
    maker = set(_words(found["prefix"]))
    own = [b for b in CATALOGUE[number] if maker & set(_words(b.maker))]
    return _common_orders(own) if own and not common.orders else common


def differing_makers(designation: str) -> dict[str, int]:
    """Return maker -> balls of a designation whose orders depend on the maker, else nothing."""
    if catalogued(designation).orders:
        return {}
    number = _NUMBER.fullmatch(designation.strip().upper())
    return {b.maker: b.balls for b in CATALOGUE[f"6{number['rest']}"]} if number else {}


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Z]+", text.upper())


def _common_orders(made: Iterable[_MadeBearing]) -> _CataloguedOrders:
    """Return the middle of the orders of several makers, none if they differ too much."""
    each = [
        orders_of_geometry(b.balls, b.ball, pitch)
        for b in made
        for pitch in (b.pitch_min, b.pitch_max)
    ]
    ranges = {name: [o[name] for o in each] for name in each[0]}
    middle = {name: (min(x) + max(x)) / 2 for name, x in ranges.items()}
    half = {name: max(x) / middle[name] - 1 for name, x in ranges.items()}
    tolerance = max(half[name] for name in ("BPFO", "BPFI", "FTF"))
    if tolerance > _RACE_SPREAD:
        return _CataloguedOrders({}, 0.0)
    if half["BSF"] > _SPIN_SPREAD:
        del middle["BSF"]
    return _CataloguedOrders(middle, tolerance)
