"""Spectra, waveforms and phasors of a record as drawings."""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import cos, radians, sin

import numpy as np

from vtox.motor.diagnosis.spectra.thinning import extremes
from vtox.motor.values.arrays import Float64
from vtox.motor.values.domain import CHANNEL_UNITS, Array
from vtox.motor.values.spectra import ExpectedLine, Phasors, Spectrum
from vtox.reporting.reports import svg
from vtox.reporting.reports.svg import Axes, Drawing, Mark
from vtox.reporting.reports.texts import say

POINTS = 1200
# A dip between two bins of noise is no level: the axis begins a little below the noise.
BELOW_FLOOR_DB = 12.0
_MULTIPLE = re.compile(r"(\d+) x (.+)")
CURVES = ("curve", "curve b", "curve c")
PHASOR_RADIUS, HEAD = 106, 8
# The most telling names first, if there is room.
_RANK = ("found", "expected", "other")


def tone(line: ExpectedLine) -> str:
    """Return whether a line was found, is expected, or is examined by no diagnosis."""
    if line.fault is None:
        return "other"
    return "found" if line.found else "expected"


def line_name(name: str, text: Mapping[str, str]) -> str:
    """Return the name of a line in the language of the texts; defects keep their names."""
    multiple = _MULTIPLE.fullmatch(name)
    if multiple:
        k, of = multiple.groups()
        return say(text, "multiple", k=k, name=line_name(of, text))
    return text.get(f"name_{name}", name)


def spectrum_chart(s: Spectrum, low_hz: float, high_hz: float, text: Mapping[str, str]) -> Drawing:
    """Return the drawing of a spectrum that is thinned to its range already."""
    levels = [x.level_db for x in s.lines if x.level_db is not None]
    levels += [x.baseline_db for x in s.lines if x.baseline_db is not None]
    axes = Axes(
        (low_hz, high_hz),
        _level_range(s, levels),
        text["axis_hz"],
        text[f"axis_{s.reference}"],
    )
    marks = [
        Mark(
            line_name(x.name, text),
            x.hz,
            x.low_hz,
            x.high_hz,
            tone(x),
            x.found_hz,
            x.level_db,
            x.baseline_db,
        )
        for x in s.lines
    ]
    label = f"{text[f'kind_{s.kind}']}, {low_hz:.4g} to {high_hz:.4g} Hz"
    return Drawing(
        axes,
        label,
        [
            ("curve", svg.curve(axes, s.hz, s.levels_db)),
            ("floor", svg.curve(axes, s.hz, s.floor_db)),
        ],
        sorted(marks, key=lambda m: (_RANK.index(m.tone), m.x)),
    )


def waveform_chart(
    channels: Mapping[str, Array], fs_hz: float, seconds: float, text: Mapping[str, str]
) -> Drawing:
    """Return the drawing of the first part of some channels of one unit."""
    samples = max(2, round(seconds * fs_hz))
    shown = {n: np.asarray(x[:samples], np.float64) for n, x in channels.items()}
    low = min(float(x.min()) for x in shown.values())
    high = max(float(x.max()) for x in shown.values())
    room = (high - low) * 0.06 or abs(high) or 1.0
    unit = CHANNEL_UNITS[next(iter(shown))].replace("^2", "\N{SUPERSCRIPT TWO}")
    end_s = len(next(iter(shown.values()))) / fs_hz
    axes = Axes(
        (0.0, end_s), (low - room, high + room), text["axis_s"], f"{', '.join(shown)}, {unit}", 190
    )
    curves = []
    for x, cls in zip(shown.values(), CURVES, strict=False):
        at = np.arange(len(x)) if len(x) <= POINTS else extremes(x, POINTS // 2)
        curves.append((cls, svg.curve(axes, at / fs_hz, x[at])))
    return Drawing(axes, f"{text['waveform']}: {', '.join(shown)}", curves)


def phasor_arrows(found: Phasors) -> Iterator[tuple[str, str, float, float, str]]:
    """Yield class, path, place of the name (px) and channel; each unit to its longest phasor."""
    longest: dict[str, float] = {}
    for p in found.phasors:
        unit = CHANNEL_UNITS[p.channel]
        longest[unit] = max(longest.get(unit, 1e-12), p.rms)
    for p in found.phasors:
        unit = CHANNEL_UNITS[p.channel]
        size, angle = PHASOR_RADIUS * p.rms / longest[unit], radians(-p.angle_deg)
        x, y = size * cos(angle), size * sin(angle)
        wings = [
            f"{x - HEAD * cos(angle + turn):.1f} {y - HEAD * sin(angle + turn):.1f}"
            for turn in (0.4, -0.4)
        ]
        path = f"M0 0L{x:.1f} {y:.1f}M{wings[0]}L{x:.1f} {y:.1f}L{wings[1]}"
        away = max(size, 14) + 15
        cls = "voltage" if unit == "V" else "current"
        yield cls, path, away * cos(angle), away * sin(angle) + 4, p.channel


def _level_range(s: Spectrum, levels: Sequence[float]) -> tuple[float, float]:
    """Return the range of levels, with room above for the names of lines."""
    finite = _finite(s.levels_db)
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    floor = _finite(s.floor_db)
    if len(floor):
        low = max(low, float(floor.min()) - BELOW_FLOOR_DB)
    low, high = min([low, *levels]), max([high, *levels])
    span = high - low or abs(high) or 1.0
    return low - 0.04 * span, high + span * (0.34 if s.lines else 0.06)


def _finite(x: Float64) -> Float64:
    return x[np.isfinite(x)]
