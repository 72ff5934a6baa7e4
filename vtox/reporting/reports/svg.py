"""Geometry of the drawings of a report: axes, curves, bands and marks with names.

`templates/parts.html` draws them. Colours are classes of `report.css`, so that one drawing serves
light, dark and paper.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import ClassVar

from vtox.motor.values.arrays import Float64

HEIGHT, BELOW = 250, 36
# Sizes in the font of `report.css`, 11 px: neighbouring names must not touch.
CHARACTER, WIDE_CHARACTER, ROW, MAX_ROWS = 6.1, 11.5, 13, 5


@dataclass(frozen=True, slots=True)
class Mark:
    """A line or place with a name: band, where it was found, level there and in the baseline."""

    name: str
    x: float
    low: float
    high: float
    tone: str
    found_x: float | None = None
    y: float | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Axes:
    """The ranges of a drawing and the words at its axes. Edges are in px."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_name: str
    y_name: str
    height: int = HEIGHT
    # Text of a value of x; None: as a number.
    x_text: Callable[[float], str] | None = None
    x_values: tuple[float, ...] = ()
    width: ClassVar[int] = 760
    left: ClassVar[int] = 52
    right: ClassVar[int] = 750
    top: ClassVar[int] = 8

    @property
    def bottom(self) -> int:
        """The edge above the words of x."""
        return self.height - BELOW

    def x(self, value: float) -> float:
        """Return the place of a value of x, px."""
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return the place of a value of y, px."""
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def x_ticks(self) -> Iterator[tuple[float, str]]:
        """Yield places and texts of round values of x."""
        for x in self.x_values or ticks(*self.x_range, 8):
            yield self.x(x), self.x_text(x) if self.x_text else f"{x:g}"

    def y_ticks(self) -> Iterator[tuple[float, str]]:
        """Yield places and texts of round values of y."""
        for y in ticks(*self.y_range, max(2, self.height // 50)):
            yield self.y(y), f"{y:g}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, slots=True)
class Drawing:
    """Curves and areas with their classes, marks and states on axes; `label` is read aloud."""

    axes: Axes
    label: str
    paths: Sequence[tuple[str, str]]
    marks: Sequence[Mark] = ()
    # State, left edge and width of each step, px.
    steps: Sequence[tuple[str, float, float]] = ()

    def bands(self) -> Iterator[tuple[str, float, float]]:
        """Yield tone, left edge and width of each band that is in sight, px."""
        begin, end = self.axes.x_range
        for m in self.marks:
            low, high = max(m.low, begin), min(m.high, end)
            if low <= high:
                left = self.axes.x(low)
                yield m.tone, left, max(self.axes.x(high) - left, 1.0)

    def places(self) -> Iterator[tuple[str, float, float, float | None]]:
        """Yield tone, place and level in the baseline of each line that was found, px."""
        (begin, end), (bottom, top) = self.axes.x_range, self.axes.y_range
        for m in self.marks:
            if m.found_x is not None and m.y is not None and begin <= m.found_x <= end:
                healthy = None if m.baseline is None else min(max(m.baseline, bottom), top)
                healthy_y = None if healthy is None else self.axes.y(healthy)
                yield m.tone, self.axes.x(m.found_x), self.axes.y(m.y), healthy_y

    def names(self) -> Iterator[tuple[str, float, int, str]]:
        """Yield tone, place (px) and name of each line for whose name there is room."""
        ends: dict[int, list[tuple[float, float]]] = {}
        begin, end = self.axes.x_range
        for m in self.marks:
            if not m.name or not begin <= m.x <= end:
                continue
            width = sum(CHARACTER if c < "\u2e80" else WIDE_CHARACTER for c in m.name)
            left = self.axes.x(m.x) - width / 2
            left = min(max(left, self.axes.left + 3), self.axes.right - width - 3)
            for row in range(MAX_ROWS):
                if all(left >= b or left + width <= a for a, b in ends.get(row, [])):
                    ends.setdefault(row, []).append((left - 8, left + width + 8))
                    yield m.tone, left, self.axes.top + 13 + row * ROW, m.name
                    break


def curve(axes: Axes, x: Sequence[float] | Float64, y: Sequence[float] | Float64) -> str:
    """Return the path of a curve; NaN and infinite values are gaps."""
    pieces, pen = [], "M"
    bottom, top = axes.y_range
    for a, b in zip(x, y, strict=True):
        if not isfinite(b):
            pen = "M"
            continue
        # Points outside are drawn a little outside, and cut off by the frame.
        b = min(max(b, bottom), top)
        pieces.append(f"{pen}{axes.x(a):.1f} {axes.y(b):.1f}")
        pen = "L"
    return "".join(pieces)


def area(axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
    """Return the path around the area between two curves of finite values."""
    there = [f"{axes.x(a):.1f} {axes.y(b):.1f}" for a, b in zip(x, high, strict=True)]
    back = [f"{axes.x(a):.1f} {axes.y(b):.1f}" for a, b in zip(x, low, strict=True)]
    return f"M{'L'.join([*there, *reversed(back)])}Z"


def ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values between two, some `about` of them.

    Examples
    --------
    >>> ticks(0.0, 97.0, 5)
    [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    raw = (high - low) / about
    size = 10.0 ** floor(log10(raw))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= raw * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]
