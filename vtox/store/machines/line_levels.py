"""Levels of the lines that diagnoses read, from results: one sample in five minutes.

A line is a quantity of its machine beside the fault, and kept in the history as minutes and hours:
its level moves over days. Reading the detail of every result takes 12 us a window (50 machines with
all five faults), and gives 3.2 points where results give 3.1: as many rows again.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vtox.store.machines.points import Point
from vtox.store.stream.entries import number
from vtox.values.codec import RawFields, loads
from vtox.values.domain import DEFECTS

# Of each fault of a machine the first record in every stretch so long is the sample. A record that
# spans the beginning of one would not do: snapshots of seconds, minutes apart, hardly ever do.
EVERY_S = 300
# More than 40,000 machines have in such a stretch.
MOST_REMEMBERED = 1 << 17
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


class LineSampler:
    """Takes samples of results as they come, and remembers the last one of each fault.

    What was taken counts once `keep` says that it is written. One that begins anew takes at most
    one sample more of each fault.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], int] = {}
        self._new: dict[tuple[str, str], int] = {}

    def points(self, point: Point, fields: RawFields) -> Iterator[Point]:
        """Yield the lines of a result whose point this is; none where it is no sample."""
        if point.quantity not in _LEVELS_OF:
            return
        key, stretch = (point.machine_id, point.quantity), point.t_ms // (1000 * EVERY_S)
        if stretch != self._new.get(key, self._last.get(key)):
            self._new[key] = stretch
            yield from line_points(point, fields)

    def keep(self) -> None:
        """Note that what was taken is written."""
        if len(self._last) + len(self._new) > MOST_REMEMBERED:
            self._last.clear()
        self._last |= self._new
        self._new.clear()

    def forget(self) -> None:
        """Note that what was taken since is not written, and is read again."""
        self._new.clear()


def line_points(point: Point, fields: RawFields) -> Iterator[Point]:
    """Yield the lines of a result whose point this is.

    The state is that of the diagnosis. What another program wrote is taken as far as it can be.
    """
    levels_of = _LEVELS_OF[point.quantity]
    try:
        levels = levels_of(loads(fields.get(b"detail") or b"{}"))
    except (ValueError, TypeError, AttributeError):
        return
    for quantity, (value, threshold) in levels.items():
        yield point._replace(
            quantity=quantity,
            windows=None,
            code="",
            value=value,
            threshold=threshold,
            severity=None,
            marks=None,
            confidence=None,
            energy=None,
        )
