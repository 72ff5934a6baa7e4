"""Drawings of a report as inline SVG: axes, curves, bands and marks with names.

Colours are classes of `report.css`, so that one drawing serves light, dark and paper.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

from vtox.motor.values.arrays import Float64

WIDTH, HEIGHT = 760, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 8, 36
# Of the font of `report.css`, 11 px: neighbouring names must not touch.
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
    """The ranges of a drawing and the words at its axes."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_name: str
    y_name: str
    height: int = HEIGHT
    # Text of a value of x; None: as a number.
    x_text: Callable[[float], str] | None = None
    x_ticks: tuple[float, ...] = ()

    def x(self, value: float) -> float:
        """Return the place of a value of x, px."""
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Return the place of a value of y, px."""
        low, high = self.y_range
        return self.height - BOTTOM - (value - low) / (high - low) * (self.height - TOP - BOTTOM)


def drawing(axes: Axes, label: str, *parts: str) -> str:
    """Return a whole drawing: parts between its grid and its axes; `label` is read aloud."""
    box = f'viewBox="0 0 {WIDTH} {axes.height}" class="plot" role="img"'
    frame = (
        f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{axes.height - TOP - BOTTOM}"/>'
    )
    svg = f'<svg {box} aria-label="{escape(label)}">{_grid(axes)}{"".join(parts)}{frame}</svg>'
    return f'<div class="wide">{svg}</div>'


def curve(axes: Axes, x: Sequence[float] | Float64, y: Sequence[float] | Float64, cls: str) -> str:
    """Return a curve; NaN and infinite values are gaps."""
    pieces, pen = [], "M"
    bottom, top = axes.y_range
    for a, b in zip(x, y, strict=True):
        if not isfinite(b):
            pen = "M"
            continue
        # What lies outside is drawn a little outside, and cut off by the frame.
        b = min(max(b, bottom), top)
        pieces.append(f"{pen}{axes.x(a):.1f} {axes.y(b):.1f}")
        pen = "L"
    return f'<path class="{cls}" d="{"".join(pieces)}"/>'


def area(axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
    """Return the area between two curves of finite values."""
    if len(x) < 2:
        return ""
    there = [f"{axes.x(a):.1f} {axes.y(b):.1f}" for a, b in zip(x, high, strict=True)]
    back = [f"{axes.x(a):.1f} {axes.y(b):.1f}" for a, b in zip(x, low, strict=True)]
    return f'<path class="area" d="M{"L".join([*there, *reversed(back)])}Z"/>'


def marks(axes: Axes, found: Iterable[Mark]) -> str:
    """Return bands, places and names; the most telling names first, where there is room."""
    rank = {"found": 0, "expected": 1, "other": 2}
    ends: dict[int, list[tuple[float, float]]] = {}
    bands, places, names = [], [], []
    for m in sorted(found, key=lambda m: (rank[m.tone], m.x)):
        bands.append(_band(axes, m))
        places.append(_marker(axes, m))
        names.append(_name(axes, m, ends))
    return "".join(bands + places + names)


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


def _grid(axes: Axes) -> str:
    parts = []
    for x in axes.x_ticks or ticks(*axes.x_range, 8):
        text = axes.x_text(x) if axes.x_text else f"{x:g}"
        at = axes.x(x)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP}V{axes.height - BOTTOM}"/>')
        below = axes.height - BOTTOM + 14
        parts.append(f'<text class="tick" x="{at:.1f}" y="{below}">{escape(text)}</text>')
    for y in ticks(*axes.y_range, max(2, axes.height // 50)):
        at = axes.y(y)
        text = f"{y:g}".replace("-", "\N{MINUS SIGN}")
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick left" x="{LEFT - 6}" y="{at + 4:.1f}">{text}</text>')
    middle = (TOP + axes.height - BOTTOM) / 2
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{axes.height - 5}">'
        f"{escape(axes.x_name)}</text>"
        f'<text class="axis" transform="translate(11 {middle:.0f}) rotate(-90)">'
        f"{escape(axes.y_name)}</text>"
    )
    return "".join(parts)


def _band(axes: Axes, m: Mark) -> str:
    low, high = max(m.low, axes.x_range[0]), min(m.high, axes.x_range[1])
    if high < low:
        return ""
    width = max(axes.x(high) - axes.x(low), 1.0)
    return (
        f'<rect class="band {m.tone}" x="{axes.x(low):.1f}" y="{TOP}" width="{width:.1f}" '
        f'height="{axes.height - TOP - BOTTOM}"/>'
    )


def _marker(axes: Axes, m: Mark) -> str:
    if m.found_x is None or m.y is None or not axes.x_range[0] <= m.found_x <= axes.x_range[1]:
        return ""
    x, y = axes.x(m.found_x), axes.y(m.y)
    parts = [f'<circle class="place {m.tone}" cx="{x:.1f}" cy="{y:.1f}" r="3.8"/>']
    if m.baseline is not None:
        at = axes.y(min(max(m.baseline, axes.y_range[0]), axes.y_range[1]))
        parts.append(f'<path class="healthy {m.tone}" d="M{x - 8:.1f} {at:.1f}H{x + 8:.1f}"/>')
    return "".join(parts)


def _name(axes: Axes, m: Mark, ends: dict[int, list[tuple[float, float]]]) -> str:
    if not m.name or not axes.x_range[0] <= m.x <= axes.x_range[1]:
        return ""
    width = sum(CHARACTER if c < "\u2e80" else WIDE_CHARACTER for c in m.name)
    left = min(max(axes.x(m.x) - width / 2, LEFT + 3), WIDTH - RIGHT - width - 3)
    free = (
        row
        for row in range(MAX_ROWS)
        if all(left >= b or left + width <= a for a, b in ends.get(row, []))
    )
    row = next(free, None)
    if row is None:
        return ""
    ends.setdefault(row, []).append((left - 8, left + width + 8))
    y = TOP + 13 + row * ROW
    return f'<text class="name {m.tone}" x="{left:.1f}" y="{y}">{escape(m.name)}</text>'
