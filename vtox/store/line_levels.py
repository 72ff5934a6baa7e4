"""Levels of the lines that diagnoses read, from results: one sample in five minutes.

A line is a quantity of its machine beside the fault, and kept in the history as minutes and hours:
its level moves over days. Reading the detail of every result takes 12 us a window (50 machines with
all five faults), and gives 3.2 points where results give 3.1: as many rows again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vtox.domain import DEFECTS
from vtox.store.entries import RawFields, loads, number
from vtox.store.points import Point

# The record that spans a multiple of this is the sample: one of each fault, whoever reads it.
EVERY_S = 300
# Level and threshold by line; None where the record shows no such line.
Levels = dict[str, tuple[float | None, float | None]]


def _broken_bar(detail: Mapping[str, Any]) -> Levels:
    """Return the sidebands at twice slip frequency, dBc."""
    indicators = detail.get("indicators") or {}
    return {
        f"broken_bar_{side}_dbc": (number(indicators.get(f"{side}_sideband_dbc")), None)
        for side in ("lower", "upper")
    }


def _eccentricity(detail: Mapping[str, Any]) -> Levels:
    """Return the sidebands at the speed of rotation, dBc."""
    lines = (e for e in detail.get("evidence") or () if e.get("kind") == "line")
    line: Mapping[str, Any] = next(lines, {})
    return {
        f"eccentricity_{side}_dbc": (number(line.get(f"{side}_dbc")), None)
        for side in ("lower", "upper")
    }


def _bearing(detail: Mapping[str, Any]) -> Levels:
    """Return the comb of each defect order over what chance makes."""
    combs = {e.get("defect"): e for e in detail.get("evidence") or ()}
    return {
        f"bearing_{name.lower()}": (number(comb.get("statistic")), number(comb.get("threshold")))
        for name in DEFECTS
        if (comb := combs.get(name))
    }


_LEVELS_OF: Mapping[str, Callable[[Mapping[str, Any]], Levels]] = {
    "bearing": _bearing,
    "eccentricity": _eccentricity,
    "broken_bar": _broken_bar,
}
# Fault -> its lines.
LINES: Mapping[str, tuple[str, ...]] = {
    "bearing": tuple(f"bearing_{name.lower()}" for name in DEFECTS),
    "eccentricity": ("eccentricity_lower_dbc", "eccentricity_upper_dbc"),
    "broken_bar": ("broken_bar_lower_dbc", "broken_bar_upper_dbc"),
}
QUANTITIES = frozenset(name for names in LINES.values() for name in names)


def line_points(point: Point, fields: RawFields) -> Iterator[Point]:
    """Yield the lines of a result whose point this is; none where it is no sample.

    The state is that of the diagnosis. What another program wrote is taken as far as it can be.
    """
    levels_of = _LEVELS_OF.get(point.quantity)
    every_ms = 1000 * EVERY_S
    if levels_of is None or point.t_ms // every_ms == (point.t_ms - point.duration_ms) // every_ms:
        return
    try:
        levels = levels_of(loads(fields.get(b"detail") or b"{}"))
    except (ValueError, TypeError, AttributeError):
        return
    for quantity, (value, threshold) in levels.items():
        yield point._replace(
            quantity=quantity,
            code="",
            value=value,
            threshold=threshold,
            severity=None,
            marks=None,
            confidence=None,
        )
