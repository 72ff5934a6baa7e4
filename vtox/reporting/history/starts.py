"""Starts of machines: kept by the records that show them, and put together when they are read.

A start of several seconds lies in several records, which may be recorded in any order. So each
keeps its part, and parts that follow each other are one start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, sqrt
from typing import Any

from sqlalchemy import Connection, select

from vtox.motor.values import codec
from vtox.motor.values.energy import START_FIGURES
from vtox.pipeline.store.machines.points import Point
from vtox.reporting.history.database import insert
from vtox.reporting.history.downsampling import Row
from vtox.reporting.history.schema import series, start_parts

# Parts so close to each other are of one start, ms.
_GAP_MS = 500
# No start that is read lasts longer, s: parts before a time belong to starts that go on in it.
LONGEST_S = 600
_HOUR_S = 3600
_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class MotorStart:
    """One start; values that its records do not show are None.

    It may end in a record whose current is steady but for its beginning. `energy_j` is the energy
    at the terminals.
    """

    t: float
    """s since 1970 (UTC)"""
    seen_s: float
    """how long records show it"""
    duration_s: float | None
    """until the current has settled"""
    inrush_a: float | None
    """largest rms of one cycle of a phase"""
    peak_a: float | None
    """largest sample"""
    mean_a: float | None
    """rms over the start"""
    final_a: float | None
    """current after it"""
    dip_ratio: float | None
    """how far the voltage fell, over that before"""
    energy_j: float | None


def add_starts(db: Connection, rows: Sequence[Row], points: Sequence[Point]) -> None:
    """Keep the starts that records show."""
    parts = [
        part
        for row, point in zip(rows, points, strict=True)
        if point.start is not None and (part := _part(row, point.start))
    ]
    if parts:
        db.execute(insert(db, start_parts).on_conflict_do_nothing(), parts)


def _part(row: Row, text: bytes) -> dict[str, Any] | None:
    """Return the row of a part, None if the values say none."""
    try:
        values = codec.loads(text)["values"].items()
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    known = {n: x for n, v in values if (x := _number(v)) is not None}
    t_ms = row.t_ms - row.duration_ms
    on_s = known.get("on_s")
    lasts_s = known.get("duration_s")
    end_s = known.get("end_s")
    if on_s is not None and lasts_s is not None:
        end_s = on_s + lasts_s
    begin_ms = t_ms + round(1000 * (on_s or 0.0))
    end_ms = row.t_ms if end_s is None else t_ms + round(1000 * end_s)
    if not t_ms <= begin_ms <= end_ms <= row.t_ms + 1000:
        return None
    return {
        "series_id": row.series_id,
        "t_ms": row.t_ms,
        "begin_ms": begin_ms,
        "end_ms": end_ms,
        "begins": on_s is not None,
        "ends": end_s is not None,
        **{name: known.get(name) for name in START_FIGURES},
    }


def _number(value: object) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and isfinite(value) and abs(value) < _LARGEST else None  # type: ignore[arg-type]


def starts(db: Connection, machine_id: str, from_s: float, to_s: float) -> list[MotorStart]:
    """Return the starts of a machine that began from one time to another, the first one first."""
    c = start_parts.c
    statement = (
        select(start_parts)
        .join(series, series.c.id == c.series_id)
        .where(
            series.c.machine_id == machine_id,
            c.begin_ms >= 1000 * from_s,
            c.begin_ms < 1000 * (to_s + LONGEST_S),
        )
        .order_by(c.begin_ms)
    )
    whole: list[list[Any]] = []
    for part in db.execute(statement):
        follows = whole and not part.begins and not whole[-1][-1].ends
        if follows and part.begin_ms - whole[-1][-1].end_ms <= _GAP_MS:
            whole[-1].append(part)
        elif part.begins:
            whole.append([part])
    return [_start(parts) for parts in whole if parts[0].begin_ms < 1000 * to_s]


def most_in_an_hour(found: Iterable[MotorStart]) -> int:
    """Return how many starts lay within one hour at most.

    Examples
    --------
    >>> at = [MotorStart(t, 1.0, *[None] * 7) for t in (0, 1800, 3599, 3700)]
    >>> most_in_an_hour(at)
    3
    """
    times = [s.t for s in found]
    return max(
        (sum(t <= u < t + _HOUR_S for u in times[i:]) for i, t in enumerate(times)), default=0
    )


def _start(parts: Sequence[Any]) -> MotorStart:
    """Return the start that parts make, in order of time."""
    first, last = parts[0], parts[-1]
    gapless = all(after.begin_ms - before.end_ms <= 1 for before, after in pairwise(parts))
    lasts = [p.end_ms - p.begin_ms for p in parts]
    means = [p.mean_a for p in parts if p.mean_a is not None]
    squares = sum(n * a**2 for n, a in zip(lasts, means, strict=False))
    energies = [p.energy_j for p in parts if p.energy_j is not None]
    whole = last.ends and gapless
    return MotorStart(
        t=first.begin_ms / 1000,
        seen_s=(last.end_ms - first.begin_ms) / 1000,
        duration_s=(last.end_ms - first.begin_ms) / 1000 if last.ends else None,
        inrush_a=_largest(p.inrush_a for p in parts),
        peak_a=_largest(p.peak_a for p in parts),
        mean_a=sqrt(squares / sum(lasts)) if len(means) == len(parts) and sum(lasts) else None,
        final_a=last.final_a if last.ends else None,
        dip_ratio=_largest(p.dip_ratio for p in parts),
        energy_j=sum(energies) if whole and len(energies) == len(parts) else None,
    )


def _largest(values: Iterable[float | None]) -> float | None:
    return max((v for v in values if v is not None), default=None)
