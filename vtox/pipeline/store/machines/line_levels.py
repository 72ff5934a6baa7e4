"""Levels of the lines that diagnoses read, from results: one sample in five minutes.

A line is a quantity of its machine, in addition to the fault. The history keeps it as minutes and
hours: its level moves over days. Reading the detail of every result takes 12 us a window (50
machines with all five faults), and gives 3.2 points in addition to the 3.1 of results: as many rows
again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vtox.motor.faults import LINES
from vtox.motor.values.codec import RawFields, loads
from vtox.pipeline.store.machines.points import Point
from vtox.pipeline.store.stream.entries import number

# The sample of each fault of a machine is its first record in every stretch of this length. A
# record that spans the beginning of one would not do: snapshots of seconds, minutes apart, hardly
# ever do.
EVERY_S = 300
# More than 40,000 machines have in such a stretch.
MOST_REMEMBERED = 1 << 17
# Level and threshold by line; None if the record shows no such line.
Levels = dict[str, tuple[float | None, float | None]]


QUANTITIES = frozenset(line.quantity for lines in LINES.values() for line in lines)


def _levels(fault: str, detail: Mapping[str, Any]) -> Levels:
    """Return the levels of the lines of a fault; a comb that was not searched has none."""
    found: Levels = {}
    for line in LINES[fault]:
        part: Mapping[str, Any] = detail.get("indicators") or {}
        if line.evidence:
            kind, name = line.evidence
            part = next((e for e in detail.get("evidence") or () if e.get(kind) == name), {})
        if part or not line.threshold:
            level, threshold = part.get(line.level), part.get(line.threshold)
            found[line.quantity] = (number(level), number(threshold))
    return found


class LineSampler:
    """Takes samples of results as they come, and remembers the last one of each fault.

    Samples count once `keep` says that they are written. A sampler that begins again takes at most
    one sample more of each fault.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], int] = {}
        self._new: dict[tuple[str, str], int] = {}

    def points(self, point: Point, fields: RawFields) -> Iterator[Point]:
        """Yield the lines of a result whose point this is; none if it is no sample."""
        if point.quantity not in LINES:
            return
        key, stretch = (point.machine_id, point.quantity), point.t_ms // (1000 * EVERY_S)
        if stretch != self._new.get(key, self._last.get(key)):
            self._new[key] = stretch
            yield from _line_points(point, fields)

    def keep(self) -> None:
        """Note that the samples are written."""
        if len(self._last) + len(self._new) > MOST_REMEMBERED:
            self._last.clear()
        self._last |= self._new
        self._new.clear()

    def forget(self) -> None:
        """Note that the samples taken since are not written, and are read again."""
        self._new.clear()


def _line_points(point: Point, fields: RawFields) -> Iterator[Point]:
    """Yield the lines of a result whose point this is.

    The state is that of the diagnosis. Fields written by another program are taken if possible.
    """
    try:
        levels = _levels(point.quantity, loads(fields.get(b"detail") or b"{}"))
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
            operation=None,
        )
